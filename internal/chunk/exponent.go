package chunk

import "math"

const (
	// exponentSample is how many values chooseExponent looks at.
	exponentSample = 24

	// From maxExact on, any float64 is a decimal.
	maxExact = 1 << 53

	// From maxNear on, any float64 is within maxResidual of some decimal.
	maxNear = 1 << 40

	// About how many bits it costs that a value is an exception, to have residuals,
	// and a value with a residual.
	exceptionBits = 72
	residualBits  = 2
)

// chooseExponent returns the exponent with which values are probably smallest as decimals, and
// whether with residuals; not ok if they are no decimals. The way is that of ALP (Afroozeh, Kuffó,
// Boncz, "ALP: Adaptive Lossless floating-Point Compression", 2023): try some values, all exponents.
func chooseExponent(values []float64) (k int, residuals, ok bool) {
	var sample [exponentSample]float64
	n, finite := 0, 0
	count := min(exponentSample, len(values))
	for i := range count {
		v := values[i*len(values)/count]
		if v != v || math.Abs(v) > math.MaxFloat64 {
			continue
		}
		finite++
		if v != 0 {
			sample[n] = v
			n++
		}
	}
	if finite == 0 {
		return 0, false, false
	}
	best := math.MaxInt
	for exponent := range scales {
		if n*exponent*10/3 >= best {
			break
		}
		exact, near := scales[exponent].matches(sample[:n])
		size := n*exponent*10/3 + (n-exact)*exceptionBits
		if size < best {
			best, k, residuals = size, exponent, false
		}
		size = n*(exponent*10/3+residualBits) + (n-near)*exceptionBits
		if size < best {
			best, k, residuals = size, exponent, true
		}
	}
	return k, residuals, true
}

// matches returns how many of the values are decimals, exactly and with residuals.
func (s *scale) matches(values []float64) (exact, near int) {
	for _, v := range values {
		m := s.nearest(v)
		rest := math.Float64bits(v) - math.Float64bits(s.decimal(m))
		if max(m, -m) >= maxExact && s.power > 1 {
			continue
		}
		if rest == 0 {
			exact++
			near++
		} else if rest+maxResidual <= 2*maxResidual && max(m, -m) < maxNear {
			near++
		}
	}
	return exact, near
}
