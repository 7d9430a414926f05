package storagetest

import (
	"context"
	"errors"
	"sync"

	"metricd/internal/storage"
)

func closeChecks() []check {
	return []check{
		{"Twice", closeTwice},
		{"EveryMethod", everyMethodAfterClose},
		{"OpenSet", closeUnderSet},
		{"OpenIterator", closeUnderIterator},
		{"UnderWay", closeUnderWay},
	}
}

func (f *fixture) close() {
	f.Helper()
	if err := f.store.Close(); err != nil {
		f.Fatalf("Close: %v", err)
	}
}

func (f *fixture) wantClosed(what string, err error) {
	f.Helper()
	if !errors.Is(err, storage.ErrClosed) {
		f.Errorf("%s: %v, want ErrClosed", what, err)
	}
}

func closeTwice(f *fixture) {
	f.put("a 1=1")
	f.close()
	f.close()
	f.together("Close", f.store.Close, f.store.Close)
}

func everyMethodAfterClose(f *fixture) {
	seq := f.put("a 1=1")
	f.close()
	ctx := context.Background()
	for _, app := range []storage.Appender{f.app, f.store.Appender()} {
		_, _, err := f.in.send(app, row{"a", 2, 2})
		f.wantClosed("Append", err)
		_, _, err = f.in.send(app)
		f.wantClosed("Append of nothing", err)
		// Close made it durable, so that nil is right, too.
		if err := app.Wait(ctx, seq); err != nil {
			f.wantClosed("Wait", err)
		}
	}
	for _, q := range []storage.Query{always(), byKey("a"), byKey("none"), where("x=1"), between(2, 1)} {
		all, err := read(ctx, f.store, q)
		f.wantClosed("Select", err)
		if len(all) > 0 {
			f.Errorf("%q after Close", text(all))
		}
		_, err = f.store.LabelNames(ctx, q)
		f.wantClosed("LabelNames", err)
		_, err = f.store.LabelValues(ctx, "x", q)
		f.wantClosed("LabelValues", err)
		f.wantClosed("Delete", f.store.Delete(ctx, q))
	}
	_, err := f.store.Stats()
	f.wantClosed("Stats", err)
}

// closeUnderSet: a set that is open ends with ErrClosed, at its first series or later.
func closeUnderSet(f *fixture) {
	f.put("a 1=1", "b 1=1", "c 1=1")
	sets := make([]storage.SeriesSet, 3)
	for i := range sets {
		sets[i] = f.store.Select(context.Background(), always())
		for range i {
			if !sets[i].Next() {
				f.Fatalf("ended early: %v", sets[i].Err())
			}
		}
	}
	f.together("Close beside open sets", f.store.Close)
	for i, set := range sets {
		if i > 0 {
			samples, err := drain(set.At().Iterator(nil))
			f.wantClosed("an iterator made after Close", err)
			if len(samples) > 0 {
				f.Errorf("%v after Close", samples)
			}
		}
		if set.Next() {
			f.Errorf("set %d gives %q after Close", i, set.At().Key())
		}
		f.wantClosed("the set", set.Err())
		set.Close()
		f.wantClosed("the set, closed", set.Err())
	}
}

// longRun is so many samples that no engine holds them all ready for an iterator that
// stands at the first.
const longRun = 100_000

// closeUnderIterator: an iterator may give what it has at hand, then ends with ErrClosed.
func closeUnderIterator(f *fixture) {
	f.appendRun("a", longRun, func(i int) int64 { return int64(i) })
	set := f.store.Select(context.Background(), always())
	defer set.Close()
	if !set.Next() {
		f.Fatalf("no series: %v", set.Err())
	}
	it := set.At().Iterator(nil)
	skipping := set.At().Iterator(nil)
	f.wantAt("before Close", it.Next(), it, 0)
	f.wantAt("before Close", skipping.Next(), skipping, 0)
	f.close()
	samples, err := drain(it)
	f.wantClosed("the iterator", err)
	if err := ascending(samples, between(1, longRun-2)); err != nil {
		f.Errorf("%v", err)
	}
	if skipping.SkipTo(longRun - 1) {
		f.Errorf("SkipTo found %v after Close", at(skipping))
	}
	f.wantClosed("the iterator, by SkipTo", skipping.Err())
	if set.Next() {
		f.Errorf("another series after Close")
	}
	f.wantClosed("the set", set.Err())
}

// closeUnderWay: calls that Close meets end well, or with ErrClosed, and none is left
// hanging.
func closeUnderWay(f *fixture) {
	f.put("a;x=1 1=1")
	ctx := context.Background()
	var started sync.WaitGroup
	until := func(fn func(i int64) error) func() error {
		started.Add(1)
		return func() error {
			for i := int64(0); ; i++ {
				err := fn(i)
				if i == 2 || err != nil && i < 2 {
					started.Done()
				}
				if errors.Is(err, storage.ErrClosed) {
					return nil
				} else if err != nil {
					return err
				}
			}
		}
	}
	app, in := f.store.Appender(), sender{}
	fs := []func() error{
		until(func(i int64) error {
			seq, refused, err := in.send(app, row{"a;x=1", i % 50, 1})
			if err := sent(seq, refused, err); err != nil {
				return err
			}
			return app.Wait(ctx, seq)
		}),
		until(func(int64) error { _, err := read(ctx, f.store, always()); return err }),
		until(func(i int64) error { return f.store.Delete(ctx, between(i%50, i%50)) }),
		until(func(int64) error { _, err := f.store.LabelNames(ctx, always()); return err }),
		until(func(int64) error { _, err := f.store.LabelValues(ctx, "x", always()); return err }),
		until(func(int64) error { _, err := f.store.Stats(); return err }),
	}
	fs = append(fs, func() error { started.Wait(); return f.store.Close() })
	f.together("Close with calls under way", fs...)
}
