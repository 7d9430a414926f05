package tsdb

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"metricd/internal/storage"
)

// BenchmarkFlushWide flushes 200,000 series of five samples to a new store, and tells the CPU time of that, Pebble's
// goroutines included.
func BenchmarkFlushWide(b *testing.B) {
	const series, samples = 200_000, 5
	keys := make([][]byte, series)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "host_%06d.cpu.usage_user", i)
	}
	cpu := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	var spent time.Duration
	for b.Loop() {
		db, err := Open(Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		a := db.Appender()
		batch := &storage.Batch{}
		for i := range series * samples {
			key := i % series
			batch.Rows = append(batch.Rows, storage.Row{Key: keys[key], T: int64(i/series) * 10_000, V: float64((key*7+i/series*31)%1000) / 10})
			if len(batch.Rows) == 1000 {
				if _, err := a.Append(batch); err != nil {
					b.Fatal(err)
				}
				batch.Rows = batch.Rows[:0]
			}
		}
		began := cpu()
		if err := db.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		spent += cpu() - began
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*series), "cpu-ns/series")
}
