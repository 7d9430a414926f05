package decimal

import (
	"encoding/binary"
	"math"
)

// pythonNaN has the bits of Python's float("nan").
var pythonNaN = math.Float64frombits(0x7FF8000000000000)

// Parse reads the whole of b as a number: an optional sign, then digits with at most one
// point among them and an optional exponent, or inf, infinity or nan in any case. Too
// large a number is an infinity, too small a one a zero; both keep the sign, as does
// nan. ok tells whether b is a number; if not, v is 0. It takes time linear in len(b).
func Parse(b []byte) (v float64, ok bool) {
	negative, n := sign(b)
	b = b[n:]
	m := readMantissa(b)
	if m.n == 0 {
		if v, ok = special(b); !ok {
			return 0, false
		}
		return withSign(v, negative), true
	}
	e, ok := exponent(b[m.n:])
	if !ok {
		return 0, false
	}
	v = compose(m.digits, m.exp+e)
	if m.cut {
		if above := compose(m.digits+1, m.exp+e); above != v {
			v = nearest(b[:m.n], e, v, above)
		}
	}
	return withSign(v, negative), true
}

// sign returns whether b starts with a minus, and the length of the sign: 0 or 1.
func sign(b []byte) (negative bool, n int) {
	if len(b) == 0 || b[0] != '-' && b[0] != '+' {
		return false, 0
	}
	return b[0] == '-', 1
}

// withSign returns v, which has none, with the sign asked for.
func withSign(v float64, negative bool) float64 {
	var minus uint64
	if negative {
		minus = 1 << 63
	}
	return math.Float64frombits(math.Float64bits(v) | minus)
}

// mantissa is what stands before the exponent. (The compiler keeps a struct of four
// fields in registers, and not one of five.)
type mantissa struct {
	digits uint64 // the first 19 significant digits: as many always fit
	exp    int    // its value is digits·10^exp,
	cut    bool   // or more, by less than 10^exp: digits other than 0 were left out
	n      int    // length of its text; 0 if there is no digit
}

// readMantissa reads the digits and the point at the start of b.
func readMantissa(b []byte) mantissa {
	digits, whole, dropped, cut := readDigits(b, 0)
	if whole == len(b) || b[whole] != '.' {
		return mantissa{digits, dropped, cut, whole}
	}
	digits, n, more, cutMore := readDigits(b[whole+1:], digits)
	if whole+n == 0 {
		return mantissa{}
	}
	return mantissa{digits, dropped + more - n, cut || cutMore, whole + 1 + n}
}

// readDigits reads the n digits at the start of b, which follow on those before. Once
// there are 19 significant ones, others are dropped; cut says whether one of these is not 0.
func readDigits(b []byte, before uint64) (digits uint64, n, dropped int, cut bool) {
	digits = before
	for len(b)-n >= 8 && digits < 1e11 {
		x := binary.LittleEndian.Uint64(b[n:n+8]) ^ zeros
		if notDigits(x) != 0 {
			break
		}
		digits = digits*1e8 + joinDigits(x)
		n += 8
	}
	for ; n < len(b); n++ {
		d := b[n] - '0'
		switch {
		case d > 9:
			return digits, n, dropped, cut
		case digits < 1e18:
			digits = digits*10 + uint64(d)
		default:
			dropped++
			cut = cut || d != 0
		}
	}
	return digits, n, dropped, cut
}

// exponent reads the whole of b as an exponent; none is 0. Beyond 10^8 it is not exact
// any more, which no text shorter than that can tell.
func exponent(b []byte) (e int, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	if b[0]|0x20 != 'e' {
		return 0, false
	}
	negative, n := sign(b[1:])
	digits := b[1+n:]
	for _, c := range digits {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		if e < 1e8 {
			e = e*10 + int(d)
		}
	}
	if negative {
		e = -e
	}
	return e, len(digits) > 0
}

// special reads the names of what is not a number of digits.
func special(b []byte) (v float64, ok bool) {
	switch {
	case isName(b, "inf"), isName(b, "infinity"):
		return math.Inf(1), true
	case isName(b, "nan"):
		return pythonNaN, true
	}
	return 0, false
}

// isName says whether b is name, in letters of any case. name is in lower case.
func isName(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i := range b {
		if b[i]|0x20 != name[i] {
			return false
		}
	}
	return true
}
