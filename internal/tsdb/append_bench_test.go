package tsdb

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"metricd/internal/storage"
)

// BenchmarkAppendShuffled appends the samples of 10,000 series in no order at all, in batches of
// 1,024 rows, as a sender without order does: no row has a Ref.
func BenchmarkAppendShuffled(b *testing.B) {
	const series, samples = 10_000, 1000
	keys := make([][]byte, series)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "host_%04d.cpu.usage_user", i)
	}
	order := rand.New(rand.NewPCG(1, 2)).Perm(series * samples)
	batch := &storage.Batch{}
	b.ReportAllocs()
	var db *DB
	var a storage.Appender
	for i := 0; b.Loop(); i++ {
		if i%len(order) == 0 {
			db, _ = Open(Options{}) // it has no reason to fail
			a = db.Appender()
		}
		at := order[i%len(order)]
		batch.Rows = append(batch.Rows, storage.Row{Key: keys[at%series], T: int64(at/series) * 10_000, V: 1.5})
		if len(batch.Rows) == 1024 {
			if _, err := a.Append(batch); err != nil {
				b.Fatal(err)
			}
			batch.Rows = batch.Rows[:0]
		}
	}
}
