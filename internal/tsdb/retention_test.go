package tsdb

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// clock is a clock that tests set. Safe for concurrent use.
type clock struct{ ms atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.ms.Store(at.UnixMilli())
	return c
}

func (c *clock) now() time.Time               { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration)      { c.ms.Add(d.Milliseconds()) }
func (c *clock) before(d time.Duration) int64 { return c.ms.Load() - d.Milliseconds() }

var someDay = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// putAt appends one sample and returns why it was refused, if it was.
func putAt(t *testing.T, db *DB, key string, ts int64, v float64) error {
	t.Helper()
	b := batch(storage.Row{Key: []byte(key), T: ts, V: v})
	if _, err := db.Appender().Append(b); err != nil {
		t.Fatalf("append: %v", err)
	}
	if len(b.Refused) > 0 {
		return b.Refused[0].Err
	}
	return nil
}

// shown returns what the store shows: for each series, in order, its key and times.
func shown(t *testing.T, db *DB) (all []string) {
	t.Helper()
	set := db.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	for set.Next() {
		line := set.At().Key()
		it := set.At().Iterator(nil)
		for it.Next() {
			ts, v := it.At()
			line += fmt.Sprintf(" %d=%g", ts, v)
		}
		if it.Err() != nil {
			t.Fatal(it.Err())
		}
		all = append(all, line)
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	return all
}

func wantShown(t *testing.T, db *DB, want ...string) {
	t.Helper()
	if got := shown(t, db); !slices.Equal(got, want) {
		t.Fatalf("the store shows\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func mustExpire(t *testing.T, db *DB) {
	t.Helper()
	if err := db.expire(); err != nil {
		t.Fatal(err)
	}
}

// TestRetention goes through the life of samples that become too old.
func TestRetention(t *testing.T) {
	clk := newClock(someDay)
	var logged []string
	o := Options{
		Dir: "d", FS: vfs.NewMem(), Retention: 10 * day, Now: clk.now, MaxSeries: 2,
		Logf: func(format string, args ...any) { logged = append(logged, fmt.Sprintf(format, args...)) },
	}
	db := mustOpen(t, o)
	old, young := clk.before(9*day), clk.before(day)
	for _, err := range []error{putAt(t, db, "a", old, 1), putAt(t, db, "a", young, 2), putAt(t, db, "b", old, 3)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := putAt(t, db, "a", clk.before(10*day)-1, 4); !errors.Is(err, storage.ErrTooOld) {
		t.Fatalf("a sample that is too old: %v, want %v", err, storage.ErrTooOld)
	}
	if err := putAt(t, db, "c", young, 5); !errors.Is(err, storage.ErrSeriesLimit) {
		t.Fatalf("a third series: %v, want %v", err, storage.ErrSeriesLimit)
	}
	a := fmt.Sprintf("a %d=1 %d=2", old, young)
	wantShown(t, db, a, fmt.Sprintf("b %d=3", old))

	// What is too old is hidden at once, and a series that is hidden does not count.
	clk.advance(2 * day)
	young1 := fmt.Sprintf("a %d=2", young)
	wantShown(t, db, young1)
	if st, err := db.Stats(); err != nil || st.Series != 1 {
		t.Fatalf("stats: %d series, %v; want 1", st.Series, err)
	}
	if err := putAt(t, db, "c", young, 5); err != nil {
		t.Fatal(err)
	}
	if err := putAt(t, db, "b", young, 6); !errors.Is(err, storage.ErrSeriesLimit) {
		t.Fatalf("a hidden series put again, at the limit: %v, want %v", err, storage.ErrSeriesLimit)
	}
	if err := db.Delete(t.Context(), storage.Query{Key: "c", Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
		t.Fatal(err)
	}
	// Put again it comes back.
	if err := putAt(t, db, "b", young, 6); err != nil {
		t.Fatal(err)
	}
	wantShown(t, db, young1, fmt.Sprintf("b %d=6", young))

	// A higher limit shows again what was not dropped: the clock may have been wrong.
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o.Retention = 0
	db = mustOpen(t, o)
	wantShown(t, db, a, fmt.Sprintf("b %d=3 %d=6", old, young))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	// A window is dropped when all of it is too old.
	o.Retention = 10 * day
	db = mustOpen(t, o)
	clk.advance(2 * day)
	mustExpire(t, db)
	if n, err := db.blocks.Counts(minInt64, old); n != 0 || err != nil {
		t.Fatalf("%d samples are left in old windows, %v", n, err)
	}
	wantShown(t, db, young1, fmt.Sprintf("b %d=6", young))
	if st, err := db.Stats(); err != nil || st.Samples != 2 {
		t.Fatalf("stats: %d samples, %v; want 2", st.Samples, err)
	}

	// All at once is too much.
	clk.advance(30 * day)
	mustExpire(t, db)
	if n, err := db.blocks.Counts(minInt64, maxInt64); n != 2 || err != nil {
		t.Fatalf("%d samples are left, %v; want 2", n, err)
	}
	if all := strings.Join(logged, "\n"); !strings.Contains(all, "retention refuses to drop 2 of all 2 samples") {
		t.Fatalf("logged %q", all)
	}
	wantShown(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o.DropMost = true
	db = mustOpen(t, o)
	mustExpire(t, db)
	if st, err := db.Stats(); err != nil || st.Samples != 0 || st.Series != 0 {
		t.Fatalf("stats: %+v, %v; want nothing", st, err)
	}
	if n := db.mu.count(); n != 0 {
		t.Fatalf("%d series are in memory", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o.Retention = 0
	db = mustOpen(t, o)
	defer db.Close()
	wantShown(t, db)
}

// TestHiddenSeriesAreNotCounted: what retention hides or drops makes room for other series, and no more than that.
func TestHiddenSeriesAreNotCounted(t *testing.T) {
	clk := newClock(someDay)
	db := mustOpen(t, Options{Dir: "d", FS: vfs.NewMem(), Retention: 10 * day, Now: clk.now, MaxSeries: 10, DropMost: true})
	defer db.Close()
	fill := func(prefix string, want int) {
		t.Helper()
		taken := 0
		for i := range 30 {
			if err := putAt(t, db, fmt.Sprint(prefix, i), clk.ms.Load(), 1); err == nil {
				taken++
			} else if !errors.Is(err, storage.ErrSeriesLimit) {
				t.Fatal(err)
			}
		}
		if taken != want {
			t.Errorf("%d series of %s were taken, want %d", taken, prefix, want)
		}
	}
	fill("a", 10)
	clk.advance(11 * day)
	fill("b", 10)
	fill("a", 0) // they would come back
	mustExpire(t, db)
	fill("c", 0)
	clk.advance(12 * day)
	fill("d", 10)
	if err := db.Delete(t.Context(), storage.Query{Key: "d1", Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
		t.Fatal(err)
	}
	fill("e", 1)
}

// TestRetentionPowerCut: chunks are not dropped for good before the log has the end of their series.
func TestRetentionPowerCut(t *testing.T) {
	clk := newClock(someDay)
	fs := vfs.NewCrashableMem()
	o := Options{Dir: "d", FS: fs, Retention: 10 * day, DropMost: true, Now: clk.now, SyncInterval: time.Hour}
	db := mustOpen(t, o)
	defer db.Close()
	if err := putAt(t, db, "a", clk.before(day), 1); err != nil {
		t.Fatal(err)
	}
	clk.advance(20 * day)
	mustExpire(t, db)
	o.FS, o.Retention = fs.CrashClone(vfs.CrashCloneCfg{}), 0
	again := mustOpen(t, o)
	defer again.Close()
	wantShown(t, again)
}

// TestRetentionRandom compares a store with a map while time passes, windows are dropped, and the width of windows
// changes.
func TestRetentionRandom(t *testing.T) {
	for seed := range uint64(few(30)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			clk := newClock(someDay)
			retentions := []time.Duration{time.Hour, 10 * time.Hour, 10 * day, 30 * day}
			o := Options{Dir: "d", FS: vfs.NewMem(), Retention: retentions[rnd.IntN(4)], Now: clk.now, DropMost: true, FlushLog: 3000, chunkSamples: 2 << rnd.IntN(9)}
			if seed%5 == 0 {
				o.Dir = ""
			}
			db := mustOpen(t, o)
			m := model{kept: map[string]map[int64]float64{}}
			for step := range 300 {
				limit := clk.before(o.Retention)
				switch rnd.IntN(30) {
				case 0:
					clk.advance(time.Duration(rnd.Int64N(int64(o.Retention) / 3)))
				case 1:
					mustExpire(t, db)
				case 2:
					if err := db.Flush(); err != nil {
						t.Fatal(err)
					}
				case 3:
					key := fmt.Sprintf("k%d", rnd.IntN(8))
					if err := db.Delete(t.Context(), storage.Query{Key: key, Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
						t.Fatal(err)
					}
					delete(m.kept, key)
				case 4:
					if o.Dir == "" {
						break
					}
					if err := db.Close(); err != nil {
						t.Fatal(err)
					}
					if rnd.IntN(3) == 0 {
						// What a lower limit hid and did not drop may come back: the map knows only what is shown.
						o.Retention = retentions[rnd.IntN(4)]
						clk.advance(30 * day)
					}
					db = mustOpen(t, o)
				default:
					key := fmt.Sprintf("k%d", rnd.IntN(8))
					ts := clk.before(time.Duration(rnd.Int64N(int64(o.Retention) * 5 / 4)))
					err := putAt(t, db, key, ts, float64(step))
					if late := ts < limit; late != errors.Is(err, storage.ErrTooOld) || !late && err != nil {
						t.Fatalf("put at %d with limit %d: %v", ts, limit, err)
					}
					if err == nil {
						m.put(key, ts, float64(step), limit)
					}
				}
				m.compare(t, db, clk.before(o.Retention))
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// model is what a store with retention shows.
type model struct {
	order []string
	kept  map[string]map[int64]float64
}

func (m *model) put(key string, ts int64, v float64, limit int64) {
	maps.DeleteFunc(m.kept[key], func(ts int64, _ float64) bool { return ts < limit })
	if len(m.kept[key]) == 0 {
		m.kept[key] = map[int64]float64{}
		m.order = append(slices.DeleteFunc(m.order, func(k string) bool { return k == key }), key)
	}
	m.kept[key][ts] = v
}

func (m *model) compare(t *testing.T, db *DB, limit int64) {
	t.Helper()
	var want []string
	for _, key := range m.order {
		line := key
		for _, ts := range slices.Sorted(maps.Keys(m.kept[key])) {
			if ts >= limit {
				line += fmt.Sprintf(" %d=%g", ts, m.kept[key][ts])
			}
		}
		if line != key {
			want = append(want, line)
		}
	}
	got := shown(t, db)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("the store shows\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestWiderWindows: windows get another width with another retention, but where samples are later than now they keep it.
func TestWiderWindows(t *testing.T) {
	for name, future := range map[string]time.Duration{"past": 0, "future": 100 * day} {
		t.Run(name, func(t *testing.T) {
			clk := newClock(someDay)
			var logged []string
			o := Options{Dir: "d", FS: vfs.NewMem(), Now: clk.now, Logf: func(format string, args ...any) { logged = append(logged, fmt.Sprintf(format, args...)) }}
			for i, retention := range []time.Duration{0, 30 * day, 0} {
				o.Retention = retention
				db := mustOpen(t, o)
				if err := putAt(t, db, "a", clk.ms.Load()+future.Milliseconds()+int64(i), 1); err != nil {
					t.Fatal(err)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if warned := strings.Contains(strings.Join(logged, "\n"), "samples of the future"); warned != (future > 0) {
				t.Errorf("logged %q", logged)
			}
		})
	}
}

// TestWindows: every time is in one window, and windows of different widths don't overlap.
func TestWindows(t *testing.T) {
	es := eras{{minInt64, 100}}.next(1050, 30)
	if want := (eras{{minInt64, 100}, {1100, 30}}); !slices.Equal(es, want) {
		t.Fatalf("eras %v, want %v", es, want)
	}
	if again := es.next(1000, 7); !slices.Equal(again, eras{{minInt64, 100}, {1100, 7}}) {
		t.Fatalf("an era that holds nothing was kept: %v", again)
	}
	if back := es.next(1000, 100); !slices.Equal(back, es[:1]) {
		t.Fatalf("back to the first width: %v", back)
	}
	for _, tt := range []struct{ t, first, end int64 }{
		{0, 0, 100},
		{-1, -100, 0},
		{-100, -100, 0},
		{1099, 1000, 1100},
		{1100, 1100, 1130},
		{1130, 1130, 1160},
		{storage.MinTime, -9_000_000_000_000_000_000, -8_999_999_999_999_999_900},
	} {
		if first, end := es.window(tt.t); first != tt.first || end != tt.end {
			t.Errorf("%d is in [%d, %d), want [%d, %d)", tt.t, first, end, tt.first, tt.end)
		}
	}
	for retention, want := range map[time.Duration]time.Duration{
		0: 30 * day, time.Minute: 5 * time.Minute, 8 * time.Hour: time.Hour, 30 * day: 3 * day, 365 * day: 30 * day,
	} {
		if got := windowWidth(retention); got != want.Milliseconds() {
			t.Errorf("windows for %v are %d ms wide, want %v", retention, got, want)
		}
	}
}
