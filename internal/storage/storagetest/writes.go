package storagetest

import (
	"math/rand/v2"

	"metricd/internal/storage"
)

func writeChecks() []check {
	return []check{
		{"Empty", empty},
		{"LastWriteWins", lastWriteWins},
		{"LastWriteWinsInBatch", lastWriteWinsInBatch},
		{"OverwriteAtAnyAge", overwriteAtAnyAge},
		{"AnyOrderOfArrival", anyOrderOfArrival},
		{"SeveralAppenders", severalAppenders},
		{"EmptyBatch", emptyBatch},
		{"KeyBytes", keyBytes},
	}
}

func empty(f *fixture) {
	f.want(always())
	f.want(byKey("a"))
	f.delete(always())
	f.want(always())
	f.wantNames(always())
	f.wantValues("a", always())
	if got := f.stats(); got != (storage.Stats{}) {
		f.Errorf("Stats of an empty store = %+v", got)
	}
}

func lastWriteWins(f *fixture) {
	f.put("a 1=1 2=2 3=3")
	f.put("a 2=20")
	f.want(always(), "a 1=1 2=20 3=3")
	f.put("a 3=30")
	f.put("a 3=31")
	f.put("a 1=10")
	f.want(always(), "a 1=10 2=20 3=31")
	f.put("a 1=1 2=2 3=3") // what was there once is no reason to drop it
	f.want(always(), "a 1=1 2=2 3=3")
}

func lastWriteWinsInBatch(f *fixture) {
	f.put("a 1=1 1=2 2=3 1=4 2=5")
	f.put("b 9=1 8=1 9=2 8=2")
	f.want(always(), "a 1=4 2=5", "b 8=2 9=2")
}

// overwriteAtAnyAge: years and many samples between a sample and its replacement.
func overwriteAtAnyAge(f *fixture) {
	const day, n = 86_400_000, 5_000
	want := make([]float64, n)
	rows := make([]row, n)
	for i := range rows {
		want[i] = float64(i)
		rows[i] = row{"a", int64(i) * day, want[i]}
	}
	f.append(rows...)
	f.step()
	for round := range 3 {
		for i := round; i < n; i += 7 {
			want[i] = float64(-i - 1)
			f.append(row{"a", int64(i) * day, want[i]})
		}
		f.wantSamples("a", day, want)
		f.step()
	}
	f.wantSamples("a", day, want)
}

// wantSamples expects want[i] at i*width, and nothing else, in the series key.
func (f *fixture) wantSamples(key string, width int64, want []float64) {
	f.Helper()
	all := f.read(byKey(key))
	if len(all) != 1 || len(all[0].samples) != len(want) {
		f.Fatalf("%q: %d series, want one of %d samples: %s", key, len(all), len(want), brief(text(all)))
	}
	for i, v := range want {
		if got, want := all[0].samples[i], sampleOf(int64(i)*width, v); got != want {
			f.Fatalf("%q: sample %d is %v, want %v", key, i, got, want)
		}
	}
}

// anyOrderOfArrival: the same samples in 60 random orders, some a second time.
func anyOrderOfArrival(f *fixture) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		key := "k" + string(rune('A'+i))
		for _, t := range rng.Perm(12) {
			f.append(row{key, int64(t), float64(-t)})
			if rng.IntN(4) == 0 {
				f.append(row{key, int64(t), 99})
			}
			f.append(row{key, int64(t), float64(t)})
		}
		f.want(byKey(key), key+" 0=0 1=1 2=2 3=3 4=4 5=5 6=6 7=7 8=8 9=9 10=10 11=11")
	}
}

func severalAppenders(f *fixture) {
	apps := []storage.Appender{f.store.Appender(), f.store.Appender(), f.store.Appender()}
	var in sender
	for i := range 30 {
		if _, refused, err := in.send(apps[i%3], row{"a", int64(i / 6), float64(i)}, row{"b", 0, float64(i)}); err != nil || refused != nil {
			f.Fatalf("Append: %v %v", err, refused)
		}
	}
	f.want(always(), "a 0=5 1=11 2=17 3=23 4=29", "b 0=29")
}

func emptyBatch(f *fixture) {
	seq := f.append()
	if err := f.app.Wait(f.Context(), seq); err != nil {
		f.Errorf("Wait: %v", err)
	}
	f.want(always())
}

// keyBytes: the bytes of a key are the caller's again after Append (each send leaves
// rubbish in them, and in the rows), be it a new series or a known one.
func keyBytes(f *fixture) {
	for range 3 {
		f.put("key.one 1=1", "key.two;x=1 1=1")
		f.put("key.two;x=1 2=2", "key.one 2=2")
	}
	f.want(always(), "key.one 1=1 2=2", "key.two;x=1 1=1 2=2")
	f.want(byKey("key.two;x=1"), "key.two;x=1 1=1 2=2")
	f.wantNames(always(), storage.MetricName, "x")
	f.wantValues(storage.MetricName, always(), "key.one", "key.two")
}
