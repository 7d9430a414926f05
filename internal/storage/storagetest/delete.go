package storagetest

import (
	"math/rand/v2"
	"slices"

	"metricd/internal/storage"
)

func deleteChecks() []check {
	return []check{
		{"All", deleteAll},
		{"ByKey", deleteByKey},
		{"ByMatcher", deleteByMatcher},
		{"ByRange", deleteByRange},
		{"Nothing", deleteNothing},
		{"PutAgain", deletePutAgain},
		{"LateAfter", deleteThenLate},
		{"Twice", deleteTwice},
		{"Overwritten", deleteOverwritten},
		{"ManySamples", deleteManySamples},
	}
}

func deleteAll(f *fixture) {
	f.put("a 1=1 2=2", "b;x=1 1=1")
	f.delete(always())
	f.want(always())
	f.want(byKey("a"))
	f.want(where("x=1"))
	f.wantNames(always())
	f.wantCounts(0, 0)
}

func deleteByKey(f *fixture) {
	f.put("a 1=1", "b;x=1;y=1 1=1", "b 1=1", "c 1=1")
	f.delete(byKey("b;y=1;x=1"))
	f.want(always(), "a 1=1", "b 1=1", "c 1=1")
	f.delete(byKey("c"))
	f.want(always(), "a 1=1", "b 1=1")
}

func deleteByMatcher(f *fixture) {
	f.put("a;h=1 1=1", "a;h=2 1=1", "b;h=1 1=1", "b 1=1")
	f.delete(where("h=1", storage.MetricName+"!=b"))
	f.want(always(), "a;h=2 1=1", "b;h=1 1=1", "b 1=1")
	f.delete(where("h="))
	f.want(always(), "a;h=2 1=1", "b;h=1 1=1")
	f.delete(where("h=~2|3"))
	f.want(always(), "b;h=1 1=1")
	f.delete(where("h!~2"))
	f.want(always())
}

func deleteByRange(f *fixture) {
	f.put("a 10=1 20=2 30=3 40=4 50=5", "b 20=1", "c 45=1")
	f.delete(between(20, 30))
	f.want(always(), "a 10=1 40=4 50=5", "c 45=1")
	f.delete(during(byKey("a"), 50, 99))
	f.want(always(), "a 10=1 40=4", "c 45=1")
	f.delete(during(byKey("a"), -5, 10))
	f.want(always(), "a 40=4", "c 45=1")
	f.delete(between(41, 44))
	f.want(always(), "a 40=4", "c 45=1")
}

func deleteNothing(f *fixture) {
	f.put("a;x=1 1=1 3=3")
	f.delete(byKey("b"))
	f.delete(where("x=2"))
	f.delete(between(2, 2))
	f.delete(between(4, 100))
	f.delete(during(byKey("a;x=1"), 2, 2))
	f.want(always(), "a;x=1 1=1 3=3")
	f.put("b 2=1", "a;x=1 2=2") // and nothing lies in wait for what comes later
	f.want(always(), "a;x=1 1=1 2=2 3=3", "b 2=1")
}

// deletePutAgain: what is put after a Delete stays, in every way of deleting.
func deletePutAgain(f *fixture) {
	for i, q := range []storage.Query{
		always(), byKey("a;x=1"), where("x=1"), where("x!="), between(0, 5), during(byKey("a;x=1"), 2, 2), during(where("x=~.+"), 2, 3),
	} {
		f.put("a;x=1 2=1")
		f.step()
		f.delete(q)
		f.want(always())
		f.append(row{"a;x=1", 2, float64(i)})
		want := text([]series{{key: "a;x=1", samples: []sample{sampleOf(2, float64(i))}}})
		f.want(always(), want...)
		f.want(where("x=1"), want...)
		f.delete(always())
		f.want(always())
	}
}

// deleteThenLate: a sample older than all that was deleted, and one between.
func deleteThenLate(f *fixture) {
	f.put("a 10=1 20=2 30=3")
	f.delete(between(15, 100))
	f.put("a 5=5")
	f.put("a 20=20")
	f.want(always(), "a 5=5 10=1 20=20")
	f.delete(between(0, 7))
	f.put("a 3=3")
	f.want(always(), "a 3=3 10=1 20=20")
}

func deleteTwice(f *fixture) {
	f.put("a 1=1 2=2 3=3", "b 2=1")
	for range 2 {
		f.delete(between(2, 2))
		f.want(always(), "a 1=1 3=3")
	}
	for range 2 {
		f.delete(byKey("a"))
		f.want(always())
	}
}

// deleteOverwritten: no older value shows up again.
func deleteOverwritten(f *fixture) {
	f.put("a 1=1 2=1 3=1")
	f.step()
	f.put("a 2=2")
	f.put("a 2=3 1=3")
	f.delete(between(2, 2))
	f.want(always(), "a 1=3 3=1")
	f.delete(between(1, 1))
	f.want(always(), "a 3=1")
}

// deleteManySamples: ranges out of 20,000 samples, one after another, with puts between.
func deleteManySamples(f *fixture) {
	const n = 20_000
	rng := rand.New(rand.NewPCG(7, 8))
	f.appendRun("a", n, func(i int) int64 { return int64(i) })
	f.put("b 1=1")
	left := map[int64]bool{}
	for t := range int64(n) {
		left[t] = true
	}
	for range 12 {
		mint := rng.Int64N(n)
		maxt := mint + rng.Int64N(n/6)
		f.delete(during(byKey("a"), mint, maxt))
		for t := mint; t <= maxt; t++ {
			delete(left, t)
		}
		again := (mint + maxt) / 2 % n
		f.append(row{"a", again, float64(again)})
		left[again] = true
		f.step()
		f.wantTimes("a", left)
	}
	f.want(byKey("b"), "b 1=1")
}

// wantTimes expects exactly these times in key, each with itself as value.
func (f *fixture) wantTimes(key string, times map[int64]bool) {
	f.Helper()
	want := make([]int64, 0, len(times))
	for t := range times {
		want = append(want, t)
	}
	slices.Sort(want)
	all := f.read(byKey(key))
	if len(all) != 1 || len(all[0].samples) != len(want) {
		f.Fatalf("%q: want one series of %d samples, got %s", key, len(want), brief(text(all)))
	}
	for i, t := range want {
		if got := all[0].samples[i]; got != sampleOf(t, float64(t)) {
			f.Fatalf("%q: sample %d is %v, want time and value %d", key, i, got, t)
		}
	}
}
