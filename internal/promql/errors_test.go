package promql

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// kindOf returns the kind of an error of this package, and what it says.
func kindOf(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e
}

func TestErrors(t *testing.T) {
	store := open(t, tsdb.Options{})
	fill(t, store)
	e := New(store, Options{})
	minute := func(expr string) error {
		_, err := e.Range(t.Context(), expr, at(0), at(585), time.Minute, QueryOptions{})
		return err
	}
	_, tooMany := New(store, Options{MaxSamples: 25}).Instant(t.Context(), "count_over_time(palm.cpu[20m])", at(585), QueryOptions{})
	for _, tt := range []struct {
		name       string
		err        error
		kind       Kind
		text       string
		start, end int
	}{
		{"syntax", minute("sum(palm.cpu) by"), BadData, "1:17: parse error: unexpected end of input in grouping opts, expected \"(\"", 16, 16},
		{"function", minute("1 + nothing(x)"), BadData, `1:5: parse error: unknown function with name "nothing"`, 4, 11},
		{"experimental", minute("mad_over_time(x[1m])"), BadData, `1:1: parse error: function "mad_over_time" is not enabled`, 0, 13},
		{"type", minute("x[5m]"), BadData, `invalid expression type "range vector" for range query, must be Scalar or instant Vector`, 0, 0},
		{"samples", minute("cpu + on() cpu"), Execution, "", 0, 0},
		{"too many", tooMany, TooManySamples, "query processing would load too many samples into memory in query execution", 0, 0},
	} {
		if tt.err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		got := kindOf(t, tt.err)
		if got.Kind != tt.kind || tt.text != "" && got.Error() != tt.text || got.Start != tt.start || got.End != tt.end {
			t.Errorf("%s: kind %d, %d to %d: %v", tt.name, got.Kind, got.Start, got.End, got)
		}
	}
	for _, step := range []time.Duration{0, -1, time.Microsecond} {
		if _, err := e.Range(t.Context(), "x", at(0), at(1), step, QueryOptions{}); kindOf(t, err).Kind != BadData {
			t.Errorf("step %v: %v", step, err)
		}
	}
	if _, err := e.Range(t.Context(), "x", at(1), at(0), time.Second, QueryOptions{}); kindOf(t, err).Kind != BadData {
		t.Errorf("end before start: %v", err)
	}
}

// TestStoreErrors: whatever the store says wherever it says it, the query fails and says it, too.
func TestStoreErrors(t *testing.T) {
	broken := fmt.Errorf("%w: it burns", storage.ErrFailed)
	exprs := []string{
		"x", "x[10m]", "rate(x[10m])", "timestamp(x)", "last_over_time(x[10m])", "sum(x)", "x offset 1m", "max_over_time(x[10m:1m])",
		"absent(x)", "increase(x[5m] anchored)", "rate(x[5m] smoothed)", "x smoothed", "topk(1, x)", "count_values('v', x)",
	}
	store := &hooked{Store: open(t, tsdb.Options{})}
	put(t, store, "x", 0, 1000, count(0, 600)...)
	e := New(store, Options{})
	for _, expr := range exprs {
		failing := 0
		for n := range 600 {
			met := false
			store.onSample = func(i int) error {
				if i == n {
					met = true
					return broken
				}
				return nil
			}
			r, err := e.Instant(t.Context(), expr, at(599), QueryOptions{})
			if !met {
				if err != nil {
					t.Errorf("%s: %v", expr, err)
				} else {
					r.Close()
				}
				break
			}
			failing++
			if err == nil {
				t.Fatalf("%s: an error at sample %d was overlooked", expr, n)
			}
			if got := kindOf(t, err); got.Kind != Storage || !errors.Is(err, storage.ErrFailed) {
				t.Fatalf("%s: kind %d: %v", expr, got.Kind, err)
			}
		}
		if failing == 0 {
			t.Errorf("%s reads no samples", expr)
		}
	}
	store.onSample = nil
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Instant(t.Context(), "x", at(0), QueryOptions{}); kindOf(t, err).Kind != Storage || !errors.Is(err, storage.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := e.LabelNames(t.Context(), Selection{}); kindOf(t, err).Kind != Storage || !errors.Is(err, storage.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestCanceled: a query ends when its context does, while series are selected and while samples are read.
func TestCanceled(t *testing.T) {
	store := &hooked{Store: open(t, tsdb.Options{})}
	for i := range 1000 {
		put(t, store, fmt.Sprintf("x;i=%d", i), 0, 1000, count(0, 100)...)
	}
	e := New(store, Options{})
	read := 0
	run := func() error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store.onSelect = func(context.Context, storage.Query) {}
		store.onSample = func(int) error {
			if read++; read == 10 {
				cancel()
			}
			return nil
		}
		_, err := e.Range(ctx, "rate(x[1m])", at(0), at(100), time.Second, QueryOptions{})
		return err
	}
	if err := run(); kindOf(t, err).Kind != Canceled || read > 1000 {
		t.Errorf("canceled at sample 10 of 100,000, it read %d: %v", read, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	store.onSample = nil
	store.onSelect = func(context.Context, storage.Query) { cancel() }
	if _, err := e.Instant(ctx, "x", at(0), QueryOptions{}); kindOf(t, err).Kind != Canceled {
		t.Errorf("canceled in Select: %v", err)
	}
}

// TestTurns: no more queries run than may; who waits longer than its timeout, or is canceled, is told which.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, err := tsdb.Open(tsdb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		store := &hooked{Store: base}
		put(t, store, "x", 0, 1000, 1)
		held := make(chan struct{})
		var running atomic.Int32
		store.onSelect = func(context.Context, storage.Query) {
			running.Add(1)
			<-held
		}
		e := New(store, Options{MaxConcurrent: 2, Timeout: time.Hour})
		done := make(chan error)
		query := func(ctx context.Context, timeout time.Duration) {
			_, err := e.Instant(ctx, "x", at(0), QueryOptions{Timeout: timeout})
			done <- err
		}
		go query(t.Context(), 0)
		go query(t.Context(), 0)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		go query(ctx, 0)
		synctest.Wait()
		cancel()
		if err := <-done; kindOf(t, err).Kind != Canceled {
			t.Errorf("canceled in the queue: %v", err)
		}
		start := time.Now()
		go query(t.Context(), time.Minute)
		if err := <-done; kindOf(t, err).Kind != Timeout || time.Since(start) != time.Minute {
			t.Errorf("timed out in the queue after %v: %v", time.Since(start), err)
		}
		if n := running.Load(); n != 2 {
			t.Errorf("%d queries ran at once, want 2", n)
		}
		if _, err := e.LabelNames(t.Context(), Selection{Mint: 0, Maxt: 1}); err != nil {
			t.Errorf("a look-up beside queries: %v", err)
		}
		close(held)
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		go query(t.Context(), 0)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := base.Close(); err != nil {
			t.Error(err)
		}
	})
}
