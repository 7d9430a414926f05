package storagetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"metricd/internal/storage"
)

func contextChecks(without Capabilities) []check {
	cs := []check{
		{"DoneBefore", doneBefore},
		{"Deadline", deadlinePassed},
		{"CancelledInSet", cancelledInSet},
		{"CancelledInIterator", cancelledInIterator},
	}
	if !without.AtomicDelete {
		cs = append(cs, check{"DeleteNotByHalf", deleteNotByHalf})
	}
	return cs
}

// doneBefore: with a done context nothing is read, and the store is none the worse.
func doneBefore(f *fixture) {
	f.put("a;x=1 1=1", "b 1=1")
	set := f.store.Select(done(), always())
	if set.Next() || !errors.Is(set.Err(), context.Canceled) {
		f.Errorf("Select with a done context: %v", set.Err())
	}
	set.Close()
	if _, err := f.store.LabelNames(done(), always()); !errors.Is(err, context.Canceled) {
		f.Errorf("LabelNames with a done context: %v", err)
	}
	if _, err := f.store.LabelValues(done(), "x", always()); !errors.Is(err, context.Canceled) {
		f.Errorf("LabelValues with a done context: %v", err)
	}
	f.want(always(), "a;x=1 1=1", "b 1=1")
}

func deadlinePassed(f *fixture) {
	f.put("a 1=1")
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	if _, err := read(ctx, f.store, always()); !errors.Is(err, context.DeadlineExceeded) {
		f.Errorf("Select after its deadline: %v", err)
	}
	f.want(always(), "a 1=1")
}

// cancelledInSet: the set ends with the context's error, not as if it were complete.
func cancelledInSet(f *fixture) {
	f.put("a 1=1", "b 1=1", "c 1=1")
	for n := range 4 {
		ctx, cancel := context.WithCancel(context.Background())
		set := f.store.Select(ctx, always())
		for range n {
			if !set.Next() {
				f.Fatalf("ended early: %v", set.Err())
			}
		}
		cancel()
		if set.Next() || !errors.Is(set.Err(), context.Canceled) {
			f.Errorf("cancelled after %d series: %v", n, set.Err())
		}
		set.Close()
	}
	f.want(always(), "a 1=1", "b 1=1", "c 1=1")
}

// cancelledInIterator: an iterator may give what it has at hand, then ends with the
// context's error.
func cancelledInIterator(f *fixture) {
	f.appendRun("a", longRun, func(i int) int64 { return int64(i) })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	set := f.store.Select(ctx, always())
	defer set.Close()
	if !set.Next() {
		f.Fatalf("no series: %v", set.Err())
	}
	it := set.At().Iterator(nil)
	f.wantAt("before", it.Next(), it, 0)
	cancel()
	samples, err := drain(it)
	if !errors.Is(err, context.Canceled) {
		f.Errorf("after %d samples: %v, want the context's error", len(samples), err)
	}
	if set.Next() || !errors.Is(set.Err(), context.Canceled) {
		f.Errorf("the set: %v, want the context's error", set.Err())
	}
}

// deleteNotByHalf: whenever its context ends, a Delete of 2,000 series has removed all of
// them or none, and without an error all.
func deleteNotByHalf(f *fixture) {
	const n = 2000
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{fmt.Sprintf("d%d;x=1", i), 1, 1}
	}
	f.put("keep 1=1")
	for _, after := range []time.Duration{-1, 0, 10 * time.Microsecond, 100 * time.Microsecond, time.Millisecond} {
		f.append(rows...)
		ctx, cancel := context.WithCancel(context.Background())
		if after < 0 {
			cancel()
		}
		timer := time.AfterFunc(max(after, 0), cancel)
		err := f.store.Delete(ctx, where("x=1"))
		timer.Stop()
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			f.Fatalf("Delete: %v", err)
		}
		f.step()
		left := len(f.read(where("x=1")))
		if left != 0 && (left != n || err == nil) {
			f.Fatalf("cancelled after %v: %d of %d series left, %v", after, left, n, err)
		}
	}
	f.want(where(storage.MetricName+"=keep"), "keep 1=1")
}
