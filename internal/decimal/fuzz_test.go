package decimal

import (
	"math"
	"testing"
)

// FuzzParse: any bytes are taken or refused as by the reference, with the same bits, and
// Scan agrees.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"51.37", "-.5", "5.", "1e-3", "+inf", "NaN", "1_0", "0x1p3", "1.7976931348623159e308", "9007199254740993.00000000000000000001", "1 2", "12345678"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want, ok := referenceParse(string(text))
		checkParse(t, string(text), want, ok)
	})
}

// FuzzAppend: what is printed is the reference's text and reads back to the same bits.
func FuzzAppend(f *testing.F) {
	for _, v := range []float64{0, 51.37, 51.846000000000004, 1e16, 1e-5, math.Inf(-1), math.NaN(), 123456789.5, math.SmallestNonzeroFloat64} {
		f.Add(math.Float64bits(v))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		v := math.Float64frombits(bits)
		text := Append(nil, v)
		if want := referenceRepr(v); string(text) != want {
			t.Fatalf("Append(%x) = %q, want %q", bits, text, want)
		}
		back, ok := Parse(text)
		if !ok || v == v && !sameBits(back, v) || v != v && back == back {
			t.Fatalf("Parse(%q) = %v, %v; want %v", text, back, ok, v)
		}
	})
}
