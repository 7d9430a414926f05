package storagetest

import (
	"math"

	"metricd/internal/storage"
)

func rangeChecks() []check {
	return []check{
		{"Inclusive", rangeInclusive},
		{"Empty", rangeEmpty},
		{"Gap", rangeInGap},
		{"Negative", negativeTimes},
		{"WholeInt64", wholeInt64},
		{"EveryPair", everyPair},
	}
}

func rangeInclusive(f *fixture) {
	f.put("a 10=1 20=2 30=3", "b 20=4")
	f.want(between(10, 30), "a 10=1 20=2 30=3", "b 20=4")
	f.want(between(11, 29), "a 20=2", "b 20=4")
	f.want(between(20, 20), "a 20=2", "b 20=4")
	f.want(between(30, 30), "a 30=3")
	f.want(between(10, 10), "a 10=1")
	f.want(during(byKey("a"), 10, 20), "a 10=1 20=2")
	f.want(during(byKey("b"), 20, 20), "b 20=4")
}

func rangeEmpty(f *fixture) {
	f.put("a 10=1 20=2")
	for _, q := range []storage.Query{
		between(20, 10), between(11, 10), between(math.MaxInt64, math.MinInt64), between(storage.MaxTime, storage.MinTime),
		during(byKey("a"), 20, 10),
	} {
		f.want(q)
		f.wantNames(q)
		f.wantValues(storage.MetricName, q)
		f.delete(q)
	}
	f.want(always(), "a 10=1 20=2")
}

// rangeInGap: a series without a sample in the range is not there, though it has some
// before and after.
func rangeInGap(f *fixture) {
	f.put("a 10=1 20=2", "b 15=3")
	f.want(between(11, 19), "b 15=3")
	f.want(during(byKey("a"), 11, 19))
	f.want(between(21, math.MaxInt64))
	f.want(between(math.MinInt64, 9))
}

func negativeTimes(f *fixture) {
	f.put("a 0=0 -1=1 1=2 -1000=3 -86400000000=4 86400000000=5")
	f.want(always(), "a -86400000000=4 -1000=3 -1=1 0=0 1=2 86400000000=5")
	f.want(between(-1000, -1), "a -1000=3 -1=1")
	f.want(between(-999, 0), "a -1=1 0=0")
	f.want(between(math.MinInt64, -1001), "a -86400000000=4")
	f.put("a -1=10")
	f.want(between(-1, -1), "a -1=10")
}

func wholeInt64(f *fixture) {
	f.put("a 1=1", "b -1=2")
	f.want(between(math.MinInt64, math.MaxInt64), "a 1=1", "b -1=2")
	f.want(between(0, math.MaxInt64), "a 1=1")
	f.want(between(math.MinInt64, 0), "b -1=2")
	f.want(between(math.MinInt64, math.MinInt64))
	f.want(between(math.MaxInt64, math.MaxInt64))
	f.delete(between(math.MinInt64, math.MaxInt64))
	f.want(always())
}

// everyPair: all ranges over few samples, arrived out of order, against a plain loop.
func everyPair(f *fixture) {
	times := []int64{9, 3, -4, 0, 7, -2, 4}
	for _, t := range times {
		f.append(row{"a", t, float64(t)})
	}
	for mint := int64(-6); mint <= 11; mint++ {
		for maxt := mint - 1; maxt <= 11; maxt++ {
			n := 0
			for _, t := range times {
				if mint <= t && t <= maxt {
					n++
				}
			}
			all := f.read(between(mint, maxt))
			if n == 0 && len(all) == 0 || len(all) == 1 && len(all[0].samples) == n {
				continue
			}
			f.Fatalf("[%d,%d]: %q, want %d samples", mint, maxt, text(all), n)
		}
	}
}
