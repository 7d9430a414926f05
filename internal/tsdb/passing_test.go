package tsdb

import (
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"metricd/internal/storage"
)

var (
	churnDays   = flag.Int("days", 60, "how many days TestDaysPass goes through; scripts/soak takes more")
	churnSeries = flag.Int("series-a-day", 200, "how many series come each of these days, to be put for an hour")
)

// steadySeries are put all the time, every ten minutes.
const steadySeries = 20

// TestDaysPass lets series come and go for days, with a retention of 30 days, by a clock of its own. After 40 days what they take in
// memory and on disk grows no more, but for what waits to be compacted.
func TestDaysPass(t *testing.T) {
	clk := newClock(someDay)
	db := mustOpen(t, Options{Dir: t.TempDir(), Retention: 30 * day, Now: clk.now, SyncInterval: time.Second})
	defer db.Close()
	a := db.Appender()
	var level churned
	for d := 1; d <= *churnDays; d++ {
		putDay(t, a, clk, d)
		mustExpire(t, db)
		if d%10 != 0 && d != *churnDays {
			continue
		}
		c := measureChurn(t, db)
		t.Logf("day %3d: %v", d, c)
		if d == 40 {
			level = c
		}
		if d > 40 && (c.series > level.series*11/10 || c.memory > level.memory*3/2 || c.disk > level.disk*2) {
			t.Errorf("on day %d there is more than on day 40: %v", d, level)
		}
	}
	wantSeries := 30**churnSeries + steadySeries // and those of a part of a day
	if n := measureChurn(t, db).series; *churnDays > 30 && (n < int64(wantSeries) || n > int64(wantSeries+*churnSeries)) {
		t.Errorf("%d series are shown, want about %d", n, wantSeries)
	}
}

// putDay puts a day's samples: of steady series, and of those that come this day, a few each hour.
func putDay(t *testing.T, a storage.Appender, clk *clock, d int) {
	b := &storage.Batch{}
	send := func() {
		if _, err := a.Append(b); err != nil || len(b.Refused) > 0 {
			t.Fatalf("append: %v, refused %v", err, b.Refused)
		}
		b.Rows = b.Rows[:0]
	}
	for slot := range 24 * 6 {
		hour := slot / 6
		for i := range steadySeries {
			b.Rows = append(b.Rows, storage.Row{Key: fmt.Appendf(nil, "host_%d.cpu", i), T: clk.ms.Load(), V: float64(slot + i)})
		}
		for i := *churnSeries * hour / 24; i < *churnSeries*(hour+1)/24; i++ {
			b.Rows = append(b.Rows, storage.Row{Key: fmt.Appendf(nil, "job-%d-%d.cpu", d, i), T: clk.ms.Load(), V: float64(slot)})
			if len(b.Rows) >= 1024 {
				send()
			}
		}
		send()
		clk.advance(10 * time.Minute)
	}
}

// churned is what a store holds and takes; bytes.
type churned struct {
	series, samples          int64
	inMemory                 int // series, those that are hidden included
	memory, heap, disk, logs int64
}

func (c churned) String() string {
	return fmt.Sprintf("%d series shown, %d in memory, %d samples; memory %.1f MB, heap %.1f MB, chunks %.1f MB, log %.1f MB",
		c.series, c.inMemory, c.samples, float64(c.memory)/1e6, float64(c.heap)/1e6, float64(c.disk)/1e6, float64(c.logs)/1e6)
}

func measureChurn(t *testing.T, db *DB) churned {
	t.Helper()
	st, err := db.Stats()
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	c := churned{series: st.Series, samples: st.Samples, memory: st.MemoryBytes, heap: int64(mem.HeapAlloc), logs: db.log.Size()}
	db.mu.RLock()
	c.inMemory = db.mu.count()
	db.mu.RUnlock()
	err = filepath.WalkDir(filepath.Join(db.opts.Dir, chunksDir), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // it went meanwhile
		}
		if info, err := e.Info(); err == nil {
			c.disk += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
