package tsdb

import (
	"fmt"
	"testing"
	"time"

	"metricd/internal/storage"
)

// BenchmarkDelete removes a part, or all, of the samples of 10,000 series with 1,000 in chunks each, while somebody puts one at a time:
// stall-ms is the longest that a put took.
func BenchmarkDelete(b *testing.B) {
	const series, samples = 10_000, 1000
	for name, q := range map[string]storage.Query{
		"half": {Mint: samples / 2 * 1000, Maxt: storage.MaxTime},
		"all":  {Mint: 0, Maxt: samples * 1000},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				db := mustOpen(b, Options{Dir: b.TempDir()})
				fillChunks(b, db, series, samples)
				stop := make(chan struct{})
				stalled := make(chan time.Duration)
				go func() { stalled <- longestPut(db, stop) }()
				b.StartTimer()
				if err := db.Delete(b.Context(), q); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				close(stop)
				b.ReportMetric(float64((<-stalled).Microseconds())/1000, "stall-ms")
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fillChunks puts samples a second apart into series, from 0 on, and flushes.
func fillChunks(b *testing.B, db *DB, series, samples int) {
	batch := &storage.Batch{Rows: make([]storage.Row, series)}
	for i := range batch.Rows {
		batch.Rows[i].Key = fmt.Appendf(nil, "host_%04d.cpu.usage_%d", i/10, i%10)
	}
	a := db.Appender()
	for s := range samples {
		for i := range batch.Rows {
			batch.Rows[i].T, batch.Rows[i].V = int64(s)*1000, float64(s*i%1000)
		}
		if _, err := a.Append(batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Flush(); err != nil {
		b.Fatal(err)
	}
}

// longestPut puts until stop is closed, and returns the longest time that took.
func longestPut(db *DB, stop chan struct{}) (longest time.Duration) {
	a, b := db.Appender(), batch(storage.Row{Key: []byte("putting"), T: -1})
	for {
		select {
		case <-stop:
			return longest
		default:
			start := time.Now()
			_, _ = a.Append(b)
			longest = max(longest, time.Since(start))
		}
	}
}
