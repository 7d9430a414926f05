package chunk

import "encoding/binary"

// sorter sorts integers. It holds scratch memory only.
type sorter struct{ other []uint64 }

// maxSorted is how many integers are sorted at most: a byte counts them.
const maxSorted = 255

// sort sorts xs, maxSorted at most and all below 2^width, byte by byte from the lowest one on (LSD radix sort). The result is
// in xs or in what was the sorter's memory, which becomes the caller's; then xs becomes the sorter's.
func (s *sorter) sort(xs []uint64, width uint) []uint64 {
	if len(xs) < 32 {
		insertionSort(xs)
		return xs
	}
	if cap(s.other) < len(xs) {
		s.other = make([]uint64, maxSorted)
	}
	from, to := xs, s.other[:len(xs)]
	var at [256]uint8
	for shift := uint(0); shift < width; shift += 8 {
		clear(at[:])
		for _, x := range from {
			at[uint8(x>>(shift&63))]++
		}
		if int(at[uint8(from[0]>>(shift&63))]) == len(from) {
			continue
		}
		sumBefore(&at)
		for _, x := range from {
			i := &at[uint8(x>>(shift&63))]
			to[*i] = x
			*i++
		}
		from, to = to, from
	}
	s.other = to
	return from
}

// sumBefore sets each byte to the sum of those before it, which is maxSorted at most: eight at a time, as the
// bytes of a product.
func sumBefore(at *[256]uint8) {
	const ones = 0x0101010101010101
	sum := uint64(0)
	for i := 0; i < len(at); i += 8 {
		part := at[i : i+8 : i+8]
		sums := binary.LittleEndian.Uint64(part) * ones
		binary.LittleEndian.PutUint64(part, sums<<8+sum*ones)
		sum += sums >> 56
	}
}

// insertionSort sorts few integers.
func insertionSort(xs []uint64) {
	for i, x := range xs {
		for ; i > 0 && xs[i-1] > x; i-- {
			xs[i] = xs[i-1]
		}
		xs[i] = x
	}
}
