package chunk

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"metricd/internal/decimal"
)

const (
	// maxDigits bounds what appendDigits prints: eight digits, of which one at least
	// is before the point.
	maxDigits   = 1e8
	maxFraction = 7

	// Values below 1e-4 are printed with an exponent.
	maxLeadingZeros = 4
)

// AppendValue appends the value at hand to dst as text, exactly as decimal.Append would.
//
// The digits of a decimal m / 10^k are those of m without the zeros at the end: they are the shortest that read
// back as that float64, since m has 15 at most (see decimal.Append). A value that is no decimal but near one
// is found out by making the float64 of m again.
func (it *Iterator) AppendValue(dst []byte) []byte {
	v, r := it.values[it.pos], &it.d.values
	if r.kind&kindDecimal == 0 {
		return decimal.Append(dst, v)
	}
	m, k := it.ints[it.pos], uint(r.kind&kindExponent)
	size := uint64(max(m, -m))
	if size >= maxDigits || k > maxFraction || k > maxLeadingZeros && float64(size)*1e4 < r.scale.power ||
		!r.exact() && math.Float64bits(r.scale.decimal(m)) != math.Float64bits(v) {
		return decimal.Append(dst, v)
	}
	return appendDigits(dst, m, k)
}

// appendDigits appends m / 10^k in positional notation, with one digit at least on either side of the
// point and no zeros at the end but for that one, for |m| < maxDigits and k <= maxFraction.
func appendDigits(dst []byte, m int64, k uint) []byte {
	const room = 18 // a sign, 8 digits, a point, 8 digits
	start := len(dst)
	if cap(dst)-start < room {
		dst = slices.Grow(dst, room)
	}
	b := (*[room]byte)(dst[start : start+room])
	b[0] = '-' // overwritten if there is no sign
	n := uint64(m) >> 63
	x := eightDigits(uint64(max(m, -m)))
	fraction := x >> (8 * (8 - k))
	blank := bits.TrailingZeros64(x|1<<(8*(7-k))) & 0x38 // the digit before the point stays
	binary.LittleEndian.PutUint64(b[n:], (x|zeros)>>blank)
	n += uint64(8-k) - uint64(blank>>3)
	b[n&15] = '.'
	binary.LittleEndian.PutUint64(b[n&15+1:], fraction|zeros)
	return dst[:start+int(n)+9-bits.LeadingZeros64(fraction|1)>>3]
}

// zeros is the text of eight zeros.
const zeros = 0x3030303030303030

// eightDigits returns the eight digits of n < 1e8, one a byte, the first in the lowest: halves, then pairs, then
// digits are split side by side in one word (Khuong, "How to print integers really fast", 2017). The
// factors are reciprocals, exact for what they divide.
func eightDigits(n uint64) uint64 {
	high := n / 10000
	x := high | (n-10000*high)<<32
	q := x * 10486 >> 20 & 0x0000007F_0000007F // 100ths
	x = q | (x-100*q)<<16
	q = x * 103 >> 10 & 0x000F000F_000F000F // 10ths
	return q | (x-10*q)<<8
}
