package blocks

import (
	"bytes"
	"cmp"
	"math"
	"testing"
)

// FuzzChunkKey: keys sort as what they stand for, read back, and lie in the range of their window.
func FuzzChunkKey(f *testing.F) {
	f.Add(int64(0), uint64(0), int64(0), int64(-1), uint64(1), int64(-1))
	f.Add(int64(math.MinInt64), uint64(math.MaxUint64), int64(math.MaxInt64), int64(math.MaxInt64), uint64(0), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, w1 int64, id1 uint64, t1 int64, w2 int64, id2 uint64, t2 int64) {
		var k1, k2 chunkKey
		a, b := k1.set(w1, id1, t1), k2.set(w2, id2, t2)
		if got, want := bytes.Compare(a, b), cmp.Or(cmp.Compare(w1, w2), cmp.Compare(id1, id2), cmp.Compare(t1, t2)); got != want {
			t.Errorf("%x and %x compare as %d, want %d", a, b, got, want)
		}
		w, id, first, err := parseChunkKey(a)
		if w != w1 || id != id1 || first != t1 || err != nil {
			t.Errorf("%x reads %d, %d, %d, %v", a, w, id, first, err)
		}
		start, end := windowRange(min(w1, w2), max(w1, w2))
		for _, k := range [][]byte{a, b} {
			if bytes.Compare(k, start) < 0 || bytes.Compare(k, end) >= 0 {
				t.Errorf("%x is not in [%x, %x)", k, start, end)
			}
		}
		_, end = windowRange(w1, w1)
		if got, want := bytes.Compare(b, end) >= 0, w2 > w1; got != want {
			t.Errorf("%x behind %x: %v, want %v", b, end, got, want)
		}
		if got, err := parseSeriesKey(seriesKey(id1)); got != id1 || err != nil {
			t.Errorf("id %d reads %d, %v", id1, got, err)
		}
	})
}

// FuzzParseKey: any bytes are a key that makes the same bytes, or an error.
func FuzzParseKey(f *testing.F) {
	var k chunkKey
	f.Add(k.set(1, 2, 3))
	f.Add(seriesKey(4))
	f.Add([]byte("c/"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, id, first, err := parseChunkKey(b); err == nil && !bytes.Equal(k.set(w, id, first), b) {
			t.Errorf("%x is read as %d, %d, %d", b, w, id, first)
		}
		if id, err := parseSeriesKey(b); err == nil && !bytes.Equal(seriesKey(id), b) {
			t.Errorf("%x is read as %d", b, id)
		}
	})
}
