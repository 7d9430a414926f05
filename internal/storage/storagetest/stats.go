package storagetest

import (
	"math"

	"metricd/internal/storage"
)

func statsChecks() []check {
	return []check{
		{"Counts", statsCounts},
		{"Refused", statsRefused},
		{"Delete", statsDelete},
		{"Late", statsLate},
		{"Step", statsAfterStep},
	}
}

func (f *fixture) wantStats(want storage.Stats) {
	f.Helper()
	if got := f.stats(); got != want {
		f.Fatalf("Stats:\n got  %+v\n want %+v", got, want)
	}
}

func statsCounts(f *fixture) {
	f.put("a 1=1 2=2", "b 5=1")
	f.wantStats(storage.Stats{Series: 2, Samples: 3, Appended: 3})
	f.put("a 2=3") // the newest again: replaced, not late
	f.wantStats(storage.Stats{Series: 2, Samples: 3, Appended: 4, Overwritten: 1})
	f.put("a 1=1") // replaced and late, though the value is the same
	f.wantStats(storage.Stats{Series: 2, Samples: 3, Appended: 5, Overwritten: 2, Late: 1})
	f.put("b 3=1", "b 4=1 4=2", "a 7=1")
	f.wantStats(storage.Stats{Series: 2, Samples: 6, Appended: 9, Overwritten: 3, Late: 4})
	f.put("c;x=1;y=1 1=1", "c;y=1;x=1 1=2")
	f.wantStats(storage.Stats{Series: 3, Samples: 7, Appended: 11, Overwritten: 4, Late: 4})
	f.read(always())
	f.wantStats(storage.Stats{Series: 3, Samples: 7, Appended: 11, Overwritten: 4, Late: 4})
}

func statsRefused(f *fixture) {
	f.refuse(map[int]error{0: storage.ErrKey, 2: storage.ErrTimeRange}, row{"", 1, 1}, row{"a", 1, 1}, row{"b", math.MinInt64, 1})
	f.wantStats(storage.Stats{Series: 1, Samples: 1, Appended: 1, Refused: 2})
	f.refuse(map[int]error{0: storage.ErrTimeRange}, row{"a", math.MaxInt64, 1})
	f.put("a 0=1") // late against what was taken
	f.wantStats(storage.Stats{Series: 1, Samples: 2, Appended: 2, Late: 1, Refused: 3})
}

func statsDelete(f *fixture) {
	f.put("a 1=1 2=2 3=3", "b 1=1 2=2")
	f.delete(between(2, 2))
	f.wantStats(storage.Stats{Series: 2, Samples: 3, Appended: 5})
	f.put("a 2=2") // nothing there to replace
	f.wantStats(storage.Stats{Series: 2, Samples: 4, Appended: 6, Late: 1})
	f.delete(byKey("b"))
	f.wantStats(storage.Stats{Series: 1, Samples: 3, Appended: 6, Late: 1})
	f.delete(always())
	f.wantStats(storage.Stats{Appended: 6, Late: 1})
	f.delete(always())
	f.put("b 1=1")
	f.wantStats(storage.Stats{Series: 1, Samples: 1, Appended: 7, Late: 1})
}

// statsLate: the newest sample is the newest that there is now.
func statsLate(f *fixture) {
	f.put("a 10=1 20=1 30=1")
	f.delete(between(20, 30))
	f.put("a 15=1")
	f.wantStats(storage.Stats{Series: 1, Samples: 2, Appended: 4})
	f.put("a 12=1")
	f.wantStats(storage.Stats{Series: 1, Samples: 3, Appended: 5, Late: 1})
}

// statsAfterStep: what is stored is counted on in another store; the rest begins at 0.
func statsAfterStep(f *fixture) {
	f.put("a 1=1 2=2", "b 1=1 1=2")
	want := storage.Stats{Series: 2, Samples: 3, Appended: 4, Overwritten: 1}
	if f.step() {
		want = storage.Stats{Series: 2, Samples: 3}
	}
	f.wantStats(want)
	f.put("a 1=5 3=3", "b 0=1", "c 1=1")
	want.Series, want.Samples = 3, 6
	want.Appended += 4
	want.Overwritten++
	want.Late += 2
	f.wantStats(want)
}
