package decimal

import (
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
)

// What strconv and Python have in common, with their differences spelled out: an
// independent second way to every result.

// pythonNumber is the grammar of float() within ASCII, without underscores. Of what
// strconv.ParseFloat takes it leaves out hexadecimal.
var pythonNumber = regexp.MustCompile(`^[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:inf|infinity|nan))$`)

// referenceParse is Parse by way of strconv.
func referenceParse(text string) (v float64, ok bool) {
	if !pythonNumber.MatchString(text) {
		return 0, false
	}
	magnitude := strings.TrimLeft(text, "+-")
	if strings.EqualFold(magnitude, "nan") {
		// strconv refuses a sign here, and its NaN has another payload than Python's.
		v = math.Float64frombits(0x7FF8000000000000)
	} else {
		// Out of range is an error for strconv; the value that comes with it is Python's.
		v, _ = strconv.ParseFloat(magnitude, 64)
	}
	if text[0] == '-' {
		v = math.Copysign(v, -1)
	}
	return v, true
}

// referenceRepr is Append by way of strconv's digits, laid out anew.
func referenceRepr(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	sign := ""
	if math.Signbit(v) {
		sign = "-"
	}
	text := strconv.FormatFloat(math.Abs(v), 'e', -1, 64)
	mantissa, power, _ := strings.Cut(text, "e")
	exp, err := strconv.Atoi(power)
	if err != nil {
		panic(err)
	}
	digits := strings.Replace(mantissa, ".", "", 1)
	switch {
	case exp < -4 || exp >= 16:
		expSign := "+"
		if exp < 0 {
			expSign, exp = "-", -exp
		}
		power = strconv.Itoa(exp)
		if len(power) < 2 {
			power = "0" + power
		}
		return sign + mantissa + "e" + expSign + power
	case exp < 0:
		return sign + "0." + strings.Repeat("0", -exp-1) + digits
	case len(digits) <= exp+1:
		return sign + digits + strings.Repeat("0", exp+1-len(digits)) + ".0"
	}
	return sign + digits[:exp+1] + "." + digits[exp+1:]
}

// sameBits says whether a and b are the same down to a NaN's payload.
func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// randomValue returns a value of one of the kinds that take different ways: any bits, few
// decimals, the neighbours of these, whole numbers, powers of ten and two.
func randomValue(r *rand.Rand) float64 {
	v := math.Float64frombits(r.Uint64())
	switch r.IntN(8) {
	case 0:
		v = float64(r.Int64N(1e15)) / pow10[r.IntN(20)]
	case 1:
		v = float64(r.Int64N(1e6)) / pow10[r.IntN(9)]
	case 2:
		v = math.Nextafter(float64(r.Int64N(1e9))/pow10[r.IntN(9)], r.Float64()*1e9)
	case 3:
		v = float64(r.Uint64() >> r.IntN(64))
	case 4:
		v = r.Float64() * pow10[r.IntN(23)]
	case 5:
		v = math.Pow(10, float64(r.IntN(633)-324))
	case 6:
		v = math.Ldexp(1+float64(r.IntN(4))/4, r.IntN(2100)-1075)
	}
	if r.IntN(4) == 0 {
		v = -v
	}
	return v
}

// appendRandomText appends a number, or what is nearly one, to dst.
func appendRandomText(dst []byte, r *rand.Rand) []byte {
	start := len(dst)
	switch r.IntN(8) {
	case 0, 1:
		format := "efgG"[r.IntN(4)]
		dst = strconv.AppendFloat(dst, randomValue(r), format, r.IntN(25)-1, 64)
	case 2:
		for range 1 + r.IntN(8) {
			dst = append(dst, "0123456789.eE+-_xXpinfatyINF"[r.IntN(28)])
		}
	default:
		if r.IntN(3) == 0 {
			dst = append(dst, "+-"[r.IntN(2)])
		}
		dst = appendRandomDigits(dst, r)
		dst = append(dst, '.')
		dst = appendRandomDigits(dst, r)
		if r.IntN(4) == 0 {
			dst = append(dst, "eE"[r.IntN(2)])
			dst = strconv.AppendInt(dst, int64(r.IntN(700)-350), 10)
		}
	}
	if r.IntN(16) == 0 && len(dst) > start { // damage
		dst[start+r.IntN(len(dst)-start)] = byte(r.Uint32())
	}
	return dst
}

// appendRandomDigits appends 0 to 12 digits, often zeros.
func appendRandomDigits(dst []byte, r *rand.Rand) []byte {
	bits := r.Uint64()
	for range r.IntN(13) {
		dst = append(dst, '0'+byte(bits%10)*byte(bits>>60&1|bits>>8&1))
		bits = bits/10 | bits<<60
	}
	return dst
}

// exactText returns n·2^e in full, without an exponent, for e <= 0.
func exactText(n uint64, e int) string {
	return new(big.Float).SetMantExp(new(big.Float).SetUint64(n), e).Text('f', -e)
}
