package promql

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"metricd/internal/storage"
)

// TestConcurrent: queries and look-ups on many goroutines beside a writer each see whole answers: a series that grows by one a second
// has a rate of one, and no sample is missing or there twice.
func TestConcurrent(t *testing.T) {
	const seconds, readers = 100, 8
	stores(t, func(t *testing.T, store storage.Store) {
		e := New(store, Options{MaxConcurrent: 4})
		put(t, store, "x;i=0", 0, 1000, 0, 1)
		written, done := make(chan struct{}), sync.WaitGroup{}
		done.Go(func() {
			defer close(written)
			app := store.Appender()
			for s := range int64(seconds) {
				var b storage.Batch
				for i := range 5 {
					b.Rows = append(b.Rows, storage.Row{Key: fmt.Append(nil, "x;i=", i), T: s * 1000, V: float64(s)})
				}
				if _, err := app.Append(&b); err != nil || len(b.Refused) > 0 {
					t.Error(err, len(b.Refused))
					return
				}
			}
		})
		for range readers {
			done.Go(func() {
				for {
					last := false
					select {
					case <-written:
						last = true
					default:
					}
					check(t, e)
					if last {
						return
					}
				}
			})
		}
		done.Wait()
		r, err := e.Instant(t.Context(), "sum(count_over_time(x[10m]))", at(seconds-1), QueryOptions{})
		if err != nil || r.Value.(Vector)[0].F != 5*seconds {
			t.Errorf("after all was written: %v, %v", r, err)
		}
	})
}

// check asks for what TestConcurrent writes.
func check(t *testing.T, e *Engine) {
	r, err := e.Range(t.Context(), "delta(x[20s:1s])", at(0), at(100), 10*time.Second, QueryOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	r.Close()
	r, err = e.Instant(t.Context(), "x[10m]", at(599), QueryOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	for _, s := range r.Value.(Matrix) {
		for i, p := range s.Floats {
			if want := int64(i) * 1000; p.T != want || p.F != float64(i) {
				t.Errorf("%s: sample %d is %v at %d", s.Metric, i, p.F, p.T)
				break
			}
		}
	}
	r.Close()
	names, err := e.LabelNames(t.Context(), Selection{Match: []string{"x"}, Mint: storage.MinTime, Maxt: storage.MaxTime})
	if err != nil || len(names.Found) != 2 {
		t.Errorf("label names %v, %v", names, err)
	}
}
