package decimal

import (
	"encoding/binary"
	"math"
)

// Scan reads the number at the start of b if it is a simple one: an optional sign,
// digits with at most one point among them, not more of them than divide can round
// (19 significant ones, 27 behind the point), and then a space, tab, \r or \n. n is the
// length of the number, without what ends it. n is 0 if the text is not that simple, or
// is no number, or if b ends before it does: cut out the token and ask Parse. Where both
// take a text, they give the same bits.
func Scan(b []byte) (v float64, n int) {
	if len(b) < 9 {
		return scanLong(b)
	}
	if b[0] == '-' {
		n = 1
	}
	word := binary.LittleEndian.Uint64(b[n : n+8])
	// Bit 4 is set in digits, and neither in a point nor in what ends a number. Other
	// bytes that have it are found by notDigits.
	others := ^word & 0x1010101010101010
	if others == 0 {
		return scanLong(b)
	}
	unit := others & -others >> 4
	first := byteAt(unit)
	x := word ^ zeros
	end, point := first, uint64(0) // bits; point is the width of the point, 0 or 8
	if byte(word>>(first&0x3F)) == '.' {
		others &= others - 1
		if others == 0 {
			return scanLong(b)
		}
		end, point = byteAt(others&-others>>4), 8
		x = x&(unit-1) | x>>8&-unit
	}
	x <<= (point - end) & 0x3F // the last digit to the top, zeros before the first
	if end == point || notDigits(x) != 0 || !endsNumber(byte(word>>(end&0x3F))) {
		return scanLong(b)
	}
	v = float64(int64(joinDigits(x))) / pow10[(end-first-point)>>3&7]
	return math.Float64frombits(math.Float64bits(v) | uint64(n)<<63), n + int(end>>3)
}

// byteAt returns the bit at which the byte begins whose lowest bit is the only one in x.
// (A multiplication: amd64 without its later extensions counts bits slowly.)
func byteAt(x uint64) uint64 { return x * 0x0008101820283038 >> 56 }

// scanLong is Scan for any text.
func scanLong(b []byte) (v float64, n int) {
	negative, n := sign(b)
	m := readMantissa(b[n:])
	n += m.n
	if m.n == 0 || m.cut || m.exp > 0 || m.exp < -maxPow5 || n == len(b) || !endsNumber(b[n]) {
		return 0, 0
	}
	return withSign(compose(m.digits, m.exp), negative), n
}

// endsNumber says whether c is one of the bytes that end a number in a line.
func endsNumber(c byte) bool {
	const ends uint64 = 1<<' ' | 1<<'\t' | 1<<'\r' | 1<<'\n'
	return c <= ' ' && ends>>c&1 != 0
}
