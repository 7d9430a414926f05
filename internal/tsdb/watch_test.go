package tsdb

import (
	"fmt"
	"slices"
	"testing"

	"metricd/internal/storage"
)

// appendRows appends n rows of series in turn, weights[i] of series i in each turn, from the time at (ms) on.
func appendRows(t *testing.T, a storage.Appender, n int, at int64, weights ...int) {
	t.Helper()
	var b storage.Batch
	for i := 0; i < n; {
		for series, weight := range weights {
			for range weight {
				b.Rows = append(b.Rows, storage.Row{Key: fmt.Appendf(nil, "s%d", series), T: at + int64(i), V: 1})
				i++
			}
		}
		if len(b.Rows) >= 1000 || i >= n {
			if _, err := a.Append(&b); err != nil || len(b.Refused) > 0 {
				t.Fatal(err, b.Refused)
			}
			b.Rows = b.Rows[:0]
		}
	}
}

// TestWatch: a few rows are counted exactly: those between the two calls, by series, and neither refused ones nor series that ended.
func TestWatch(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	a := db.Appender()
	appendRows(t, a, 60, 1, 1, 2, 3, 4)
	end, endOther := db.Watch(), db.Watch()
	appendRows(t, a, 100, 1000, 1, 2, 3, 4)
	b := storage.Batch{Rows: []storage.Row{{Key: []byte("s0"), T: storage.MaxTime + 1}, {Key: []byte("s0"), T: 5000}, {Key: []byte("new"), T: 1}}}
	if _, err := a.Append(&b); err != nil || len(b.Refused) != 1 {
		t.Fatal(err, b.Refused)
	}
	q := always()
	q.Key = "s2"
	if err := db.Delete(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	want := []storage.BusySeries{{Key: "s3", Rows: 40}, {Key: "s1", Rows: 20}, {Key: "s0", Rows: 11}}
	if got := end(3); !got.Exact || !slices.Equal(got.Series, want) {
		t.Errorf("got %+v, want %v", got, want)
	}
	if got := end(3); len(got.Series) > 0 {
		t.Errorf("a second end says %v", got)
	}
	appendRows(t, a, 10, 10_000, 1)
	if got := endOther(1); !slices.Equal(got.Series, want[:1]) {
		t.Errorf("the other watch says %v, want %v", got.Series, want[:1])
	}
	if n := len(db.mu.watches); n > 0 {
		t.Errorf("%d watches are left", n)
	}
}

// TestWatchMany: of many rows only some are looked at, and the estimate is right to its standard error, which is allowed ten times.
func TestWatchMany(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	const rows = 1_000_000
	w := db.Watch()
	seen := db.mu.watches[0]
	appendRows(t, db.Appender(), rows, 1, 1, 1, 2, 4, 8) // whole batches are alike
	if n := len(seen.seen); n != 5 {
		t.Errorf("%d series were seen", n)
	}
	times := int64(0)
	for _, s := range seen.seen {
		times += s.times
	}
	if most := int64(8 * watchPiece); times > most {
		t.Errorf("%d of %d rows were looked at, want %d at most", times, rows, most)
	}
	got := w(2)
	if got.Exact || len(got.Series) != 2 {
		t.Fatalf("got %+v", got)
	}
	for i, want := range []storage.BusySeries{{Key: "s4", Rows: rows / 2}, {Key: "s3", Rows: rows / 4}} {
		if g := got.Series[i]; g.Key != want.Key || max(g.Rows-want.Rows, want.Rows-g.Rows) > want.Rows/5 {
			t.Errorf("got %v, want %v or so", g, want)
		}
	}
}

// TestWatchClosed: a store that is closed meanwhile has nothing to tell.
func TestWatchClosed(t *testing.T) {
	db := mustOpen(t, Options{})
	end := db.Watch()
	putKeys(t, db, "a")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := end(10); len(got.Series) > 0 {
		t.Errorf("got %v", got)
	}
}

// BenchmarkAppendWatched appends 1,000 series in turn, with nobody watching, and with one.
func BenchmarkAppendWatched(b *testing.B) {
	for _, watched := range []bool{false, true} {
		b.Run(fmt.Sprintf("watched=%v", watched), func(b *testing.B) {
			db, _ := Open(Options{}) // it has no reason to fail
			defer db.Close()
			a := db.Appender()
			batch := &storage.Batch{}
			for i := range 1000 {
				batch.Rows = append(batch.Rows, storage.Row{Key: fmt.Appendf(nil, "host_%04d.cpu", i), V: 1.5})
			}
			if watched {
				end := db.Watch()
				defer end(1)
			}
			for b.Loop() {
				for i := range batch.Rows {
					batch.Rows[i].T += 1000
				}
				if _, err := a.Append(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
		})
	}
}
