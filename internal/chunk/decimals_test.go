package chunk

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// checkDecimal compares with a division, which rounds once.
func checkDecimal(t *testing.T, m int64, k int) {
	t.Helper()
	got, want := scales[k].decimal(m), float64(m)/scales[k].power
	if math.Float64bits(got) != math.Float64bits(want) {
		t.Fatalf("decimal of %d with exponent %d is %v, want %v", m, k, got, want)
	}
}

// maxInteger is the largest m that decimal promises to divide.
const maxInteger = 1 << 53

func TestDecimalIsDivision(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for k := range scales {
		if scales[k].power != math.Pow10(k) {
			t.Fatalf("power %d is %v", k, scales[k].power)
		}
		for m := range int64(5000) {
			checkDecimal(t, m, k)
			checkDecimal(t, maxInteger-m, k)
			checkDecimal(t, m-maxInteger, k)
		}
		for range 100_000 {
			checkDecimal(t, r.Int64N(maxInteger)>>r.IntN(53), k)
		}
	}
}

// TestDecimalNearMiddles takes quotients as close as they come to the middle between two float64:
// m·2^s is M·10^k plus or minus little, for the middles M·2^-s.
func TestDecimalNearMiddles(t *testing.T) {
	for k := 1; k <= maxExponent; k++ {
		five := uint64(1)
		for range k {
			five *= 5
		}
		// m·2^j = M·5^k ± d, M odd with 54 bits: solve m = ±d / 2^j modulo 5^k.
		half := (five + 1) / 2
		for j := range uint(60) {
			inverse := uint64(1) // of 2^j
			for range j {
				inverse = mulMod(inverse, half, five)
			}
			for d := uint64(1); d < 40; d += 2 {
				for _, m := range []uint64{mulMod(d, inverse, five), five - mulMod(d, inverse, five)} {
					for ; m < maxInteger && m > 0; m += five {
						checkDecimal(t, int64(m), k)
						if five < 1<<44 {
							break
						}
					}
				}
			}
		}
	}
}

// mulMod returns a·b modulo n.
func mulMod(a, b, n uint64) uint64 {
	high, low := bits.Mul64(a, b)
	_, rest := bits.Div64(high%n, low, n)
	return rest
}

func TestChooseExponent(t *testing.T) {
	repeat := func(vs ...float64) (run []float64) {
		for i := range 100 {
			run = append(run, vs[i%len(vs)])
		}
		return run
	}
	tests := []struct {
		name      string
		values    []float64
		k         int
		residuals bool
		ok        bool
	}{
		{"integers", repeat(1, 20, 300), 0, false, true},
		{"cents", repeat(0.01, 51.37, 0), 2, false, true},
		{"one digit less in between", repeat(51.37, 51.3, 51), 2, false, true},
		{"noise in the last place", repeat(51.846000000000004, 51.845, 49.553999999999995), 3, true, true},
		{"eight decimals", repeat(62.77513946, 61.36447611), 8, false, true},
		{"mostly not numbers", repeat(math.NaN(), math.Inf(1), 0.5), 1, false, true},
		{"not a number at all", repeat(math.NaN(), math.Inf(1)), 0, false, false},
		{"integers beyond 2^53", repeat(1<<60, 1<<61), 0, false, true},
	}
	for _, test := range tests {
		if k, residuals, ok := chooseExponent(test.values); k != test.k || residuals != test.residuals || ok != test.ok {
			t.Errorf("%s: exponent %d, residuals %v, %v; want %d, %v, %v", test.name, k, residuals, ok, test.k, test.residuals, test.ok)
		}
	}
}
