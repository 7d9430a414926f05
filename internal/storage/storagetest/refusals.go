package storagetest

import (
	"errors"
	"math"

	"metricd/internal/storage"
)

func refusalChecks() []check {
	return []check{
		{"ExtremeTimes", extremeTimes},
		{"TimeRange", timeRange},
		{"EmptyKey", emptyKey},
		{"OthersTaken", othersTaken},
		{"Reset", refusedReset},
		{"NoSeries", refusedMakesNoSeries},
		{"NothingReplaced", refusedReplacesNothing},
	}
}

// refuse appends rows and expects exactly these refusals: by row, the error it wraps.
func (f *fixture) refuse(want map[int]error, rows ...row) {
	f.Helper()
	_, refused, err := f.in.send(f.app, rows...)
	if err != nil {
		f.Fatalf("Append: %v", err)
	}
	last := -1
	for _, r := range refused {
		if r.Row <= last {
			f.Errorf("refusals are not ascending: row %d after %d", r.Row, last)
		}
		last = r.Row
		if want[r.Row] == nil || !errors.Is(r.Err, want[r.Row]) {
			f.Errorf("row %d was refused with %v, want %v", r.Row, r.Err, want[r.Row])
		}
	}
	if len(refused) != len(want) {
		f.Fatalf("refused %v, want %v", refused, want)
	}
}

func extremeTimes(f *fixture) {
	f.append(row{"a", storage.MaxTime, 1}, row{"a", storage.MinTime, 2}, row{"a", 0, 3}, row{"a", -1, 4})
	f.append(row{"b", storage.MinTime, 5})
	f.append(row{"c", storage.MaxTime, 6}, row{"c", storage.MaxTime - 1, 7}, row{"c", storage.MinTime + 1, 8})
	const a = "a -9000000000000000000=2 -1=4 0=3 9000000000000000000=1"
	f.want(always(), a, "b -9000000000000000000=5",
		"c -8999999999999999999=8 8999999999999999999=7 9000000000000000000=6")
	f.want(between(storage.MinTime, storage.MaxTime), a, "b -9000000000000000000=5",
		"c -8999999999999999999=8 8999999999999999999=7 9000000000000000000=6")
	f.want(between(storage.MaxTime, math.MaxInt64), "a 9000000000000000000=1", "c 9000000000000000000=6")
	f.want(between(math.MinInt64, storage.MinTime), "a -9000000000000000000=2", "b -9000000000000000000=5")
	f.want(between(storage.MaxTime+1, math.MaxInt64))
	f.want(between(math.MinInt64, storage.MinTime-1))
	f.append(row{"a", storage.MaxTime, 10}, row{"a", storage.MinTime, 20})
	f.want(byKey("a"), "a -9000000000000000000=20 -1=4 0=3 9000000000000000000=10")
	f.delete(between(storage.MaxTime, storage.MaxTime))
	f.delete(between(storage.MinTime, storage.MinTime))
	f.want(always(), "a -1=4 0=3", "c -8999999999999999999=8 8999999999999999999=7")
}

func timeRange(f *fixture) {
	for _, t := range []int64{storage.MinTime - 1, storage.MaxTime + 1, math.MinInt64, math.MaxInt64} {
		f.refuse(map[int]error{0: storage.ErrTimeRange}, row{"a", t, 1})
	}
	f.want(always())
}

func emptyKey(f *fixture) {
	f.refuse(map[int]error{0: storage.ErrKey}, row{"", 1, 1})
	f.refuse(map[int]error{0: storage.ErrKey, 1: storage.ErrKey}, row{"", 1, 1}, row{"", 2, 1})
	f.want(always())
}

func othersTaken(f *fixture) {
	beyond := storage.MaxTime + 1
	f.refuse(map[int]error{0: storage.ErrKey, 2: storage.ErrTimeRange, 3: storage.ErrTimeRange, 5: storage.ErrKey},
		row{"", 1, 1}, row{"a", 1, 2}, row{"a", beyond, 3}, row{"b", beyond, 4}, row{"c", 1, 5}, row{"", 1, 6}, row{"a", 2, 7})
	f.want(always(), "a 1=2 2=7", "c 1=5")
}

// refusedReset: Refused says only what this Append refused, whatever it held before.
func refusedReset(f *fixture) {
	f.refuse(map[int]error{1: storage.ErrKey}, row{"a", 1, 1}, row{"", 1, 1})
	f.refuse(nil, row{"a", 2, 2}, row{"a", 3, 3})
	f.in.batch.Refused = []storage.Refusal{{Row: 7, Err: storage.ErrTooOld}, {Row: 8, Err: storage.ErrTooOld}}
	f.refuse(map[int]error{0: storage.ErrKey}, row{"", 4, 4}, row{"a", 4, 4})
	f.in.batch.Refused = []storage.Refusal{{Row: 7, Err: storage.ErrTooOld}}
	f.refuse(nil)
	f.want(always(), "a 1=1 2=2 3=3 4=4")
}

// refusedMakesNoSeries: not even a place in the order.
func refusedMakesNoSeries(f *fixture) {
	f.refuse(map[int]error{0: storage.ErrTimeRange}, row{"late;x=1", math.MaxInt64, 1})
	if n := f.stats().Series; n != 0 {
		f.Errorf("%d series after a refusal, want 0", n)
	}
	f.wantNames(always())
	f.put("first 1=1", "late;x=1 1=1")
	f.want(always(), "first 1=1", "late;x=1 1=1")
}

func refusedReplacesNothing(f *fixture) {
	f.append(row{"a", storage.MaxTime, 1}, row{"a", storage.MinTime, 1})
	f.refuse(map[int]error{0: storage.ErrTimeRange, 1: storage.ErrTimeRange}, row{"a", storage.MaxTime + 1, 2}, row{"a", storage.MinTime - 1, 2})
	f.want(always(), "a -9000000000000000000=1 9000000000000000000=1")
}
