package promql

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/storage/storagetest"
	"metricd/internal/tsdb"
)

// TestJoinedConformance: what is in both stores is as if it were in main alone, order, iterators and errors included. Own has the series
// that main has, and at the same times other values.
func TestJoinedConformance(t *testing.T) {
	storagetest.Run(t, storagetest.Engine{Open: func(t storagetest.T) storage.Store {
		var dbs [2]storage.Store
		for i := range dbs {
			db, err := tsdb.Open(tsdb.Options{})
			if err != nil {
				t.Fatalf("%v", err)
			}
			dbs[i] = db
		}
		return &doubled{Store: dbs[0], own: dbs[1], reads: join(dbs[0], dbs[1])}
	}, Without: storagetest.Capabilities{Documents: true}})
}

// doubled is a store whose samples are in own, too, with other values.
type doubled struct {
	storage.Store
	own   storage.Store
	reads reader
}

func (d *doubled) Appender() storage.Appender {
	return &doubledAppender{d.Store.Appender(), d.own.Appender()}
}

func (d *doubled) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	return d.reads.Select(ctx, q)
}

func (d *doubled) LabelNames(ctx context.Context, q storage.Query) ([]string, error) {
	return d.reads.LabelNames(ctx, q)
}

func (d *doubled) LabelValues(ctx context.Context, name string, q storage.Query) ([]string, error) {
	return d.reads.LabelValues(ctx, name, q)
}

func (d *doubled) Delete(ctx context.Context, q storage.Query) error {
	return errors.Join(d.own.Delete(ctx, q), d.Store.Delete(ctx, q))
}

func (d *doubled) Close() error { return errors.Join(d.own.Close(), d.Store.Close()) }

type doubledAppender struct {
	storage.Appender
	own storage.Appender
}

func (a *doubledAppender) Append(b *storage.Batch) (storage.Seq, error) {
	other := storage.Batch{Rows: slices.Clone(b.Rows)}
	for i := range other.Rows {
		other.Rows[i].V, other.Rows[i].Ref = -other.Rows[i].V+1, 0
	}
	if _, err := a.own.Append(&other); err != nil {
		return 0, err
	}
	return a.Appender.Append(b)
}

// joinedStores returns an engine over two stores.
func joinedStores(t *testing.T) (e *Engine, main, own storage.Store) {
	main, own = open(t, tsdb.Options{}), open(t, tsdb.Options{})
	return New(main, Options{Own: own}), main, own
}

// ask evaluates an expression at second 100 and returns the result, one line a sample.
func ask(t *testing.T, e *Engine, expr string) string {
	t.Helper()
	r, err := e.Instant(t.Context(), expr, at(100), QueryOptions{})
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer r.Close()
	return strings.TrimSpace(r.Value.String())
}

// TestJoined: queries see both stores, and each sample of a series that both have once.
func TestJoined(t *testing.T) {
	e, main, own := joinedStores(t)
	put(t, main, "x;job=a", 10_000, 10_000, 1, 2, 3)
	put(t, main, "up;job=m", 10_000, 20_000, 1, 3)      // 10 s, 30 s
	put(t, own, "up;job=m", 20_000, 10_000, 20, 30, 40) // 20 s, 30 s, 40 s
	put(t, own, "own;job=m", 50_000, 10_000, 5, 6)      // 50 s, 60 s
	put(t, main, "tags;job=m;a=b", 10_000, 10_000, 1)   // spelled otherwise below
	put(t, own, "tags;a=b;job=m", 20_000, 10_000, 2)    //
	for _, test := range []struct{ expr, want string }{
		{`x`, `{__name__="x", job="a"} => 3 @[100000]`},
		{`own`, `{__name__="own", job="m"} => 6 @[100000]`},
		{`up[2m]`, "{__name__=\"up\", job=\"m\"} =>\n1 @[10000]\n20 @[20000]\n3 @[30000]\n40 @[40000]"},
		{`tags[2m]`, "{__name__=\"tags\", a=\"b\", job=\"m\"} =>\n1 @[10000]\n2 @[20000]"},
		{`count({job=~".+"})`, `{} => 4 @[100000]`},
		{`sum_over_time(up[2m])`, `{job="m"} => 64 @[100000]`},
		{`up @ 30 + own`, `{job="m"} => 9 @[100000]`},
		{`nothing`, ``},
	} {
		if got := ask(t, e, test.expr); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.expr, got, test.want)
		}
	}
	all := Selection{Match: []string{`{job=~".+"}`}, Mint: storage.MinTime, Maxt: storage.MaxTime}
	names, err := e.LabelValues(t.Context(), "__name__", all)
	if want := []string{"own", "tags", "up", "x"}; err != nil || !slices.Equal(names.Found, want) {
		t.Errorf("names %q, %v", names.Found, err)
	}
	labels, err := e.LabelNames(t.Context(), all)
	if want := []string{"__name__", "a", "job"}; err != nil || !slices.Equal(labels.Found, want) {
		t.Errorf("labels %q, %v", labels.Found, err)
	}
	series, err := e.Series(t.Context(), all)
	if err != nil || len(series.Found) != 4 || series.Found[0].Get("job") != "a" || series.Found[3].Get("__name__") != "own" {
		t.Errorf("series %v, %v", series.Found, err)
	}
	all.Limit = 2
	if names, err = e.LabelValues(t.Context(), "__name__", all); err != nil || !slices.Equal(names.Found, []string{"own", "tags"}) || len(names.Warnings) != 1 {
		t.Errorf("two names: %v, %v", names, err)
	}
}

// TestJoinedIterator compares with a plain merge, at every mixture of Next and SkipTo.
func TestJoinedIterator(t *testing.T) {
	_, main, own := joinedStores(t)
	put(t, main, "x", 2, 3, 2, 5, 8, 11) // a value is its time
	put(t, own, "x", 1, 1, -1, -2, 3, 4, -5, 6)
	put(t, own, "x", 13, 1, 13)
	want := []int64{1, 2, 3, 4, 5, 6, 8, 11, 13}
	set := join(main, own).Select(t.Context(), storage.Query{Mint: 0, Maxt: 100})
	defer set.Close()
	if !set.Next() {
		t.Fatal(set.Err())
	}
	var it storage.Iterator
	for first := int64(0); first <= 14; first++ {
		for second := int64(0); second <= 15; second++ {
			it = set.At().Iterator(it)
			rest, stands := want, false
			skip := func(to int64) {
				moved := it.SkipTo(to)
				if !stands || rest[0] < to {
					for len(rest) > 0 && rest[0] < to {
						rest = rest[1:]
					}
				}
				stands = len(rest) > 0
				compare(t, it, moved, rest)
			}
			skip(first)
			skip(second)
			for len(rest) > 0 {
				rest = rest[1:]
				compare(t, it, it.Next(), rest)
			}
		}
	}
}

// compare expects an iterator to stand on the first of times; the values at 1 and 13 are of own, and so are those that main has not.
func compare(t *testing.T, it storage.Iterator, moved bool, times []int64) {
	t.Helper()
	if !moved {
		if len(times) > 0 || it.Err() != nil {
			t.Fatalf("ended before %v: %v", times, it.Err())
		}
		return
	}
	at, v := it.At()
	want := float64(at)
	if at == 1 {
		want = -1
	}
	if len(times) == 0 || at != times[0] || v != want {
		t.Fatalf("%v at %d, want one of %v", v, at, times)
	}
}

// TestJoinedErrors: an error of either store is that of the query.
func TestJoinedErrors(t *testing.T) {
	for _, broken := range []string{"main", "own"} {
		_, main, own := joinedStores(t)
		put(t, main, "x", 0, 1000, 1, 2)
		put(t, own, "x", 0, 1000, 1, 2)
		bad := errors.New("broken " + broken)
		hook := func(n int) error {
			if n > 1 {
				return bad
			}
			return nil
		}
		var e *Engine
		if broken == "main" {
			e = New(&hooked{Store: main, onSample: hook}, Options{Own: own})
		} else {
			e = New(main, Options{Own: &hooked{Store: own, onSample: hook}})
		}
		if _, err := e.Instant(t.Context(), "x[5m]", at(100), QueryOptions{}); err == nil || !strings.Contains(err.Error(), bad.Error()) {
			t.Errorf("%s: %v", broken, err)
		}
		closed := map[string]storage.Store{"main": main, "own": own}[broken]
		if err := closed.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Instant(t.Context(), "x", at(100), QueryOptions{}); err == nil {
			t.Errorf("%s is closed, and nothing says so", broken)
		}
		if _, err := e.LabelNames(t.Context(), Selection{Mint: 0, Maxt: 1}); err == nil {
			t.Errorf("%s is closed, and names don't say so", broken)
		}
	}
}
