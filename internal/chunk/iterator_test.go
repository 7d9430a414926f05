package chunk

import (
	"math"
	"math/rand/v2"
	"testing"
)

// model is an iterator that goes through the samples one by one.
type model struct {
	series
	pos int
}

func (m *model) next() bool {
	m.pos = min(m.pos+1, len(m.times))
	return m.pos < len(m.times)
}

func (m *model) skipTo(t int64) bool {
	m.pos = max(m.pos, 0)
	for m.pos < len(m.times) && m.times[m.pos] < t {
		m.pos++
	}
	return m.pos < len(m.times)
}

// checkSkips moves over the samples in random ways, and compares with the model.
func checkSkips(t *testing.T, r *rand.Rand, s series, it *Iterator, src []byte) {
	t.Helper()
	if err := it.Reset(src); err != nil {
		t.Fatal(err)
	}
	m := &model{s, -1}
	reach := int64(1) << r.IntN(40)
	for {
		var got, want bool
		if r.IntN(3) == 0 {
			got, want = it.Next(), m.next()
		} else {
			from := s.times[max(m.pos, 0)]
			to := from + r.Int64N(2*reach) - reach/2
			switch {
			case r.IntN(100) == 0:
				to = s.times[len(s.times)-1] + int64(r.IntN(2))
			case r.IntN(100) == 0:
				to = math.MinInt64
			}
			got, want = it.SkipTo(to), m.skipTo(to)
		}
		if got != want || it.Err() != nil {
			t.Fatalf("at sample %d of %d: %v, %v, want %v", m.pos, len(s.times), got, it.Err(), want)
		}
		if !want {
			break
		}
		if at, v := it.At(); at != s.times[m.pos] || math.Float64bits(v) != math.Float64bits(s.values[m.pos]) {
			t.Fatalf("at sample %d: %d %v, want %d %v", m.pos, at, v, s.times[m.pos], s.values[m.pos])
		}
	}
	if it.Next() || it.SkipTo(math.MinInt64) || it.SkipTo(math.MaxInt64) || it.Err() != nil {
		t.Fatal("moved behind the end")
	}
}

func TestSkipTo(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var e Encoder
	var it Iterator
	for _, set := range makeSets() {
		for _, n := range []int{1, 2, 3, 100, 1024, 2000} {
			s := set.series[0].runs(n)[1]
			src := e.Append(nil, s.times, s.values)
			for range 200 {
				checkSkips(t, r, s, &it, src)
			}
		}
	}
	for range 300 {
		data := make([]byte, 1000+r.IntN(8000))
		for i := range data {
			data[i] = byte(r.Uint32()) & 0xfb // no large distances
		}
		var s series
		s.times, s.values = fromBytes(data)
		checkSkips(t, r, s, &it, e.Append(nil, s.times, s.values))
	}
}

func TestSkipToBeforeNext(t *testing.T) {
	times := every(3, 10)
	src := new(Encoder).Append(nil, times, []float64{1, 2, 3})
	tests := []struct{ to, at int64 }{
		{math.MinInt64, times[0]},
		{times[0], times[0]},
		{times[0] + 1, times[1]},
		{times[2], times[2]},
	}
	for _, test := range tests {
		var it Iterator
		it.Reset(src)
		if !it.SkipTo(test.to) {
			t.Errorf("SkipTo(%d) found nothing", test.to)
		} else if at, _ := it.At(); at != test.at {
			t.Errorf("SkipTo(%d) is at %d, want %d", test.to, at, test.at)
		}
	}
}
