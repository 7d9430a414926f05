package chunk

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

// A pinned is samples and the chunk that they make.
type pinned struct {
	name string
	series
	kind byte   // of the values
	hex  string // the chunk
}

// golden returns chunks of each kind. They are stored in databases: what they decode to must not change while
// the version is the same.
func golden() []pinned {
	pi := func(n int) []float64 {
		vs := make([]float64, n)
		for i := range vs {
			vs[i] = math.Float64frombits(math.Float64bits(math.Pi) + uint64(i*i)<<20)
		}
		return vs
	}
	clustered := func() []float64 {
		vs := make([]float64, 96)
		for i := range vs {
			vs[i] = float64(i*i*i%7) + float64(i*i%97/89*(i*7919%1000))
		}
		return vs
	}
	squares := make([]float64, 12)
	for i := range squares {
		squares[i] = float64(i*i*100 + i%2)
	}
	late := every(12, 15)
	late[5] += 30
	late[9] += 2
	return []pinned{
		{"one sample", series{[]int64{1503319740000}, []float64{12}}, kindConstant, "51f8dad6990b008003"},
		{"milliseconds", series{[]int64{-5, -4}, []float64{0.5, 0.5}}, kindConstant, "42090100a101"},
		{"constant", series{every(5, 10), []float64{51.37, 51.37, 51.37, 51.37, 51.37}}, kindConstant, "5580c49fd50c0a00a2840a"},
		{"late times", series{late, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}, kindConstant, "7c80c49fd50ca501c405f4e90102efbde7c17bd03d0020"},
		{"raw", series{every(2, 10), []float64{math.Pi, -math.E * 1e300}}, kindRaw, "5280c49fd50c0a01182d4454fb2109404491b5e1693c50fe"},
		{"ordered", series{every(6, 10), pi(6)}, kindOrdered, "5680c49fd50c0a0280b0b4a1c4eafe908980018080800180808002"},
		{"integers", series{every(6, 10), []float64{100, 110, 120, 90, 130, 110}}, kindDecimal, "5680c49fd50c0a40c403b4010ad14001"},
		{"cents", series{every(6, 10), []float64{51.37, 51.4, 50.99, 51, 51.2, 51.33}}, kindDecimal + 2, "5680c49fd50c0a4206d64f660a049508"},
		{"counter", series{every(6, 10), []float64{1000000, 1000013, 1000029, 1000031, 1000049, 1000060}}, kindDecimal, "5680c49fd50c0a404580897a04cb019800"},
		{"second order", series{every(12, 10), squares}, kindDecimal, "5c80c49fd50c0a40c60100ca018c0304aa02"},
		{"patched", series{every(20, 10), []float64{1, 2, 1, 3, 1, 2, 1, 1e9, 1, 2, 3, 1, 2, 1, 1, 2, 3, 1, 2, 1}}, kindDecimal, "501480c49fd50c0a40d002020107fea7d6b9078404244112"},
		{"residuals", series{every(5, 10), []float64{51.846000000000004, 49.553999999999995, 45.822, 46.768, 50.71}}, kindDecimal + kindResiduals + 3, "5580c49fd50c0a63c40cfccb0502c4ab7400901d8c0902015201"},
		{"exceptions", series{every(5, 10), []float64{51.8, math.NaN(), 45.8, math.Copysign(0, -1), 50.7}}, kindDecimal + kindExceptions + 1, "5580c49fd50c0ac10201010000000000f87f0100000000000000800694073c0f0031"},
		{"bins", series{every(96, 10), clustered()}, kindDecimal, "506080c49fd50c0a40c80a000a0a0a0aff579003ac96da01237d7ef4afad91cec100d2d519a91d31e9d78d006adef6087bfc466aa4008dd4485d604f7fa3d500"},
	}
}

func TestGolden(t *testing.T) {
	for _, g := range golden() {
		t.Run(g.name, func(t *testing.T) {
			src, err := hex.DecodeString(strings.ReplaceAll(g.hex, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			if got := new(Encoder).Append(nil, g.times, g.values); string(got) != string(src) {
				t.Errorf("encoded as %x", got)
			}
			checkDecodes(t, src, g.times, g.values)
			var d decoder
			if err := d.reset(src); err != nil || d.values.kind != g.kind {
				t.Errorf("kind %#x, want %#x (%v)", d.values.kind, g.kind, err)
			}
		})
	}
}
