package chunk

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"metricd/internal/decimal"
)

// checkRoundTrip encodes the samples, decodes them in every way, and returns the chunk.
func checkRoundTrip(tb testing.TB, times []int64, values []float64) []byte {
	tb.Helper()
	var e Encoder
	src := e.Append(nil, times, values)
	checkDecodes(tb, src, times, values)
	return src
}

// checkDecodes decodes src in every way and compares with what it should be.
func checkDecodes(tb testing.TB, src []byte, times []int64, values []float64) {
	tb.Helper()
	n := len(times)
	if h, err := ReadHeader(src); err != nil || h != (Header{n, times[0], times[n-1]}) {
		tb.Fatalf("ReadHeader = %v, %v; want %d samples from %d to %d", h, err, n, times[0], times[n-1])
	}
	var d Decoder
	ts, vs, err := d.Append([]int64{7}, []float64{7}, src)
	if err != nil || len(ts) != n+1 || len(vs) != n+1 || ts[0] != 7 || vs[0] != 7 {
		tb.Fatalf("Append = %d times, %d values, %v; want %d more than 1", len(ts), len(vs), err, n)
	}
	var it Iterator
	if err := it.Reset(src); err != nil {
		tb.Fatalf("Reset: %v", err)
	}
	for i, v := range values {
		bits := math.Float64bits(v)
		if ts[i+1] != times[i] || math.Float64bits(vs[i+1]) != bits {
			tb.Fatalf("Append: sample %d of %d is %d %x, want %d %x", i, n, ts[i+1], math.Float64bits(vs[i+1]), times[i], bits)
		}
		if !it.Next() {
			tb.Fatalf("Next ended before sample %d of %d: %v", i, n, it.Err())
		}
		if t, w := it.At(); t != times[i] || math.Float64bits(w) != bits {
			tb.Fatalf("Next: sample %d of %d is %d %x, want %d %x", i, n, t, math.Float64bits(w), times[i], bits)
		}
		if got, want := string(it.AppendValue(nil)), string(decimal.Append(nil, v)); got != want {
			tb.Fatalf("AppendValue of sample %d, %x: %q, want %q", i, bits, got, want)
		}
	}
	if it.Next() || it.Err() != nil {
		tb.Fatalf("Next behind the last sample: %v", it.Err())
	}
}

// fromBytes makes samples of all kinds, 1 to MaxSamples, from any bytes.
func fromBytes(data []byte) (times []int64, values []float64) {
	take := func(n int) uint64 {
		var word [8]byte
		data = data[copy(word[:n], data):]
		return binary.LittleEndian.Uint64(word[:])
	}
	power := math.Pow10(int(take(1) % 24))
	step := take(1)*1000 + 1
	t, m, v := int64(take(8)), int64(0), 0.0
	for len(times) < MaxSamples {
		times, values = append(times, t), append(values, v)
		if len(data) == 0 {
			break
		}
		op := take(1)
		distance := step
		switch op & 7 {
		case 1:
			distance = take(1) + 1
		case 2:
			distance = take(8)
		case 3:
			distance = step * (take(1) + 1)
		}
		if next := t + int64(distance); next > t {
			t = next
		} else if t < math.MaxInt64 {
			t++
		} else {
			break
		}
		switch op >> 3 & 7 {
		case 0, 1:
			m += int64(int8(take(1)))
			v = float64(m) / power
		case 2:
			m = int64(take(8)) >> (take(1) & 63)
			v = float64(m) / power
		case 3:
			v = math.Float64frombits(math.Float64bits(v) + uint64(int8(take(1))))
		case 4:
			v = math.Float64frombits(take(8))
		case 5:
			v = math.Float64frombits(specials[take(1)%uint64(len(specials))])
		}
	}
	return times, values
}

func TestRandomRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		data := make([]byte, 10+r.IntN(1<<r.IntN(14)))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		// Most bytes equal make long runs of one kind.
		if op := byte(r.Uint32()); r.IntN(2) == 0 {
			for i := 10; i < len(data); i++ {
				if r.IntN(16) != 0 {
					data[i] = op
				}
			}
		}
		times, values := fromBytes(data)
		checkRoundTrip(t, times, values)
	}
}

func TestSets(t *testing.T) {
	for _, set := range sets(t) {
		for _, n := range []int{1024, 512, 128, 16, 8, 4, 2, 1} {
			t.Run(fmt.Sprintf("%s/%d", set.name, n), func(t *testing.T) {
				bytes, samples := 0, 0
				for _, s := range set.series {
					for i, r := range s.runs(n) {
						if n <= 16 && i > 200 {
							break
						}
						bytes += len(checkRoundTrip(t, r.times, r.values))
						samples += len(r.times)
					}
				}
				t.Logf("%s, runs of %d: %.3f bytes a sample", set.name, n, float64(bytes)/float64(samples))
			})
		}
	}
}

// edges are values that a codec may get wrong.
var edges = []float64{
	0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.NaN(), math.Float64frombits(0x7ff0000000000002),
	math.Float64frombits(0xfff8000000000123), math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 2.2250738585072014e-308,
	math.MaxFloat64, -math.MaxFloat64, 1e308, 1e22, 1e23, 1e16, 123456789012345680, 9007199254740991, 9007199254740992, 9007199254740994,
	math.MaxInt64, math.MinInt64, 1 << 62, -(1 << 52), 1<<52 + 1, 4503599627370497.5, 0.1, 1e-4, 0.0001234, 0.00001, 1.5e-7, 1e-18, 1e-19,
	51.846000000000004, 0.30000000000000004, 99999999, 100000000, 99999.999, 1e15, 1e15 - 1, 1e15 + 1, math.Pi,
}

func TestEdgeValues(t *testing.T) {
	for _, v := range edges {
		checkRoundTrip(t, every(1, 1), []float64{v})
		for _, n := range []int{2, 3, 5, 100, 1000} {
			same := make([]float64, n)
			for i := range same {
				same[i] = v
			}
			checkRoundTrip(t, every(n, 1), same)
			for _, other := range edges {
				mixed := append([]float64(nil), same...)
				for i := n / 3; i < n; i += 7 {
					mixed[i] = other
				}
				checkRoundTrip(t, every(n, 1), mixed)
			}
			if n > 5 {
				break
			}
		}
	}
	checkRoundTrip(t, every(len(edges), 1), edges)
}

func TestEdgeTimes(t *testing.T) {
	const low, high = math.MinInt64, math.MaxInt64
	tests := [][]int64{
		{low},
		{high},
		{0},
		{-1},
		{-1000},
		{low, high},
		{low, low + 1},
		{high - 1, high},
		{low, 0, high},
		{low, low + 1, high},
		{low, high - 1, high},
		{-9e18, 9e18},
		{-9e18, 0, 9e18},
		{-9e18, -9e18 + 1, 5, 9e18 - 1, 9e18},
		{-1000, 0, 1000, 2000},
		{-3000, 0, 1000, 2000},
		{-3, 0, 1},
		{low, -1, 0, 1, high},
		{-high, 0, high},
		{low + 808, low + 1808, low + 2808},
	}
	for _, times := range tests {
		checkRoundTrip(t, times, make([]float64, len(times)))
		values := make([]float64, len(times))
		for i := range values {
			values[i] = float64(i)
		}
		checkRoundTrip(t, times, values)
	}
}

func TestLargest(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	times, values := every(MaxSamples, 15), make([]float64, MaxSamples)
	for i := range values {
		times[i] += r.Int64N(15000)
		values[i] = cents(r.NormFloat64())
	}
	checkRoundTrip(t, times, values)
	for i := range values {
		values[i] = math.Float64frombits(r.Uint64())
	}
	checkRoundTrip(t, times, values)
}

func TestMissedScrapesAreCheap(t *testing.T) {
	times, values := every(1024, 15), make([]float64, 1024)
	var e Encoder
	steady := len(e.Append(nil, times, values))
	for i := range times {
		times[i] += int64(i/400)*15000 + int64(i/500%2)*3
	}
	times[700] += 40
	if got := len(e.Append(nil, times, values)); got > steady+30 {
		t.Errorf("a run with two missed scrapes and three late ones takes %d bytes, without them %d", got, steady)
	}
}

func TestRareDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	values := make([]float64, 1024)
	for i := range values {
		values[i] = float64(r.IntN(1000))
	}
	var e Encoder
	whole := len(e.Append(nil, every(1024, 10), values))
	for i := 2; i < len(values); i += 10 { // none of those that chooseExponent looks at
		if rest := i * exponentSample % len(values); rest > 0 && rest <= len(values)-exponentSample {
			values[i] += 0.5
		}
	}
	if got := len(e.Append(nil, every(1024, 10), values)); got > whole+1024/2 {
		t.Errorf("integers take %d bytes, with some halves among them %d", whole, got)
	}
}

func TestEncoderRefuses(t *testing.T) {
	tests := []struct {
		name   string
		times  []int64
		values []float64
	}{
		{"no samples", nil, nil},
		{"more times", []int64{1, 2}, []float64{1}},
		{"too many", make([]int64, MaxSamples+1), make([]float64, MaxSamples+1)},
		{"equal times", []int64{1, 1}, []float64{1, 2}},
		{"descending times", []int64{1, 3, 2}, []float64{1, 2, 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "BUG: chunk: ") {
					t.Errorf("panic %q, want one that says BUG", text)
				}
			}()
			var e Encoder
			e.Append(nil, test.times, test.values)
		})
	}
}

func TestAllocatesNothing(t *testing.T) {
	for _, set := range makeSets() {
		run := set.series[0].runs(1024)[3]
		var e Encoder
		var d Decoder
		var it Iterator
		dst := e.Append(nil, run.times, run.values)
		src := append([]byte(nil), dst...)
		times, values, _ := d.Append(nil, nil, src)
		it.Reset(src)
		for it.Next() {
		}
		text := make([]byte, 0, 64)
		if n := testing.AllocsPerRun(10, func() { dst = e.Append(dst[:0], run.times, run.values) }); n != 0 {
			t.Errorf("%s: Encoder.Append allocates %v times", set.name, n)
		}
		if n := testing.AllocsPerRun(10, func() { times, values, _ = d.Append(times[:0], values[:0], src) }); n != 0 {
			t.Errorf("%s: Decoder.Append allocates %v times", set.name, n)
		}
		if n := testing.AllocsPerRun(10, func() {
			it.Reset(src)
			for it.Next() {
				text = it.AppendValue(text[:0])
			}
		}); n != 0 {
			t.Errorf("%s: Iterator allocates %v times", set.name, n)
		}
	}
}
