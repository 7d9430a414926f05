package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"metricd/internal/storage"
)

func concurrencyChecks() []check {
	return []check{
		{"ReadYourWrite", readYourWrite},
		{"SameNewSeries", sameNewSeries},
		{"OneSeries", writersOfOneSeries},
		{"WritersAndReaders", writersAndReaders},
		{"DeletesAmongAppends", deletesAmongAppends},
		{"Everything", everythingAtOnce},
	}
}

// readYourWrite: another goroutine selects the moment it hears of each Append.
func readYourWrite(f *fixture) {
	const n = 500
	taken, seen := make(chan int64), make(chan error)
	go func() {
		for t := range taken {
			all, err := read(context.Background(), f.store, during(byKey("a;y=1;x=1"), t, t))
			if want := fmt.Sprintf("a;x=1;y=1 %d=%d", t, t); err == nil && (len(all) != 1 || text(all)[0] != want) {
				err = fmt.Errorf("read %q, want %q", text(all), want)
			}
			seen <- err
		}
	}()
	defer close(taken)
	for i := range int64(n) {
		t := i * 7919 % n // early and late ones
		f.append(row{"a;x=1;y=1", t, float64(t)})
		taken <- t
		if err := <-seen; err != nil {
			f.Fatalf("after Append returned: %v", err)
		}
	}
}

// sameNewSeries: many appenders create the same series at the same time.
func sameNewSeries(f *fixture) {
	const writers, n = 8, 200
	var fs []func() error
	for w := range writers {
		fs = append(fs, func() error {
			app, spelling := f.store.Appender(), []string{"s%d;a=1;b=2", "s%d;b=2;a=1"}[w%2]
			var in sender
			for i := range n {
				if err := sent(in.send(app, row{fmt.Sprintf(spelling, i), int64(w), float64(w)})); err != nil {
					return err
				}
			}
			return nil
		})
	}
	f.together("creating series", fs...)
	all := f.read(always())
	if len(all) != n {
		f.Fatalf("%d series, want %d", len(all), n)
	}
	for _, s := range all {
		if len(s.samples) != writers {
			f.Errorf("%q has %d samples, want %d", s.key, len(s.samples), writers)
		}
	}
}

// sent makes one error of what send returns.
func sent(_ storage.Seq, refused []storage.Refusal, err error) error {
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("row %d refused: %w", refused[0].Row, refused[0].Err)
	}
	return err
}

// writersOfOneSeries: interleaved times, and one time that all of them write.
func writersOfOneSeries(f *fixture) {
	const writers, n = 4, 1000
	var fs []func() error
	for w := range writers {
		fs = append(fs, func() error {
			app := f.store.Appender()
			var in sender
			for i := range n {
				t := int64(i*writers + w)
				if err := sent(in.send(app, row{"a", t, float64(t)}, row{"a", -1, float64(w)})); err != nil {
					return err
				}
			}
			return nil
		})
	}
	f.together("writing to one series", fs...)
	all := f.read(byKey("a"))
	if len(all) != 1 || len(all[0].samples) != writers*n+1 {
		f.Fatalf("want one series of %d samples, got %s", writers*n+1, brief(text(all)))
	}
	for i, s := range all[0].samples[1:] {
		if s != sampleOf(int64(i), float64(i)) {
			f.Fatalf("sample %d is %v", i, s)
		}
	}
}

// writersAndReaders: each writer goes up in a series of its own and replaces one sample of
// a second; a reader that begins after an Append returned must see it.
func writersAndReaders(f *fixture) {
	const writers, readers, n = 3, 3, 400
	var acked [writers]atomic.Int64
	var writing sync.WaitGroup
	stop := make(chan struct{})
	var fs []func() error
	for w := range writers {
		writing.Add(1)
		fs = append(fs, func() error {
			defer writing.Done()
			app := f.store.Appender()
			var in sender
			for i := int64(1); i <= n; i++ {
				if err := sent(in.send(app, row{fmt.Sprintf("up%d", w), i, float64(i)}, row{fmt.Sprintf("last%d", w), 5, float64(i)})); err != nil {
					return err
				}
				acked[w].Store(i)
			}
			return nil
		})
	}
	go func() { writing.Wait(); close(stop) }()
	for r := range readers {
		fs = append(fs, func() error {
			for {
				w := r % writers
				min := acked[w].Load()
				if err := seesAll(f.store, w, min); err != nil {
					return err
				}
				r++
				select {
				case <-stop:
					return seesAll(f.store, w, n)
				default:
				}
			}
		})
	}
	f.together("writing and reading", fs...)
}

// seesAll checks that the series of writer w have what was acknowledged: min and before.
func seesAll(s storage.Store, w int, min int64) error {
	if min == 0 {
		return nil
	}
	all, err := read(context.Background(), s, where(fmt.Sprintf("%s=~(up|last)%d", storage.MetricName, w)))
	if err != nil {
		return err
	}
	if len(all) != 2 {
		return fmt.Errorf("writer %d: %d series, want 2", w, len(all))
	}
	for _, found := range all {
		last := int64(len(found.samples))
		if last == 0 {
			return fmt.Errorf("%s has no samples", found.key)
		}
		if found.key == fmt.Sprintf("last%d", w) {
			last = int64(math.Float64frombits(found.samples[0].bits))
		} else if err := ascending(found.samples, between(1, last)); err != nil {
			return err
		}
		if last < min {
			return fmt.Errorf("%s is at %d, but %d was taken before", found.key, last, min)
		}
	}
	return nil
}

// deletesAmongAppends: each goroutine has a series, deletes it between appends and sees just
// what it appended since, whatever the others do.
func deletesAmongAppends(f *fixture) {
	var fs []func() error
	for w := range 4 {
		fs = append(fs, func() error {
			key, app := fmt.Sprintf("k%d;w=1", w), f.store.Appender()
			var in sender
			for i := range int64(100) {
				if err := sent(in.send(app, row{key, i, 1}, row{key, i + 1, 2})); err != nil {
					return err
				}
				if err := f.store.Delete(context.Background(), byKey(key)); err != nil {
					return err
				}
				if err := sent(in.send(app, row{key, i, 3})); err != nil {
					return err
				}
				all, err := read(context.Background(), f.store, byKey(key))
				if want := fmt.Sprintf("%s %d=3", key, i); err != nil || len(all) != 1 || text(all)[0] != want {
					return fmt.Errorf("read %q, %v, want %q", text(all), err, want)
				}
			}
			return nil
		})
	}
	f.together("deleting and appending", fs...)
	f.wantCounts(4, 4)
}

// everythingAtOnce calls all methods at once, for the race detector, and compares what is
// left with what cannot have changed.
func everythingAtOnce(f *fixture) {
	f.put("keep;x=1 1=1 2=2 3=3")
	ctx := context.Background()
	again := func(fn func(i int64) error) func() error {
		return func() error {
			for i := range int64(60) {
				if err := fn(i); err != nil {
					return err
				}
			}
			return nil
		}
	}
	var in sender
	app := f.store.Appender()
	f.together("everything at once",
		again(func(i int64) error {
			seq, _, err := in.send(app, row{"keep;x=1", 2, 2}, row{fmt.Sprint("go", i%9), i, 1}, row{"", i, 1})
			return errors.Join(err, app.Wait(ctx, seq))
		}),
		again(func(i int64) error { return f.store.Delete(ctx, where(storage.MetricName+"=~go.*")) }),
		again(func(i int64) error { return f.store.Delete(ctx, during(where("x="), i, i+9)) }),
		again(func(int64) error { _, err := read(ctx, f.store, always()); return err }),
		again(func(int64) error { _, err := f.store.LabelNames(ctx, always()); return err }),
		again(func(int64) error { _, err := f.store.LabelValues(ctx, "x", where("x=1")); return err }),
		again(func(int64) error { _, err := f.store.Stats(); return err }),
	)
	f.delete(where("x="))
	f.want(always(), "keep;x=1 1=1 2=2 3=3")
}
