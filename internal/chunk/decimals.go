package chunk

import "math"

// A decimal is an integer m and an exponent k that is common to the chunk: the float64
// nearest to m / 10^k. To that a residual may be added, in units in the last place, away from
// zero if positive: 51.846000000000004 is 51846 / 10^3 and 1.
//
//	byte    0
//	       +------+--------------------+----------------+-----------------
//	       | kind | exceptions         | integers       | residuals
//	       +------+--------------------+----------------+-----------------
//	               kindExceptions                        kindResiduals
//
//	kind        kindDecimal, plus the exponent, 0 to 18, and the bits that say what there is
//	exceptions  how many values are no such decimals; then for each how many samples lie between it and
//	            the exception before (varints), and the bits of the value, 8 bytes, little-endian
//	integers    m of all values (ints.go); of exceptions it means nothing
//	residuals   of all values (ints.go); of exceptions it means nothing
const (
	kindExponent   = 1<<5 - 1
	kindResiduals  = 1 << 5
	kindDecimal    = 1 << 6
	kindExceptions = 1 << 7

	maxExponent = 18
)

// A scale turns integers into decimals with one exponent k.
type scale struct {
	power         float64 // 10^k, exact
	inverse, rest float64 // their sum is 10^-k to 106 bits
}

// scales holds the scales of exponents 0 to maxExponent.
var scales = func() (t [maxExponent + 1]scale) {
	power := 1.0
	for k := range t {
		inverse := 1 / power
		t[k] = scale{power, inverse, math.FMA(-inverse, power, 1) / power}
		power *= 10
	}
	return t
}()

// decimal returns the float64 nearest to m / 10^k, for |m| up to 2^53; for larger ones, nearly that.
// It is a division, at less than half the time of one.
//
// Proof for m > 0, k > 0; let q be m / 10^k, and 2^e <= q < 2^(e+1). The sum inverse + rest is
// 10^-k but for 2^-106 of it, since the remainder of a division is exact; m·rest is at
// most 2^-53 q, and rounding it adds another 2^-106 q. So FMA rounds a number that is less than 2^-104 q
// from q. Rounding q itself gives the same, unless a middle between two float64 is as close.
// A middle is M·2^(e-53) with M odd, and its distance from q is
//
//	|m·2^(53-e) - M·10^k| / (10^k·2^(53-e))
//
// Since 2^e·10^k <= m <= 2^53, 53-e is more than 3k. So both terms are multiples of 2^k; divided by
// it, the first is even and the second odd. They differ by 2^k at least, and the distance is
// at least 2^(e-53) / 5^k, which is more than 2^-96 q for k up to 18.
func (s *scale) decimal(m int64) float64 {
	f := float64(m)
	return math.FMA(f, s.inverse, f*s.rest)
}

// nearest returns the integer nearest to v·10^k. Of what is no number, or beyond an int64, it returns anything:
// only decimal tells whether v is such a decimal.
func (s *scale) nearest(v float64) int64 {
	return int64(math.RoundToEven(v * s.power))
}

// A float64 of less than half its size that is added to rounder is rounded to an integer, which the sum has in its low bits.
const (
	rounder     = 3 << 51
	rounderBits = 0x433<<52 | 1<<51
)

// split sets numbers to the integers that are nearest to the values times 10^k, and rests to how many units in the last
// place the values are from these decimals, as nearest and decimal give them; but it ends before a value that has a larger rest than most,
// or an integer of 51 bits or more. It returns how many it did.
func (s *scale) split(numbers, rests []uint64, values []float64, most uint64) int {
	power := s.power
	numbers, rests = numbers[:len(values)], rests[:len(values)]
	for i, v := range values {
		sum := float64(v*power) + rounder
		rest := math.Float64bits(v) - math.Float64bits((sum-rounder)/power)
		m := math.Float64bits(sum)
		if m>>52 != rounderBits>>52 || rest+most > 2*most {
			return i
		}
		numbers[i], rests[i] = m-rounderBits, rest
	}
	return len(values)
}
