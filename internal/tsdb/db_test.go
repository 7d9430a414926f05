package tsdb

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
	"metricd/internal/storage/storagetest"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, storagetest.Engine{
		Open: func(t storagetest.T) storage.Store { return mustOpen(t, Options{}) },
	})
}

// mustOpen opens a DB, which the test closes.
func mustOpen(t storagetest.T, o Options) *DB {
	t.Helper()
	db, err := Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return db
}

func batch(rows ...storage.Row) *storage.Batch { return &storage.Batch{Rows: rows} }

func TestSeriesLimit(t *testing.T) {
	db := mustOpen(t, Options{MaxSeries: 2})
	defer db.Close()
	a := db.Appender()
	b := batch(
		storage.Row{Key: []byte("a"), T: 1}, storage.Row{Key: []byte("b"), T: 1},
		storage.Row{Key: []byte("c"), T: 1}, storage.Row{Key: []byte("a"), T: 2},
	)
	if _, err := a.Append(b); err != nil {
		t.Fatal(err)
	}
	if len(b.Refused) != 1 || b.Refused[0].Row != 2 || !errors.Is(b.Refused[0].Err, storage.ErrSeriesLimit) {
		t.Fatalf("refused %v, want row 2 with ErrSeriesLimit", b.Refused)
	}
	// A series that ended no longer counts.
	if err := db.Delete(t.Context(), storage.Query{Key: "b", Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
		t.Fatal(err)
	}
	b = batch(storage.Row{Key: []byte("c"), T: 1})
	if _, err := a.Append(b); err != nil || len(b.Refused) != 0 {
		t.Fatalf("after a delete: refused %v, err %v", b.Refused, err)
	}
}

// TestMemoryLimit fills a store: new series are refused first, then samples; samples are
// replaced and read all the time; what a delete frees is used again.
func TestMemoryLimit(t *testing.T) {
	const limit = 16 << 20
	db := mustOpen(t, Options{MemoryLimit: limit})
	defer db.Close()
	a := db.Appender()
	put := func(key string, ts int64) error {
		b := batch(storage.Row{Key: []byte(key), T: ts, V: 1})
		if _, err := a.Append(b); err != nil {
			t.Fatal(err)
		}
		if len(b.Refused) > 0 {
			return b.Refused[0].Err
		}
		return nil
	}
	fill := func() (samples int) {
		for ts := int64(0); ; ts++ {
			if err := put("x", ts); err != nil {
				if !errors.Is(err, storage.ErrMemoryLimit) {
					t.Fatal(err)
				}
				return samples
			}
			samples++
		}
	}
	samples := fill()
	if least := (limit - 2<<20) / 16; samples < least {
		t.Errorf("took %d samples, want at least %d", samples, least)
	}
	if err := put("new", 1); !errors.Is(err, storage.ErrMemoryLimit) {
		t.Errorf("new series: %v, want ErrMemoryLimit", err)
	}
	if err := put("x", -1); !errors.Is(err, storage.ErrMemoryLimit) {
		t.Errorf("late sample: %v, want ErrMemoryLimit", err)
	}
	for _, ts := range []int64{0, int64(samples) / 2, int64(samples) - 1} {
		if err := put("x", ts); err != nil {
			t.Errorf("replacing the sample at %d: %v", ts, err)
		}
	}
	st, err := db.Stats()
	if err != nil || st.Series != 1 || st.Samples != int64(samples) || st.MemoryBytes < limit || st.MemoryBytes > limit+2*pageEntries*16 {
		t.Errorf("stats %+v, err %v; want 1 series, %d samples, about %d bytes", st, err, samples, limit)
	}
	if err := db.Delete(t.Context(), storage.Query{Key: "x", Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
		t.Fatal(err)
	}
	if err := put("new", 1); err != nil {
		t.Errorf("new series after a delete: %v", err)
	}
	if again := fill(); again < samples-maxBlock {
		t.Errorf("took %d samples after a delete, want %d as before", again, samples)
	}
}

// TestChurn: series that come and go leave nothing behind.
func TestChurn(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	a := db.Appender()
	var settled int64
	for round := range 50 {
		b := &storage.Batch{}
		for i := range 2000 {
			key := fmt.Appendf(nil, "r%d.s%d;b=2;a=1", round, i)
			b.Rows = append(b.Rows, storage.Row{Key: key, T: int64(round)}, storage.Row{Key: key, T: int64(round) + 1})
		}
		if _, err := a.Append(b); err != nil || len(b.Refused) > 0 {
			t.Fatal(err, b.Refused)
		}
		if err := db.Delete(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
			t.Fatal(err)
		}
		h := db.mu.head
		if n := h.index.live + h.index.old.live + h.count(); n != 0 {
			t.Fatalf("round %d: %d series left", round, n)
		}
		held := h.bytes() + int64(len(h.pages)*seriesPage) + int64(cap(h.order)) + int64(cap(h.free))
		if round == 1 {
			settled = held
		}
		if round > 1 && held > settled {
			t.Fatalf("round %d holds %d bytes, round 1 held %d", round, held, settled)
		}
	}
}

// TestGaps: series that ended leave gaps in the order, which readers pass over.
func TestGaps(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	all := storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime}
	b := &storage.Batch{}
	for i := range 3000 {
		b.Rows = append(b.Rows, storage.Row{Key: fmt.Appendf(nil, "s%d", i), T: 1})
	}
	if _, err := db.Appender().Append(b); err != nil {
		t.Fatal(err)
	}
	left := 3000
	for _, gap := range [][2]int{{0, 300}, {1000, 1700}, {2900, 3000}} {
		for i := gap[0]; i < gap[1]; i++ {
			q := all
			q.Key = fmt.Sprintf("s%d", i)
			if err := db.Delete(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			left--
		}
		set := db.Select(t.Context(), all)
		n := 0
		for set.Next() {
			n++
		}
		if n != left || set.Err() != nil {
			t.Errorf("after %v: %d series, err %v; want %d", gap, n, set.Err(), left)
		}
	}
}

// TestAppendAllocs: a put to a known series allocates nothing, guessed right or wrong.
func TestAppendAllocs(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	a := db.Appender()
	b := &storage.Batch{}
	for i := range 1000 {
		b.Rows = append(b.Rows, storage.Row{Key: fmt.Appendf(nil, "host_%d.cpu", i)})
	}
	next := int64(0)
	append1000 := func() {
		next++
		for i := range b.Rows {
			b.Rows[i].T = next
		}
		if _, err := a.Append(b); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 { // up to the largest blocks
		append1000()
	}
	// A page of samples now and then is the memory that samples need.
	const pagesPerRun = 1
	if n := testing.AllocsPerRun(100, append1000); n > pagesPerRun {
		t.Errorf("%v allocations for 1,000 puts in the usual order", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		for i := range b.Rows {
			j := (i * 7919) % len(b.Rows)
			b.Rows[i], b.Rows[j] = b.Rows[j], b.Rows[i]
		}
		append1000()
	}); n > pagesPerRun {
		t.Errorf("%v allocations for 1,000 puts in no order", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, order := range []string{"usual", "random"} {
		b.Run(order, func(b *testing.B) {
			db := mustOpen(b, Options{})
			defer db.Close()
			a := db.Appender()
			const series, batchLen = 10_000, 1000
			var batches [series / batchLen]storage.Batch
			for i := range series {
				k := i
				if order == "random" {
					k = i * 7919 % series
				}
				rows := &batches[i/batchLen].Rows
				*rows = append(*rows, storage.Row{Key: fmt.Appendf(nil, "host_%04d.cpu.usage_%d", k/10, k%10)})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += batchLen {
				bt := &batches[i/batchLen%len(batches)]
				for j := range bt.Rows {
					bt.Rows[j].T = int64(i)
				}
				if _, err := a.Append(bt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestNoOrder appends in no order, so that rows are looked up together: new keys that come twice in a
// batch, other spellings, and series that end in between.
func TestNoOrder(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	a := db.Appender()
	rnd := rand.New(rand.NewPCG(1, 2))
	spellings := []string{"plain.%d", "tags.%d;a=1;b=2", "tags.%d;b=2;a=1"}
	want := map[string]map[int64]float64{} // by canonical key
	for round := range 300 {
		b := &storage.Batch{}
		for i := range 1 + rnd.IntN(300) {
			key := fmt.Appendf(nil, spellings[rnd.IntN(len(spellings))], rnd.IntN(200))
			row := storage.Row{Key: key, T: rnd.Int64N(1000), V: float64(round*1000 + i)}
			b.Rows = append(b.Rows, row)
			name := string(storage.AppendCanonical(nil, key))
			if want[name] == nil {
				want[name] = map[int64]float64{}
			}
			want[name][row.T] = row.V
		}
		if _, err := a.Append(b); err != nil || len(b.Refused) > 0 {
			t.Fatal(err, b.Refused)
		}
		if round%10 == 0 {
			key := fmt.Sprintf("plain.%d", rnd.IntN(200))
			delete(want, key)
			if err := db.Delete(t.Context(), storage.Query{Key: key, Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
				t.Fatal(err)
			}
		}
	}
	set := db.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	for set.Next() {
		name := string(storage.AppendCanonical(nil, []byte(set.At().Key())))
		samples := want[name]
		n := 0
		for it := set.At().Iterator(nil); it.Next(); n++ {
			if ts, v := it.At(); v != samples[ts] {
				t.Fatalf("%s at %d is %g, want %g", name, ts, v, samples[ts])
			}
		}
		if n == 0 || n != len(samples) {
			t.Fatalf("%s has %d samples, want %d", name, n, len(samples))
		}
		delete(want, name)
	}
	if err := set.Err(); err != nil || len(want) > 0 {
		t.Fatalf("%d series are missing, err %v", len(want), err)
	}
}

// TestStatsOfFiles: what is flushed is on disk, what is not is in the log, and reads of chunks are counted.
func TestStatsOfFiles(t *testing.T) {
	db := mustOpen(t, Options{Dir: t.TempDir()})
	defer db.Close()
	b := &storage.Batch{}
	for i := range 1000 {
		b.Rows = append(b.Rows, storage.Row{Key: []byte("a"), T: int64(i) * 1000, V: float64(i % 7)})
	}
	a := db.Appender()
	seq, err := a.Append(b)
	if err := errors.Join(err, a.Wait(t.Context(), seq)); err != nil {
		t.Fatal(err)
	}
	st, err := db.Stats()
	if err != nil || st.Files.LogBytes < 1000 || st.Files.Syncs < 1 || st.Files.SyncMedian <= 0 || st.Files.SyncMax < st.Files.SyncMedian || st.Files.Flushes != 0 {
		t.Errorf("before a flush: %+v, %v", st, err)
	}
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	for st.Files.CacheHits == 0 { // a compaction may move the block between two reads
		shown(t, db)
		if st, err = db.Stats(); err != nil {
			t.Fatal(err)
		}
	}
	if err != nil || st.Files.DiskBytes < 100 || st.Files.LogBytes > 1000 || st.Files.Flushes != 1 || st.DiskBytesPerSample() <= 0 {
		t.Errorf("after a flush: %+v, %v", st, err)
	}
}

// TestFlushByAge: what was appended hours ago is flushed, and nothing is flushed where nothing was appended.
func TestFlushByAge(t *testing.T) {
	clk := newClock(someDay)
	db := mustOpen(t, Options{Dir: "d", FS: vfs.NewMem(), Now: clk.now})
	defer db.Close()
	for hour, want := range []int64{0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1} {
		if hour == 0 {
			if err := putAt(t, db, "a", 1, 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.tend(); err != nil {
			t.Fatal(err)
		}
		if got := db.flushes.Load(); got != want {
			t.Errorf("after %d hours: %d flushes, want %d", hour, got, want)
		}
		clk.advance(time.Hour)
	}
}

// few returns n, or some of that where time is short: with the race detector Pebble checks itself and is ten times slower.
func few(n int) int {
	if testing.Short() {
		return (n + 7) / 8
	}
	return n
}
