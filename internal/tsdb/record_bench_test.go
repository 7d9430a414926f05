package tsdb

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rowSum is a recordVisitor for rows that does next to nothing.
type rowSum struct{ sum uint64 }

func (s *rowSum) series(uint64, []byte) error              { return nil }
func (s *rowSum) removed(uint64, int64, int64, bool) error { return nil }
func (s *rowSum) row(id uint64, t int64, bits uint64) error {
	s.sum += id ^ uint64(t) ^ bits
	return nil
}

// walkRows are n rows as agents send them: one series after another, at one time, walks of two decimals.
func walkRows(n int) []recordEntry {
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]recordEntry, n)
	at := 5000
	for i := range rows {
		at = min(9999, max(0, at+r.IntN(201)-100))
		rows[i] = rowEntry(uint64(1+i%10_000), 1_700_000_000_000+int64(i/10_000)*10_000, float64(at)/100)
	}
	return rows
}

// recordLoads are rows to measure with, many enough that the branch predictor does not know them by heart.
func recordLoads() map[string][]benchRow {
	const n = 1 << 14
	r := rand.New(rand.NewPCG(3, 4))
	shuffled := walkRows(n)
	r.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	mixed, digits, zeros := walkRows(n), walkRows(n), walkRows(n)
	for i := range n {
		k := r.IntN(4)
		v := math.Round(r.Float64()*1000*recordPowers[k]) / recordPowers[k]
		mixed[i].bits = math.Float64bits(v)
		digits[i].bits = math.Float64bits(r.Float64() * 100)
		zeros[i].bits = 0
	}
	return map[string][]benchRow{
		"walk": benchRows(walkRows(n)), "shuffle": benchRows(shuffled), "mixed": benchRows(mixed),
		"17digits": benchRows(digits), "zeros": benchRows(zeros),
	}
}

// A benchRow is a row in little memory.
type benchRow struct {
	id   uint64
	t    int64
	bits uint64
}

func benchRows(entries []recordEntry) []benchRow {
	var rows []benchRow
	for _, e := range entries {
		rows = append(rows, benchRow{e.id, e.t, e.bits})
	}
	return rows
}

const benchBatch = 1024 // rows in a record

func BenchmarkRecordRow(b *testing.B) {
	for name, rows := range recordLoads() {
		b.Run(name, func(b *testing.B) {
			var rec record
			var size int
			b.ReportAllocs()
			for b.Loop() {
				size = 0
				for batch := range slices.Chunk(rows, benchBatch) {
					rec.begin()
					for i := range batch {
						rec.row(batch[i].id, batch[i].t, batch[i].bits)
					}
					size += len(rec.bytes())
				}
			}
			reportRows(b, len(rows), size)
		})
	}
}

func BenchmarkReadRecord(b *testing.B) {
	for name, rows := range recordLoads() {
		b.Run(name, func(b *testing.B) {
			var records [][]byte
			size := 0
			for batch := range slices.Chunk(rows, benchBatch) {
				var rec record
				for _, e := range batch {
					rec.row(e.id, e.t, e.bits)
				}
				records = append(records, rec.bytes())
				size += len(rec.bytes())
			}
			var sum rowSum
			b.ReportAllocs()
			for b.Loop() {
				for _, record := range records {
					if err := readRecord(record, &sum); err != nil {
						b.Fatal(err)
					}
				}
			}
			reportRows(b, len(rows), size)
		})
	}
}

// reportRows says what a row costs.
func reportRows(b *testing.B, rows, size int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
	b.ReportMetric(float64(size)/float64(rows), "bytes/row")
}
