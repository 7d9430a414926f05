package decimal

import (
	"math"
	"math/bits"
)

// nearest returns the one of below and above, two neighbours among the float64, that is
// nearest to the number whose digits and point are text and whose exponent is e. It is
// asked about texts of more than 19 digits that lie so close to the middle
// between the two that their first digits don't tell.
//
// It compares the text with the middle, both as integers. The middle has 767 significant
// digits at most, so of the text's digits the first bigDigits are compared, and that
// there are others only decides when these are equal.
func nearest(text []byte, e int, below, above float64) float64 {
	var value, middle natural
	e, rest := value.setDigits(text, e)

	// middle·2^q is the middle: twice below's fraction and one, at half its unit.
	fraction, q := math.Float64bits(below)&(1<<52-1), int(math.Float64bits(below)>>52)
	if q > 0 {
		fraction |= 1 << 52
	} else {
		q = 1
	}
	q -= 1023 + 52 + 1
	middle[0] = 2*fraction + 1

	// value·10^e against middle·2^q, without what both have of 2 and 5.
	if e >= 0 {
		value.mulPow5(e)
	} else {
		middle.mulPow5(-e)
	}
	if q >= e {
		middle.shiftLeft(q - e)
	} else {
		value.shiftLeft(e - q)
	}
	order := value.compare(&middle)
	if order > 0 || order == 0 && (rest || fraction&1 == 1) {
		return above
	}
	return below
}

// bigDigits is how many digits of a text are compared.
const bigDigits = 800

// natural is a natural number, the lowest word first. The largest that nearest needs are
// of 800 digits, or as large as these, and the middle below the smallest float64 times
// 10^1124: all under 2^2800.
type natural [48]uint64

// setDigits sets z to the first bigDigits significant digits of a text of digits and a
// point, whose exponent is e. It returns the exponent of the last of them, and whether
// others than zeros were left out.
func (z *natural) setDigits(text []byte, e int) (exp int, rest bool) {
	taken, behind := 0, 0 // digits in z, digits behind the point
	point := false
	for _, c := range text {
		if c == '.' {
			point = true
			continue
		}
		if point {
			behind++
		}
		switch {
		case taken == 0 && c == '0':
		case taken < bigDigits:
			z.mulAdd(10, uint64(c-'0'))
			taken++
		default:
			rest = rest || c != '0'
			e++
		}
	}
	return e - behind, rest
}

// mulAdd sets z to z·f + w.
func (z *natural) mulAdd(f, w uint64) {
	for i := range z {
		high, low := bits.Mul64(z[i], f)
		sum, carry := bits.Add64(low, w, 0)
		z[i], w = sum, high+carry
	}
	if w != 0 {
		panic("BUG: decimal: natural overflows")
	}
}

// mulPow5 sets z to z·5^k.
func (z *natural) mulPow5(k int) {
	const whole = 7450580596923828125 // 5^27
	for ; k >= maxPow5; k -= maxPow5 {
		z.mulAdd(whole, 0)
	}
	for ; k > 0; k-- {
		z.mulAdd(5, 0)
	}
}

// shiftLeft sets z to z·2^k.
func (z *natural) shiftLeft(k int) {
	for ; k >= 63; k -= 63 {
		z.mulAdd(1<<63, 0)
	}
	z.mulAdd(1<<k, 0)
}

// compare returns -1, 0 or +1, as z is less than, equal to or greater than y.
func (z *natural) compare(y *natural) int {
	for i := len(z) - 1; i >= 0; i-- {
		if z[i] != y[i] {
			if z[i] < y[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}
