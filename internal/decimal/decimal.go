// Package decimal turns float64 values into text and back exactly as Python's
// float() and repr() do, which is what the line protocol asks for: shortest digits
// that read back the same bits, `.0` on whole numbers, an exponent of two digits at
// least below 1e-4 and from 1e16 on, `inf`, `-inf`, `nan`, `-0.0`. Of what float()
// takes, underscores, digits outside ASCII and white space around the number are left
// out: here a text is one token.
//
// Every conversion is correctly rounded (to nearest, ties to even). No function
// allocates, except where dst has to grow; none keeps a slice it was given; all are safe for
// concurrent use. There is no error value: a text is a number or it is not.
//
// What is common is done on eight digits at once in a 64-bit word (words.go); what is
// not goes, once its syntax is known, through strconv or a comparison of big
// integers (halfway.go).
package decimal

import (
	"math"
	"math/bits"
	"strconv"
)

// maxExactPow10 is the largest k for which 10^k is a float64 without rounding.
const maxExactPow10 = 22

// pow10 holds the exact powers of ten.
var pow10 = [maxExactPow10 + 1]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// maxPow5 is the largest k for which 5^k fits into a uint64.
const maxPow5 = 27

// pow5 holds 5^k shifted left by up bits, which sets the top bit.
var pow5 = func() (t [maxPow5 + 1]struct {
	top uint64
	up  int
},
) {
	p := uint64(1)
	for k := range t {
		t[k].up = bits.LeadingZeros64(p)
		t[k].top = p << t[k].up
		p *= 5
	}
	return t
}()

// compose returns the float64 nearest to m·10^exp, for m up to 10^19.
func compose(m uint64, exp int) float64 {
	switch {
	case m == 0:
		return 0
	case exp == 0:
		return float64(m)
	case exp < 0 && exp >= -maxPow5:
		return divide(m, -exp)
	case exp > 0 && exp <= maxExactPow10 && m < 1<<53:
		return float64(m) * pow10[exp]
	}
	return composeAny(m, exp)
}

// divide returns the float64 nearest to m / 10^k, for 0 < k <= maxPow5 and m > 0.
//
// If m and 10^k are both exact as float64, one division rounds once and is right
// (Clinger, "How to read floating point numbers accurately", 1990). Else m / 5^k is
// divided as integers to 62 bits at least, with a last bit that tells whether anything
// is left: enough to round to 53. The result is never subnormal (it is at least 1e-27),
// so scaling it by a power of two is exact.
func divide(m uint64, k int) float64 {
	if m < 1<<53 && k <= maxExactPow10 {
		return float64(m) / pow10[k]
	}
	d := &pow5[k]
	shift := bits.LeadingZeros64(m)
	m <<= shift
	// m and d.top have their top bits set, so q = m·2^63 / d.top is in (2^62, 2^64).
	q, rest := bits.Div64(m>>1, m<<63, d.top)
	half := q>>1 | q&1
	if rest != 0 {
		half |= 1
	}
	scale := math.Float64frombits(uint64(1023-62+d.up-shift-k) << 52)
	return float64(int64(half)) * scale
}

// composeAny is compose for any m > 0 and exponent. What overflows or is nothing is told
// by itself, because strconv would allocate an error for it.
func composeAny(m uint64, exp int) float64 {
	for m < 1e18 {
		m *= 10
		exp--
	}
	// From 2^1024 - 2^970 on, half a unit above the largest float64, values round to inf.
	const tooLarge = 1797693134862315808 // that, cut to 19 digits, plus one
	switch {
	case exp > 290 || exp == 290 && m >= tooLarge:
		return math.Inf(1)
	case exp < -343:
		return 0
	}
	var buf [32]byte // at most 20 digits, 'e', a sign, 3 digits
	text := strconv.AppendUint(buf[:0], m, 10)
	text = append(text, 'e')
	text = strconv.AppendInt(text, int64(exp), 10)
	v, err := strconv.ParseFloat(string(text), 64) // up to 32 bytes are copied on the stack
	if err != nil {
		panic("BUG: decimal: " + err.Error())
	}
	return v
}
