package promql

import (
	"context"
	"path/filepath"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// stores calls f with an empty store in memory, and with one on disk that flushes all the time.
func stores(t *testing.T, f func(*testing.T, storage.Store)) {
	t.Run("memory", func(t *testing.T) { f(t, open(t, tsdb.Options{})) })
	t.Run("disk", func(t *testing.T) {
		f(t, open(t, tsdb.Options{Dir: filepath.Join(t.TempDir(), "data"), FlushLog: 1, FlushHead: 1}))
	})
}

func open(t testing.TB, o tsdb.Options) storage.Store {
	t.Helper()
	db, err := tsdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// put appends values to the series key: the first at time start, each other step milliseconds later.
func put(t testing.TB, store storage.Store, key string, start, step int64, values ...float64) {
	t.Helper()
	var b storage.Batch
	for i, v := range values {
		b.Rows = append(b.Rows, storage.Row{Key: []byte(key), T: start + int64(i)*step, V: v})
	}
	if _, err := store.Appender().Append(&b); err != nil || len(b.Refused) > 0 {
		t.Fatalf("put %s: %v, %d refused", key, err, len(b.Refused))
	}
}

// count returns first, first+1, … n of them.
func count(first float64, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = first + float64(i)
	}
	return values
}

// hooked is a Store that something happens to. Hooks that are nil do nothing.
type hooked struct {
	storage.Store
	onSelect func(context.Context, storage.Query) // when a Select begins
	onSample func(n int) error                    // before the n-th sample of an iterator, counted from 0: an error ends it
}

func (s *hooked) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	if s.onSelect != nil {
		s.onSelect(ctx, q)
	}
	return &hookedSet{s.Store.Select(ctx, q), s}
}

type hookedSet struct {
	storage.SeriesSet
	store *hooked
}

func (s *hookedSet) At() storage.Series { return hookedSeries{s.SeriesSet.At(), s.store} }

type hookedSeries struct {
	storage.Series
	store *hooked
}

func (s hookedSeries) Iterator(storage.Iterator) storage.Iterator {
	return &hookedIterator{Iterator: s.Series.Iterator(nil), store: s.store}
}

type hookedIterator struct {
	storage.Iterator
	store *hooked
	n     int
	err   error
}

func (it *hookedIterator) hook() bool {
	if it.store.onSample != nil && it.err == nil {
		it.err = it.store.onSample(it.n)
	}
	it.n++
	return it.err == nil
}

func (it *hookedIterator) Next() bool          { return it.hook() && it.Iterator.Next() }
func (it *hookedIterator) SkipTo(t int64) bool { return it.hook() && it.Iterator.SkipTo(t) }

func (it *hookedIterator) Err() error {
	if it.err != nil {
		return it.err
	}
	return it.Iterator.Err()
}
