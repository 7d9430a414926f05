package decimal

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// mixSize is how many values a mix holds: enough that the branch predictor does not learn
// their order by heart.
const mixSize = 1 << 14

// A mix is what one kind of series holds.
type mix struct {
	name   string
	values []float64
}

// mixes returns the kinds of values that are measured.
func mixes() []mix {
	r := rand.New(rand.NewPCG(1, 2))
	fill := func(next func() float64) []float64 {
		vs := make([]float64, mixSize)
		for i := range vs {
			vs[i] = next()
		}
		return vs
	}
	round := func(v float64, k int) float64 { return math.Round(v*pow10[k]) / pow10[k] }
	at := 50.0
	return []mix{
		{"walk", fill(func() float64 { at = round(math.Abs(at+r.NormFloat64()), 2); return at })},
		{"lengths", fill(func() float64 { return round(r.Float64()*pow10[r.IntN(5)], r.IntN(4)) })},
		{"integers", fill(func() float64 { return float64(r.IntN(int(pow10[1+r.IntN(10)]))) })},
		{"real", fill(func() float64 { // the decimals of the Numenta benchmark's series, and how frequent they are
			switch p := r.IntN(100); {
			case p < 27:
				return float64(r.IntN(100000))
			case p < 69:
				return round(r.Float64()*100, 1+r.IntN(4))
			case p < 90:
				return round(r.Float64()*100, 8)
			}
			return math.Nextafter(round(r.Float64()*100, 3), 1000)
		})},
		{"17digits", fill(func() float64 { return r.Float64() * 100 })},
	}
}

// lines returns the values of a mix as they stand in put lines, and where each begins.
func (m mix) lines() (text []byte, at []int) {
	for _, v := range m.values {
		at = append(at, len(text))
		text = strconv.AppendFloat(text, v, 'f', -1, 64)
		text = append(text, " 1503319740\n"...)
	}
	return text, at
}

func BenchmarkScan(b *testing.B) {
	for _, m := range mixes() {
		text, at := m.lines()
		b.Run(m.name, func(b *testing.B) {
			var sum float64
			for i := 0; b.Loop(); i++ {
				v, _ := Scan(text[at[i&(mixSize-1)]:])
				sum += v
			}
			benchSink = sum
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, m := range mixes() {
		var tokens [][]byte
		for _, v := range m.values {
			tokens = append(tokens, strconv.AppendFloat(nil, v, 'f', -1, 64))
		}
		b.Run(m.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				Parse(tokens[i&(mixSize-1)])
			}
		})
		b.Run("strconv/"+m.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				strconv.ParseFloat(string(tokens[i&(mixSize-1)]), 64)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, m := range mixes() {
		buf := make([]byte, 0, 64)
		b.Run(m.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				buf = Append(buf[:0], m.values[i&(mixSize-1)])
			}
		})
		b.Run("strconv/"+m.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				buf = strconv.AppendFloat(buf[:0], m.values[i&(mixSize-1)], 'f', -1, 64)
			}
		})
	}
}

// benchSink keeps results from being optimised away.
var benchSink float64
