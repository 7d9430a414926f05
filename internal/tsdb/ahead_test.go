package tsdb

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// TestReadAhead reads many series of many windows, with limits that hold none, some and all of them, and changes series while others are
// read: each is what it was when its turn came.
func TestReadAhead(t *testing.T) {
	for _, limit := range []int{1, 300, 3000, 1 << 20} {
		for _, mint := range []int64{storage.MinTime, 9*windowWidth(0) + 5000} {
			t.Run(fmt.Sprintf("%d bytes, from %d", limit, mint), func(t *testing.T) {
				testReadAhead(t, limit, storage.Query{Mint: mint, Maxt: 27 * windowWidth(0)})
			})
		}
	}
}

func testReadAhead(t *testing.T, limit int, q storage.Query) {
	rnd := rand.New(rand.NewPCG(uint64(limit), 7))
	o := Options{Dir: "d", FS: vfs.NewMem(), aheadBytes: limit, chunkSamples: 4}
	db := mustOpen(t, o)
	const series = 70
	key := func(i int) string { return fmt.Sprintf("s%d", i) }
	change := func(from int) {
		for range 100 {
			k, ts := key(from+rnd.IntN(series-from)), int64(rnd.IntN(30))*windowWidth(0)+int64(rnd.IntN(20))*1000
			put(t, db, storage.Row{Key: []byte(k), T: ts, V: rnd.Float64()})
		}
		if err := db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range series {
		put(t, db, storage.Row{Key: []byte(key(i)), T: 10 * windowWidth(0), V: 1})
	}
	for range 20 {
		change(0)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = mustOpen(t, o)
	defer db.Close()
	_, want, err := readAll(t, db)
	if err != nil {
		t.Fatal(err)
	}
	set := db.Select(t.Context(), q)
	defer set.Close()
	var it storage.Iterator
	for i := 0; set.Next(); i++ {
		if k := set.At().Key(); k != key(i) {
			t.Fatalf("series %d is %s", i, k)
		}
		samples := map[int64]float64{}
		for it = set.At().Iterator(it); it.Next(); {
			ts, v := it.At()
			samples[ts] = v
		}
		inRange := maps.Clone(want[key(i)])
		maps.DeleteFunc(inRange, func(ts int64, _ float64) bool { return ts < q.Mint || ts > q.Maxt })
		if it.Err() != nil || !maps.Equal(samples, inRange) {
			t.Fatalf("%s: %v, %v, want %v", key(i), samples, it.Err(), inRange)
		}
		if i%9 == 5 && i+2 < series {
			change(i + 1)
			remove(t, db, storage.Query{Key: key(i + 2), Mint: 0, Maxt: 9 * windowWidth(0)})
			if _, want, err = readOneByOne(t, db); err != nil {
				t.Fatal(err)
			}
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
}

// readOneByOne is readAll, a series at a time, so that nothing is read ahead.
func readOneByOne(t *testing.T, db *DB) (keys []string, all contents, err error) {
	set := db.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	all = contents{}
	for set.Next() {
		keys = append(keys, set.At().Key())
	}
	for _, k := range keys {
		all[k] = map[int64]float64{}
		one := db.Select(t.Context(), storage.Query{Key: k, Mint: storage.MinTime, Maxt: storage.MaxTime})
		for one.Next() {
			for it := one.At().Iterator(nil); it.Next(); {
				ts, v := it.At()
				all[k][ts] = v
			}
		}
		if one.Err() != nil {
			return nil, nil, one.Err()
		}
		one.Close()
	}
	return keys, all, set.Err()
}

// BenchmarkReadAll reads all of many series, on a disk: one sample a window, and all in one or two windows.
func BenchmarkReadAll(b *testing.B) {
	for _, load := range []struct {
		name            string
		series, samples int
		step            int64 // ms
	}{{"sparse", 1140, 386, windowWidth(0)}, {"dense", 500, 4000, 10_000}} {
		b.Run(load.name, func(b *testing.B) {
			db := mustOpen(b, Options{Dir: b.TempDir()})
			defer db.Close()
			a := db.Appender()
			rows := make([]storage.Row, load.series)
			for at := range load.samples {
				for i := range rows {
					rows[i] = storage.Row{Key: fmt.Appendf(nil, "cpu;host=%d", i), T: int64(at) * load.step, V: float64((i + at*at) % 1000)}
				}
				if _, err := a.Append(batch(rows...)); err != nil {
					b.Fatal(err)
				}
			}
			if err := db.Flush(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if n := readThrough(b, db); n != load.series*load.samples {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*load.series*load.samples), "ns/sample")
		})
	}
}

// readThrough returns how many samples there are.
func readThrough(b *testing.B, db *DB) (n int) {
	set := db.Select(b.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	var it storage.Iterator
	for set.Next() {
		for it = set.At().Iterator(it); it.Next(); n++ {
		}
	}
	if set.Err() != nil {
		b.Fatal(set.Err())
	}
	return n
}
