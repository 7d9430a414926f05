package tsdb

import (
	"math/rand/v2"
	"testing"
)

// TestShortestDecimal: every decimal that is short enough is found, and none that is shorter is another float64.
func TestShortestDecimal(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1_000_000 {
		want := byte(r.IntN(11))
		m := r.Uint64() >> (22 + r.IntN(41)) // below maxLongInteger
		for want > 0 && m%10 == 0 {
			m /= 10
			want--
		}
		v := float64(m) / recordPowers[want]
		if gotM, k := shortestDecimal(v); v < 400 && (gotM != m || k != want) {
			t.Fatalf("%v: got %d / 10^%d, want %d / 10^%d", v, gotM, k, m, want)
		}
	}
}

func TestVarint(t *testing.T) {
	for shift := range 65 {
		for _, x := range []uint64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			b := make([]byte, maxVarint+1)
			n := putVarint(b, 1, x)
			for _, more := range []int{0, 1, 20} {
				r := recordReader{b: append(b[:n:n], make([]byte, more)...), at: 1}
				if got := r.varint(); got != x || r.at != n || r.wrong != "" {
					t.Errorf("%#x: read %#x to byte %d (%s), want byte %d", x, got, r.at, r.wrong, n)
				}
			}
			r := recordReader{b: b[:n-1], at: 1}
			if r.varint(); r.wrong == "" {
				t.Errorf("%#x cut off: no error", x)
			}
		}
	}
}
