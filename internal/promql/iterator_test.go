package promql

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	promstorage "github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"pgregory.net/rapid"

	"metricd/internal/storage"
)

// point is a sample by its bits.
type point struct {
	t int64
	v uint64
}

// drawPoints draws the samples of a series: some hundred, so that they take several reads of the store.
func drawPoints(t *rapid.T) []point {
	points := make([]point, rapid.IntRange(1, 1500).Draw(t, "samples"))
	at := rapid.Int64Range(-100_000, 100_000).Draw(t, "first")
	gaps := rapid.SliceOfN(rapid.Int64Range(1, 40_000), 1, 5).Draw(t, "gaps")
	for i := range points {
		v := math.Float64bits(float64(i))
		if i%97 == 5 {
			v = value.StaleNaN
		}
		points[i] = point{at, v}
		at += gaps[i%len(gaps)]
	}
	return points
}

// within returns the points in [mint, maxt].
func within(points []point, mint, maxt int64) []point {
	var found []point
	for _, p := range points {
		if mint <= p.t && p.t <= maxt {
			found = append(found, p)
		}
	}
	return found
}

// TestIterator: Next and Seek in any order give what they would over a slice, stale markers included, also where an iterator
// has been another one before.
func TestIterator(t *testing.T) {
	stores(t, func(t *testing.T, store storage.Store) {
		trials := 0
		rapid.Check(t, func(rt *rapid.T) {
			trials++
			key := fmt.Sprint("trial.", trials)
			points := drawPoints(rt)
			putPoints(t, store, key, points)
			mint := rapid.Int64Range(points[0].t-10, points[len(points)-1].t).Draw(rt, "mint")
			maxt := rapid.Int64Range(mint, points[len(points)-1].t+10).Draw(rt, "maxt")
			want := within(points, mint, maxt)
			querier, err := NewQueryable(store).Querier(mint, maxt)
			if err != nil {
				rt.Fatal(err)
			}
			defer querier.Close()
			set := querier.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchEqual, storage.MetricName, key))
			if !set.Next() {
				if len(want) != 0 || set.Err() != nil {
					rt.Fatalf("no series, want %d samples: %v", len(want), set.Err())
				}
				return
			}
			series := set.At()
			if set.Next() {
				rt.Fatal("a second series")
			}
			var it chunkenc.Iterator
			for range 3 {
				it = series.Iterator(it)
				walk(rt, it, want)
			}
		})
	})
}

func putPoints(t testing.TB, store storage.Store, key string, points []point) {
	t.Helper()
	var b storage.Batch
	for _, p := range points {
		b.Rows = append(b.Rows, storage.Row{Key: []byte(key), T: p.t, V: math.Float64frombits(p.v)})
	}
	if _, err := store.Appender().Append(&b); err != nil || len(b.Refused) > 0 {
		t.Fatalf("put %s: %v, %d refused", key, err, len(b.Refused))
	}
}

// walk moves an iterator over want by random steps, to its end.
func walk(t *rapid.T, it chunkenc.Iterator, want []point) {
	for at := -1; ; {
		var got chunkenc.ValueType
		if rapid.Bool().Draw(t, "next") {
			got = it.Next()
			at++
		} else {
			from := max(at, 0)
			to := rapid.IntRange(0, len(want)).Draw(t, "to")
			seek := int64(math.MaxInt64)
			if to < len(want) {
				seek = want[to].t - rapid.Int64Range(0, 1).Draw(t, "before")
			}
			got = it.Seek(seek)
			at = from
			for at < len(want) && want[at].t < seek {
				at++
			}
		}
		if at >= len(want) {
			if got != chunkenc.ValNone || it.Err() != nil {
				t.Fatalf("%v behind the last sample: %v", got, it.Err())
			}
			return
		}
		if got != chunkenc.ValFloat {
			t.Fatalf("%v at sample %d of %d: %v", got, at, len(want), it.Err())
		}
		if ts, v := it.At(); (point{ts, math.Float64bits(v)}) != want[at] || it.AtT() != ts || it.AtST() != 0 {
			t.Fatalf("sample %d is %d, %x, want %v", at, ts, math.Float64bits(v), want[at])
		}
	}
}

// TestWindows: range selectors, and the newest value at a time, are what a plain scan of all samples gives.
func TestWindows(t *testing.T) {
	stores(t, func(t *testing.T, store storage.Store) {
		e := New(store, Options{})
		trials := 0
		rapid.Check(t, func(rt *rapid.T) {
			trials++
			key := fmt.Sprint("trial.", trials)
			points := drawPoints(rt)
			putPoints(t, store, key, points)
			start := rapid.Int64Range(points[0].t-400_000, points[len(points)-1].t+400_000).Draw(rt, "start")
			step := rapid.Int64Range(1, 100_000).Draw(rt, "step")
			width := rapid.Int64Range(1, 1_000_000).Draw(rt, "width")
			const steps = 20
			var latest, counts []FPoint
			for at := start; at < start+steps*step; at += step {
				if seen := within(points, at-299_999, at); len(seen) > 0 && seen[len(seen)-1].v != value.StaleNaN {
					latest = append(latest, FPoint{T: at, F: math.Float64frombits(seen[len(seen)-1].v)})
				}
				seen := within(points, at-width+1, at)
				if seen = slices.DeleteFunc(seen, func(p point) bool { return p.v == value.StaleNaN }); len(seen) > 0 {
					counts = append(counts, FPoint{T: at, F: float64(len(seen))})
				}
			}
			for expr, want := range map[string][]FPoint{
				fmt.Sprintf("{%q}", key):                               latest,
				fmt.Sprintf("count_over_time({%q}[%dms])", key, width): counts,
			} {
				r, err := e.Range(t.Context(), expr, time.UnixMilli(start), time.UnixMilli(start+(steps-1)*step), time.Duration(step)*time.Millisecond, QueryOptions{})
				if err != nil {
					rt.Fatal(err)
				}
				var got []FPoint
				if m := r.Value.(Matrix); len(m) > 0 {
					got = m[0].Floats
				}
				if !slices.Equal(got, want) {
					rt.Fatalf("%s from %d by %d: got %v, want %v", expr, start, step, got, want)
				}
				r.Close()
			}
		})
	})
}

// TestSorted: asked for order, a querier gives series by their labels, each with its own samples.
func TestSorted(t *testing.T) {
	stores(t, func(t *testing.T, store storage.Store) {
		keys := strings.Fields("m;b=2 m;a=2 m;a=1;b=1 m;b=1;c=1 m m;a=1")
		for i, key := range keys {
			put(t, store, key, int64(i), 1, float64(i))
		}
		querier, err := NewQueryable(store).Querier(0, 100)
		if err != nil {
			t.Fatal(err)
		}
		defer querier.Close()
		set := querier.Select(t.Context(), true, &promstorage.SelectHints{Start: 0, End: 4}, labels.MustNewMatcher(labels.MatchEqual, storage.MetricName, "m"))
		var got []string
		for set.Next() {
			it := set.At().Iterator(nil)
			it.Next()
			_, v := it.At()
			got = append(got, keys[int(v)])
		}
		if want := strings.Fields("m m;a=1;b=1 m;a=2 m;b=1;c=1 m;b=2"); !slices.Equal(got, want) || set.Err() != nil {
			t.Errorf("got %q, want %q, %v", got, want, set.Err())
		}
	})
}
