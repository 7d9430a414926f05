package storagetest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

func bulkChecks() []check {
	const n = 100_000
	order := func(perm func(i int) int64) func(f *fixture) {
		return func(f *fixture) { manySamples(f, n, perm) }
	}
	shuffled := rand.New(rand.NewPCG(9, 10)).Perm(n)
	return []check{
		{"SeriesInBulk", seriesInBulk},
		{"SeriesInterleaved", seriesInterleaved},
		{"SamplesInOrder", order(func(i int) int64 { return int64(i) })},
		{"SamplesReversed", order(func(i int) int64 { return int64(n - 1 - i) })},
		{"SamplesShuffled", order(func(i int) int64 { return int64(shuffled[i]) })},
		{"SamplesNearlyInOrder", order(func(i int) int64 { return int64(i ^ 5) })},
		{"Duplicates", duplicates},
		{"LateAmongMany", lateAmongMany},
	}
}

// pair is the sample t=t.
func pair(t int64) string {
	s := strconv.FormatInt(t, 10)
	return s + "=" + s
}

// appendRun appends n samples to key, the i-th at time at(i), which is its value too.
func (f *fixture) appendRun(key string, n int, at func(i int) int64) {
	f.Helper()
	const batch = 997
	rows := make([]row, 0, batch)
	for i := range n {
		t := at(i)
		rows = append(rows, row{key, t, float64(t)})
		if len(rows) == batch || i == n-1 {
			f.append(rows...)
			rows = rows[:0]
		}
	}
}

// manySamples: times 0 to n-1 in the order of perm, with a Step in between.
func manySamples(f *fixture, n int, perm func(i int) int64) {
	f.put("before 1=1")
	f.appendRun("a", n/2, perm)
	f.step()
	f.appendRun("a", n-n/2, func(i int) int64 { return perm(n/2 + i) })
	want := make([]float64, n)
	for i := range want {
		want[i] = float64(i)
	}
	f.wantSamples("a", 1, want)
	mid := int64(n / 2)
	f.want(during(byKey("a"), mid, mid+2), "a "+pair(mid)+" "+pair(mid+1)+" "+pair(mid+2))
	f.want(byKey("before"), "before 1=1")
}

// duplicates: 60,000 rows over 500 times.
func duplicates(f *fixture) {
	rng := rand.New(rand.NewPCG(11, 12))
	want := make([]float64, 500)
	for i := range want {
		want[i] = -1
		f.append(row{"a", int64(i), -1})
	}
	rows := make([]row, 1000)
	for range 60 {
		for i := range rows {
			t := rng.IntN(len(want))
			want[t] = rng.Float64()
			rows[i] = row{"a", int64(t), want[t]}
		}
		f.append(rows...)
	}
	f.wantSamples("a", 1, want)
	f.step()
	f.wantSamples("a", 1, want)
}

// lateAmongMany: each of 200 late samples is seen at once among 20,000.
func lateAmongMany(f *fixture) {
	const n, width = 20_000, 10
	f.appendRun("a", n, func(i int) int64 { return int64(i) * width })
	rng := rand.New(rand.NewPCG(13, 14))
	for i := range 200 {
		t := rng.Int64N(n)*width + rng.Int64N(width)
		f.append(row{"a", t, float64(t)})
		f.compare("", during(byKey("a"), t, t), []string{"a " + pair(t)})
		if i%50 == 49 {
			f.step()
		}
	}
}

// seriesInBulk: 5,000 series in one batch, then a second sample of each.
func seriesInBulk(f *fixture) {
	const n = 5000
	rows, want := make([]row, n), make([]string, n)
	for i := range rows {
		key := fmt.Sprintf("host_%04d.cpu;core=%d", i, i%8)
		rows[i] = row{key, 1, float64(i)}
		want[i] = fmt.Sprintf("%s 1=%d 2=%d", key, i, i)
	}
	f.append(rows...)
	for i := range rows {
		rows[i].t = 2
	}
	f.append(rows...)
	f.want(always(), want...)
	f.want(byKey("host_4321.cpu;core=1"), want[4321])
	f.delete(where("core!=3"))
	f.wantCounts(n/8, n/8*2)
	f.want(byKey("host_0003.cpu;core=3"), want[3])
}

// seriesInterleaved: rounds over 2,000 series as agents send them, except that the order
// changes, some stay away, and two appenders share the work.
func seriesInterleaved(f *fixture) {
	const n, rounds = 2000, 12
	rng := rand.New(rand.NewPCG(15, 16))
	want := make([][]sample, n)
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "agent" + strconv.Itoa(i)
	}
	rows := make([]row, 0, n)
	for round := range rounds {
		order := rng.Perm(n)
		if round%3 < 2 {
			for i := range order {
				order[i] = i
			}
		}
		rows = rows[:0]
		for _, i := range order {
			if rng.IntN(10) > 0 || round == 0 {
				v := rng.Float64()
				rows = append(rows, row{keys[i], int64(round), v})
				want[i] = append(want[i], sampleOf(int64(round), v))
			}
		}
		f.append(rows[:len(rows)/2]...)
		f.app = f.store.Appender()
		f.append(rows[len(rows)/2:]...)
		if round%5 == 4 {
			f.step()
		}
	}
	lines := make([]series, n)
	for i := range lines {
		lines[i] = series{key: keys[i], samples: want[i]}
	}
	f.want(always(), text(lines)...)
}
