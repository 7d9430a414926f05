package storagetest

import (
	"context"
	"fmt"
	"math"

	"metricd/internal/storage"
)

func stalledChecks() []check {
	return []check{
		{"WritersGoOn", writersGoOn},
		{"GrowingSeries", growingSeries},
		{"GrowingSet", growingSet},
		{"NewSeriesAtEnd", newSeriesAtEnd},
	}
}

// writersGoOn: a reader stands still in the middle of a series; others append, replace,
// delete and read meanwhile. When it goes on it sees either state of what they changed,
// and all that they let be.
func writersGoOn(f *fixture) {
	const n = 20_000
	f.appendRun("a", n, func(i int) int64 { return int64(i) })
	f.appendRun("b", n, func(i int) int64 { return int64(i) })
	set := f.store.Select(f.Context(), always())
	defer set.Close()
	if !set.Next() {
		f.Fatalf("no series: %v", set.Err())
	}
	first := set.At()
	it := first.Iterator(nil)
	for t := range int64(n / 2) {
		f.wantAt("before the stall", it.Next(), it, t)
	}
	f.together("writing beside a stalled reader", func() error { return disturb(f.store, n) })

	var rest []sample
	for it.Next() {
		rest = append(rest, at(it))
	}
	if it.Err() != nil {
		f.Fatalf("%v", it.Err())
	}
	if err := undisturbed(rest, n/2, n); err != nil {
		f.Errorf("after the stall: %v", err)
	}
	for set.Next() {
		it = set.At().Iterator(it)
		samples, err := drain(it)
		if err == nil && set.At().Key() == "b" {
			err = undisturbed(samples, 0, n)
		}
		if err != nil {
			f.Fatalf("%s: %v", set.At().Key(), err)
		}
	}
	if set.Err() != nil {
		f.Errorf("%v", set.Err())
	}
}

// disturb changes series a and b of n samples: times that are 1 modulo 10 are replaced,
// those that are 2 deleted in part; more are put at the end, new series come and go. Each
// step is checked by a reader of its own.
func disturb(s storage.Store, n int64) error {
	ctx, app := context.Background(), s.Appender()
	var in sender
	for t := int64(1); t < n; t += 10 {
		rows := []row{{"a", t, -1}, {"b", t, -1}, {"a", n + t, -1}, {"c" + fmt.Sprint(t%50), t, 1}}
		if _, refused, err := in.send(app, rows...); err != nil || len(refused) > 0 {
			return fmt.Errorf("append: %w, refused %v", err, refused)
		}
		if t%1000 != 1 {
			continue
		}
		if err := s.Delete(ctx, between(t+1, t+1)); err != nil {
			return err
		}
		all, err := read(ctx, s, during(byKey("a"), t, t+2))
		if err != nil {
			return err
		}
		want := fmt.Sprintf("a %d=-1 %d=%d", t, t+2, t+2)
		if got := text(all); len(got) != 1 || got[0] != want {
			return fmt.Errorf("another reader got %q, want %q", got, want)
		}
	}
	return s.Delete(ctx, where(storage.MetricName+"=~c.*"))
}

// undisturbed checks the samples from time lo to n beside what disturb does.
func undisturbed(samples []sample, lo, n int64) error {
	if err := ascending(samples, between(lo, math.MaxInt64)); err != nil {
		return err
	}
	next := lo // the next time that can't be missing
	for _, s := range samples {
		if s.t >= n {
			break
		}
		for next < s.t && next%10 == 2 {
			next++
		}
		if s.t != next {
			return fmt.Errorf("time %d follows, want %d", s.t, next)
		}
		if v := math.Float64frombits(s.bits); v != float64(s.t) && (v != -1 || s.t%10 != 1) {
			return fmt.Errorf("%v at time %d", v, s.t)
		}
		next++
	}
	if next < n {
		return fmt.Errorf("ended before time %d of %d", next, n)
	}
	return nil
}

// growthLimit is how many samples, or series, a reader may be given before it ends, while
// one is added for each that it reads.
const growthLimit = 10_000

// growingSeries: a reader is not kept for ever by a series that grows under it.
func growingSeries(f *fixture) {
	const n = 500
	f.appendRun("a", n, func(i int) int64 { return int64(i) })
	it := f.only(byKey("a")).Iterator(nil)
	read := int64(0)
	for ; it.Next(); read++ {
		if got := at(it); got != sampleOf(read, float64(read)) {
			f.Fatalf("at %v, want %d", got, read)
		}
		if read > growthLimit {
			f.Fatalf("read %d samples of a series that had %d, and no end", read, n)
		}
		f.append(row{"a", n + read, float64(n + read)})
	}
	if it.Err() != nil || read < n {
		f.Errorf("ended after %d samples, want at least %d: %v", read, n, it.Err())
	}
}

// growingSet: nor by a store that gets new series all the time.
func growingSet(f *fixture) {
	const n = 50
	key := func(i int) string { return fmt.Sprintf("s%05d", i) }
	for i := range n {
		f.append(row{key(i), 1, 1})
	}
	set := f.store.Select(f.Context(), always())
	defer set.Close()
	read := 0
	for ; set.Next(); read++ {
		if read > growthLimit {
			f.Fatalf("read %d series of a store that had %d, and no end", read, n)
		}
		f.append(row{key(n + read), 1, 1})
	}
	if set.Err() != nil || read < n {
		f.Errorf("ended after %d series, want at least %d: %v", read, n, set.Err())
	}
}

// newSeriesAtEnd: series that are new while a set is read come at its end or not at all.
func newSeriesAtEnd(f *fixture) {
	f.put("m 1=1", "n 1=1", "o 1=1")
	set := f.store.Select(f.Context(), always())
	defer set.Close()
	if !set.Next() {
		f.Fatalf("no series: %v", set.Err())
	}
	f.put("a 1=1", "z 1=1")
	seen := map[string]int{set.At().Key(): 0}
	for i := 1; set.Next(); i++ {
		key := set.At().Key()
		if _, twice := seen[key]; twice {
			f.Errorf("%q comes twice", key)
		}
		seen[key] = i
		old := key == "m" || key == "n" || key == "o"
		if !f.engine.Without.Order && old != (i < 3) {
			f.Errorf("%q is number %d", key, i)
		}
	}
	for _, key := range []string{"m", "n", "o"} {
		if _, ok := seen[key]; !ok {
			f.Errorf("%q is missing", key)
		}
	}
	if err := set.Err(); err != nil {
		f.Errorf("%v", err)
	}
}
