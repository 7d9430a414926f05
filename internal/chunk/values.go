package chunk

// The values of a chunk begin with a byte that says what they are:
//
//	byte    0
//	       +------+-------
//	       | kind |
//	       +------+-------
//	       |  0   | constant: the one value that all have, as a short float (short.go)
//	       |  1   | raw: the bits of each value, 8 bytes, little-endian
//	       |  2   | ordered: integers (ints.go) in the order of the values, which are the bits of a float64
//	       |      | with all but the sign inverted if the sign is set
//	       | ≥ 64 | decimals (decimals.go)
//	       +------+-------
const (
	kindConstant = 0
	kindRaw      = 1
	kindOrdered  = 2
)

// ordered maps the bits of a float64 to an integer of the same order. It is its own inverse.
func ordered(bits uint64) uint64 { return bits ^ uint64(int64(bits)>>63)>>1 }
