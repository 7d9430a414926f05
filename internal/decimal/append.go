package decimal

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// Append appends Python's repr of v to dst: the shortest digits that read back as v,
// and of these the nearest to v. Every NaN is nan. It appends 24 bytes at most.
//
// Most values have few decimals. Let m be v·10^k rounded to an integer, below 10^15. If
// m / 10^k as float64 is v, then the digits of m without zeros at the end are the
// shortest. Proof: both operands are exact (m < 2^53, k <= 22), so the quotient is the
// float64 nearest to the decimal m·10^-k, and that text reads back as v. Decimals of up
// to 15 significant digits all have different nearest float64 (10^15 < 2^52, so their
// steps are wider; v is not subnormal). So a text as short as m's or shorter that reads
// back as v is the same decimal. How m was found is of no account.
func Append(dst []byte, v float64) []byte {
	switch abs := math.Abs(v); {
	case abs < 1e4:
		// Percentages, temperatures, small counts: two decimals at most are tried first.
		if m := uint32(abs*100 + 0.5); float64(m)/100 == abs {
			return appendCents(dst, v, m)
		}
	}
	switch abs := math.Abs(v); {
	case abs < 1e7 && (abs >= 1e-4 || abs == 0):
		const scale = 1e8
		if m := int64(abs*scale + 0.5); float64(m)/scale == abs {
			return appendParts(dst, v, uint64(m)/scale, uint64(m)%scale)
		}
	case abs >= 1e7 && abs < 1e11:
		const scale = 1e4
		if m := int64(abs*scale + 0.5); float64(m)/scale == abs {
			return appendParts(dst, v, uint64(m)/scale, uint64(m)%scale*(1e8/scale))
		}
	case abs >= 1e11 && abs < 1e15:
		if m := int64(abs); float64(m) == abs {
			return appendParts(dst, v, uint64(m), 0)
		}
	}
	return appendAny(dst, v)
}

// appendCents appends m/100 with the sign of v, for m <= 10^6.
func appendCents(dst []byte, v float64, m uint32) []byte {
	if math.Signbit(v) {
		dst = append(dst, '-')
	}
	whole, cents := m/100, m%100
	if whole >= 100 {
		if whole >= 1000 {
			dst = append(dst, pairs[whole/100*2], pairs[whole/100*2+1])
		} else {
			dst = append(dst, byte('0'+whole/100))
		}
		whole %= 100
		dst = append(dst, pairs[whole*2], pairs[whole*2+1])
	} else if whole >= 10 {
		dst = append(dst, pairs[whole*2], pairs[whole*2+1])
	} else {
		dst = append(dst, byte('0'+whole))
	}
	tenth, hundredth := pairs[cents*2], pairs[cents*2+1]
	if hundredth == '0' {
		return append(dst, '.', tenth)
	}
	return append(dst, '.', tenth, hundredth)
}

// pairs holds the digits of 00 to 99.
const pairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

// appendParts appends whole + fraction/10^8 with the sign of v, for whole < 10^15 and
// fraction < 10^8, without zeros at the end but for one behind the point.
func appendParts(dst []byte, v float64, whole, fraction uint64) []byte {
	if whole >= 1e8 {
		return appendWide(dst, v, whole, fraction)
	}
	const room = 18 // a sign, 8 digits, a point, 8 digits
	start := len(dst)
	if cap(dst)-start < room {
		dst = slices.Grow(dst, room)
	}
	b := (*[room]byte)(dst[start : start+room])
	b[0] = '-' // overwritten if there is no sign
	n := math.Float64bits(v) >> 63
	x := splitDigits(whole)
	blank := uint64(bits.TrailingZeros64(x|1<<56)) & 0x38 // the last zero stays
	binary.LittleEndian.PutUint64(b[n:], (x|zeros)>>blank)
	n += 8 - blank>>3
	b[n] = '.'
	x = splitDigits(fraction)
	binary.LittleEndian.PutUint64(b[n+1:], x|zeros)
	return dst[:start+int(n)+9-bits.LeadingZeros64(x|1)>>3]
}

// AppendFixed takes integers below MaxFixed, either sign, and up to MaxFixedExponent digits behind the point.
const (
	MaxFixed         = 1e8
	MaxFixedExponent = 7
)

// AppendFixed appends m / 10^k without an exponent, with one digit at least on either side of the point and no
// zeros at the end but for that one. If its size is 0 or at least 1e-4, that is what Append appends for the float64
// nearest to it (see there).
func AppendFixed(dst []byte, m int64, k uint) []byte {
	if m <= -MaxFixed || m >= MaxFixed || k > MaxFixedExponent {
		panic("BUG: decimal: AppendFixed of a number that is too large")
	}
	const room = 18 // a sign, 8 digits, a point, 8 digits
	start := len(dst)
	if cap(dst)-start < room {
		dst = slices.Grow(dst, room)
	}
	b := (*[room]byte)(dst[start : start+room])
	b[0] = '-' // overwritten if there is no sign
	n := uint64(m) >> 63
	x := splitDigits(uint64(max(m, -m)))
	fraction := x >> (8 * (8 - k))
	blank := bits.TrailingZeros64(x|1<<(8*(7-k))) & 0x38 // the digit before the point stays
	binary.LittleEndian.PutUint64(b[n:], (x|zeros)>>blank)
	n += uint64(8-k) - uint64(blank>>3)
	b[n&15] = '.'
	binary.LittleEndian.PutUint64(b[n&15+1:], fraction|zeros)
	return dst[:start+int(n)+9-bits.LeadingZeros64(fraction|1)>>3]
}

// appendWide is appendParts for any whole.
func appendWide(dst []byte, v float64, whole, fraction uint64) []byte {
	if v < 0 {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, whole, 10)
	dst = append(dst, '.')
	x := splitDigits(fraction)
	dst = binary.LittleEndian.AppendUint64(dst, x|zeros)
	return dst[:len(dst)-bits.LeadingZeros64(x|1)>>3]
}

// appendAny is Append for any value.
func appendAny(dst []byte, v float64) []byte {
	switch abs := math.Abs(v); {
	case math.IsNaN(v):
		return append(dst, "nan"...)
	case abs > math.MaxFloat64:
		if v > 0 {
			return append(dst, "inf"...)
		}
		return append(dst, "-inf"...)
	case abs < 1e-4 && abs > 0, abs >= 1e16:
		return strconv.AppendFloat(dst, v, 'e', -1, 64) // its exponents are Python's
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}
