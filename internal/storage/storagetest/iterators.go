package storagetest

import (
	"math"
	"slices"

	"metricd/internal/storage"
)

func iteratorChecks() []check {
	return []check{
		{"SkipTo", skipTo},
		{"SkipToMixed", skipToMixed},
		{"SkipToEverywhere", skipToEverywhere},
		{"Abandoned", abandoned},
		{"Twice", madeTwice},
		{"CollectedFirst", collectedFirst},
		{"AsOfIterator", asOfIterator},
		{"Reuse", reuse},
		{"ManySets", manySets},
	}
}

// only selects the single series of q; the set is closed with the check.
func (f *fixture) only(q storage.Query) storage.Series {
	f.Helper()
	set := f.store.Select(f.Context(), q)
	f.Cleanup(set.Close)
	if !set.Next() {
		f.Fatalf("no series: %v", set.Err())
	}
	return set.At()
}

// wantAt expects the iterator to be at time t, which is also the value there.
func (f *fixture) wantAt(what string, moved bool, it storage.Iterator, t int64) {
	f.Helper()
	if !moved {
		f.Fatalf("%s: ended, %v, want %d", what, it.Err(), t)
	}
	if got := at(it); got != sampleOf(t, float64(t)) {
		f.Fatalf("%s: at %v, want %d", what, got, t)
	}
}

func (f *fixture) wantEnd(what string, it storage.Iterator) {
	f.Helper()
	if it.Next() || it.SkipTo(math.MinInt64) || it.SkipTo(0) {
		f.Fatalf("%s: at %v, want the end", what, at(it))
	}
	if it.Err() != nil {
		f.Fatalf("%s: %v", what, it.Err())
	}
}

func skipTo(f *fixture) {
	f.put("a 10=10 20=20 30=30 40=40 50=50")
	s := f.only(during(byKey("a"), 15, 45))
	tests := []struct{ to, want int64 }{
		{math.MinInt64, 20}, {10, 20}, {20, 20}, {21, 30}, {30, 30}, {35, 40}, {40, 40},
	}
	for _, tt := range tests {
		it := s.Iterator(nil)
		f.wantAt("SkipTo first", it.SkipTo(tt.to), it, tt.want)
	}
	for _, beyond := range []int64{41, 45, 46, 50, math.MaxInt64} {
		it := s.Iterator(nil)
		if it.SkipTo(beyond) {
			f.Fatalf("SkipTo(%d): at %v, want the end", beyond, at(it))
		}
		f.wantEnd("after SkipTo beyond", it)
	}
}

func skipToMixed(f *fixture) {
	f.put("a 10=10 20=20 30=30 40=40 50=50 60=60")
	it := f.only(byKey("a")).Iterator(nil)
	f.wantAt("Next", it.Next(), it, 10)
	f.wantAt("SkipTo back", it.SkipTo(5), it, 10)
	f.wantAt("SkipTo here", it.SkipTo(10), it, 10)
	f.wantAt("Next after staying", it.Next(), it, 20)
	f.wantAt("SkipTo on", it.SkipTo(35), it, 40)
	f.wantAt("SkipTo back", it.SkipTo(20), it, 40)
	f.wantAt("SkipTo back", it.SkipTo(math.MinInt64), it, 40)
	f.wantAt("Next after SkipTo", it.Next(), it, 50)
	f.wantAt("SkipTo next", it.SkipTo(51), it, 60)
	f.wantEnd("Next after the last", it)
	f.wantEnd("and again", it)
}

// skipToEverywhere: many starts, with short steps and long ones, over a run of a few thousand with late
// samples in it.
func skipToEverywhere(f *fixture) {
	const n = 3000 // even times; the multiples of 10 come late
	for _, late := range []bool{false, true} {
		for i := range int64(n) {
			if (i%5 == 0) == late {
				f.append(row{"a", 2 * i, float64(2 * i)})
			}
		}
		f.step()
	}
	s := f.only(byKey("a"))
	var it storage.Iterator
	for from := int64(0); from < 2*n; from += 397 {
		for step := int64(1); step < 2*n; step = step*3 + 1 {
			it = s.Iterator(it)
			for to := from; to < 2*n-1; to += step {
				f.wantAt("SkipTo", it.SkipTo(to), it, to+to&1)
			}
		}
	}
}

// abandoned: iterators and sets left half way do no harm, and hold nobody up.
func abandoned(f *fixture) {
	f.appendRun("a", 1000, func(i int) int64 { return int64(i) })
	f.appendRun("b", 1000, func(i int) int64 { return int64(i) })
	for i := range 50 {
		set := f.store.Select(f.Context(), always())
		for range i % 3 {
			set.Next()
		}
		if i%3 > 0 {
			it := set.At().Iterator(nil)
			for range i * 7 {
				it.Next()
			}
		}
		set.Close()
		set.Close()
		f.append(row{"a", 5000 + int64(i), 1})
	}
	f.delete(between(5000, 6000))
	f.step()
	for _, key := range []string{"a", "b"} {
		if all := f.read(byKey(key)); len(all) != 1 || len(all[0].samples) != 1000 {
			f.Errorf("%s: %s", key, brief(text(all)))
		}
	}
}

// madeTwice: iterators of one series do not know of each other.
func madeTwice(f *fixture) {
	f.put("a 1=1 2=2 3=3 4=4")
	s := f.only(byKey("a"))
	one, two := s.Iterator(nil), s.Iterator(nil)
	f.wantAt("one", one.Next(), one, 1)
	f.wantAt("one", one.Next(), one, 2)
	f.wantAt("two", two.Next(), two, 1)
	f.wantAt("one", one.SkipTo(4), one, 4)
	f.wantAt("two", two.Next(), two, 2)
	three := s.Iterator(nil)
	f.wantEnd("one", one)
	f.wantAt("three", three.Next(), three, 1)
	f.wantAt("two", two.Next(), two, 3)
	for range 3 {
		if samples, err := drain(s.Iterator(nil)); err != nil || len(samples) != 4 {
			f.Errorf("got %v, %v, want 4 samples", samples, err)
		}
	}
}

// collectedFirst: as PromQL reads: all series of a set, then their iterators, in any
// order and side by side.
func collectedFirst(f *fixture) {
	lines := []string{"a;x=1 1=1 2=2", "b 2=2 3=3", "c 1=1 3=3", "d 4=4"}
	f.put(lines...)
	f.step()
	set := f.store.Select(f.Context(), always())
	defer set.Close()
	var found []storage.Series
	for set.Next() {
		found = append(found, set.At())
	}
	if set.Next() || set.Err() != nil {
		f.Fatalf("the set went on, or %v", set.Err())
	}
	its := make([]storage.Iterator, len(found))
	for i, s := range found {
		its[i] = s.Iterator(nil)
	}
	var all []series
	for i, s := range slices.Backward(found) {
		samples, err := drain(its[i])
		if err != nil {
			f.Fatalf("%v", err)
		}
		if !s.Labels().Equal(storage.ParseKey(s.Key())) {
			f.Errorf("%q has the labels %q", s.Key(), s.Labels())
		}
		all = append(all, series{s.Key(), s.Labels(), samples})
	}
	got := text(all)
	slices.Sort(got)
	if !slices.Equal(got, lines) {
		f.Errorf("got %q, want %q", got, lines)
	}
}

// asOfIterator: a series is read as of the moment its iterator is made, however early its
// set began.
func asOfIterator(f *fixture) {
	f.put("a 1=1 2=2", "b 1=1")
	s := f.only(byKey("a"))
	check := func(want string) {
		f.Helper()
		samples, err := drain(s.Iterator(nil))
		if got := text([]series{{key: s.Key(), samples: samples}})[0]; err != nil || got != want {
			f.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	check("a 1=1 2=2")
	f.put("a 3=3 2=20")
	check("a 1=1 2=20 3=3")
	f.put("a -1=-1")
	check("a -1=-1 1=1 2=20 3=3")
	f.delete(during(byKey("a"), 1, 2))
	check("a -1=-1 3=3")
	f.put("a 1=100")
	check("a -1=-1 1=100 3=3")
}

// reuse: any iterator that is no longer needed will do, wherever it stands.
func reuse(f *fixture) {
	f.appendRun("a", 500, func(i int) int64 { return int64(i) })
	f.put("b 1=1 2=2", "c 5=5")
	for _, moves := range []int{0, 1, 2, 300, 1000} {
		a := f.only(during(byKey("a"), 1, 400)).Iterator(nil)
		for range moves {
			a.Next()
		}
		b := f.only(byKey("b")).Iterator(a)
		f.wantAt("b", b.Next(), b, 1)
		f.wantAt("b", b.Next(), b, 2)
		f.wantEnd("b", b)
		c := f.only(byKey("c")).Iterator(b)
		f.wantAt("c", c.SkipTo(3), c, 5)
		again := f.only(during(byKey("a"), 2, 3)).Iterator(c)
		f.wantAt("a", again.Next(), again, 2)
		f.wantAt("a", again.Next(), again, 3)
		f.wantEnd("a", again)
	}
}

// manySets: a hundred results under way at once, moved in turn.
func manySets(f *fixture) {
	for i := range int64(20) {
		f.put("a;x=1 "+pair(i), "b;x=2 "+pair(i))
	}
	its := make([]storage.Iterator, 100)
	for i := range its {
		q := where("x=1")
		q.Mint = int64(i % 10)
		its[i] = f.only(q).Iterator(nil)
	}
	for t := range int64(20) {
		for i, it := range its {
			if first := int64(i % 10); t >= first {
				f.wantAt("in turn", it.Next(), it, t)
			}
		}
	}
	for _, it := range its {
		f.wantEnd("in turn", it)
	}
}
