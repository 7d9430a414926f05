package collect

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// TestStore puts rounds into an engine, which refuses one series of them.
func TestStore(t *testing.T) {
	db, err := tsdb.Open(tsdb.Options{Dir: t.TempDir(), MaxSeries: 1})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := NewStorer(db, logTo(&log))
	for i := range 3 {
		r := round(i, 1)
		r.Samples = append(r.Samples, Sample{"host.y", 5})
		s.Take(t.Context(), r)
	}
	set := db.Select(t.Context(), storage.Query{Key: "host.x", Mint: math.MinInt64, Maxt: math.MaxInt64})
	defer set.Close()
	if !set.Next() {
		t.Fatalf("nothing is stored: %v", set.Err())
	}
	var got []int64
	for it := set.At().Iterator(nil); it.Next(); {
		at, v := it.At()
		got = append(got, at)
		if want := float64(at / 10_000); v != want {
			t.Errorf("%v at %d, want %v", v, at, want)
		}
	}
	if len(got) != 3 || got[2] != 20_000 {
		t.Errorf("got samples at %v", got)
	}
	if n := strings.Count(log.String(), "not stored"); n != 1 || !strings.Contains(log.String(), "series limit reached") {
		t.Errorf("want one line about the limit in a minute:\n%s", &log)
	}
	if s.lost.samples != 2 {
		t.Errorf("%d refused samples are still to be said, want 2", s.lost.samples)
	}
	set.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s.Take(t.Context(), round(3, 1)) // the server is ending
}
