package tsdb

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// acked is what is known of one sample.
type acked struct {
	durable float64          // the newest value that was acknowledged; with none, there was none
	has     bool             // something was acknowledged
	maybe   map[float64]bool // values since then: any of them may be there
}

// crashModel is what a client knows: what was acknowledged, and what was sent since.
type crashModel map[string]map[int64]*acked

func (m crashModel) at(key string, t int64) *acked {
	if m[key] == nil {
		m[key] = map[int64]*acked{}
	}
	a := m[key][t]
	if a == nil {
		a = &acked{maybe: map[float64]bool{}}
		m[key][t] = a
	}
	return a
}

// hide says that retention hides what is before oldest.
func (m crashModel) hide(oldest int64) {
	for _, samples := range m {
		maps.DeleteFunc(samples, func(t int64, _ *acked) bool { return t < oldest })
	}
}

// settle says that all that was sent is durable.
func (m crashModel) settle(last map[*acked]func()) {
	for _, f := range last {
		f()
	}
}

// TestCrash cuts the power at random points of random workloads, again and again on what the crash before left: what
// was acknowledged is there, each sample has the newest acknowledged value or a newer one that was sent, and nothing
// else is there.
func TestCrash(t *testing.T) {
	rounds := few(60)
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(uint64(seed), 1))
			fs := vfs.NewCrashableMem()
			model := crashModel{}
			clk := newClock(time.UnixMilli(0).Add(100 * day))
			hidden := int64(minInt64)
			for life := range 4 {
				retention := []time.Duration{0, 110 * day}[rnd.IntN(2)]
				db, err := Open(Options{
					Dir: "d", FS: fs, FlushLog: 1 << (8 + rnd.IntN(8)), FlushHead: 1 << 40,
					Retention: retention, DropMost: true, Now: clk.now, batchBytes: 1 << rnd.IntN(24), chunkSamples: 4 << rnd.IntN(8),
					markPause: time.Duration(1+rnd.IntN(5)) * time.Millisecond,
				})
				if err != nil {
					t.Fatalf("life %d: %v", life, err)
				}
				hidden = max(hidden, db.oldest())
				model.hide(hidden)
				checkCrashed(t, db, model, hidden)
				fs = crashingLife(t, rnd, db, fs, model, life, clk, hidden)
				hidden = max(hidden, db.oldest())
			}
		})
	}
}

// TestCrashInterval cuts the power in mode interval: what is lost is the end of what was put, no more than was not synced, and no
// store is taken for damaged.
func TestCrashInterval(t *testing.T) {
	for seed := range few(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(uint64(seed), 2))
			fs := vfs.NewCrashableMem()
			for sent, marked := int64(0), uint64(0); sent < 4000; {
				db, err := Open(Options{
					Dir: "d", FS: fs, FlushLog: 1 << (9 + rnd.IntN(8)), FlushHead: 1 << 40,
					SyncInterval: time.Duration(1+rnd.IntN(3)) * time.Millisecond, markPause: time.Millisecond,
				})
				if err != nil {
					t.Fatal(err)
				}
				// Each batch is one sample, at the time that is its number.
				_, got, err := readAll(t, db)
				n := int64(len(got["n"]))
				if err != nil || n > sent || uint64(n) < marked || n > 0 && got["n"][n] != float64(n) {
					t.Fatalf("%d of %d samples are there, the last %g; %d were known to be synced; err %v", n, sent, got["n"][n], marked, err)
				}
				sent = n
				for range 1 + rnd.IntN(1000) {
					sent++
					if _, err := db.Appender().Append(batch(storage.Row{Key: []byte("n"), T: sent, V: float64(sent)})); err != nil {
						t.Fatal(err)
					}
				}
				if rnd.IntN(2) == 0 {
					if err := db.log.Wait(t.Context(), uint64(sent)); err != nil {
						t.Fatal(err)
					}
				}
				marked = db.blocks.Marks().Synced
				fs = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rnd.IntN(101), RNG: rnd})
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// crashingLife works on db and returns what is on disk after a crash in the middle of it.
func crashingLife(t *testing.T, rnd *rand.Rand, db *DB, fs *vfs.MemFS, model crashModel, life int, clk *clock, hidden int64) *vfs.MemFS {
	defer db.Close()
	var flushes sync.WaitGroup
	defer flushes.Wait()
	a := db.Appender()
	steps := 1 + rnd.IntN(60)
	sent := map[*acked]func(){} // what to do with the model when all that was sent is durable
	var seq storage.Seq
	for step := range steps {
		switch rnd.IntN(12) {
		case 0: // beside all that follows, the crash included
			step := db.Flush
			if rnd.IntN(2) == 0 {
				clk.advance(time.Duration(rnd.Int64N(int64(10 * day))))
				model.hide(db.oldest())
				step = db.expire
			}
			flushes.Go(func() {
				if err := step(); err != nil {
					t.Error(err)
				}
			})
		case 1:
			removeSome(t, rnd, db, model)
			clear(sent) // it waited for all
		case 2, 3, 4:
			if err := a.Wait(t.Context(), seq); err != nil {
				t.Fatal(err)
			}
			model.settle(sent)
			clear(sent)
		default:
			b := &storage.Batch{}
			for i := range 1 + rnd.IntN(50) {
				key := fmt.Sprintf("s%d", rnd.IntN(8))
				ts := int64(rnd.IntN(200)) * 1000
				if rnd.IntN(10) == 0 {
					ts = rnd.Int64N(4) * windowWidth(0)
				}
				ts = max(ts, db.oldest(), hidden)
				v := float64(life*1_000_000 + step*1000 + i)
				b.Rows = append(b.Rows, storage.Row{Key: []byte(key), T: ts, V: v})
				e := model.at(key, ts)
				e.maybe[v] = true
				sent[e] = func() { *e = acked{durable: v, has: true, maybe: map[float64]bool{}} }
			}
			var err error
			if seq, err = a.Append(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	return fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rnd.IntN(101), RNG: rnd})
}

// removeSome deletes a range of a series, or all of it, and waits for it.
func removeSome(t *testing.T, rnd *rand.Rand, db *DB, model crashModel) {
	q := storage.Query{Key: fmt.Sprintf("s%d", rnd.IntN(8)), Mint: storage.MinTime, Maxt: storage.MaxTime}
	if rnd.IntN(2) == 0 {
		q.Mint = int64(rnd.IntN(200)) * 1000
		q.Maxt = q.Mint + int64(rnd.IntN(100))*1000
	}
	if err := db.Delete(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	// All that was sent before is durable now, too.
	for key, samples := range model {
		for ts, e := range samples {
			switch {
			case key == q.Key && q.Mint <= ts && ts <= q.Maxt:
				delete(samples, ts)
			case len(e.maybe) > 0:
				*e = acked{durable: slices.Max(slices.Collect(maps.Keys(e.maybe))), has: true, maybe: map[float64]bool{}}
			}
		}
	}
}

// checkCrashed compares what db has with the model, and makes the model what db has. What is before hidden was too old once, and
// may be there or not.
func checkCrashed(t *testing.T, db *DB, model crashModel, hidden int64) {
	t.Helper()
	got := map[string]map[int64]float64{}
	set := db.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	for set.Next() {
		samples := map[int64]float64{}
		it := set.At().Iterator(nil)
		for it.Next() {
			ts, v := it.At()
			samples[ts] = v
		}
		if err := it.Err(); err != nil {
			t.Fatal(err)
		}
		if len(samples) == 0 || got[set.At().Key()] != nil {
			t.Fatalf("series %s comes twice, or is empty", set.At().Key())
		}
		maps.DeleteFunc(samples, func(ts int64, _ float64) bool { return ts < hidden })
		got[set.At().Key()] = samples
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	for key, samples := range model {
		for ts, e := range samples {
			v, has := got[key][ts]
			if !has && e.has || has && !e.maybe[v] && !(e.has && v == e.durable) {
				t.Fatalf("%s at %d: got %v (%v), want %+v", key, ts, v, has, *e)
			}
			delete(got[key], ts)
			if !has {
				delete(samples, ts)
				continue
			}
			*e = acked{durable: v, has: true, maybe: map[float64]bool{}}
		}
		if len(got[key]) > 0 {
			t.Fatalf("%s has samples that nobody put: %v", key, got[key])
		}
		delete(got, key)
	}
	maps.DeleteFunc(got, func(_ string, samples map[int64]float64) bool { return len(samples) == 0 })
	if len(got) > 0 {
		t.Fatalf("series that nobody put: %v", got)
	}
}

// TestFailedFlush: what could not be flushed stays readable, and is flushed later.
func TestFailedFlush(t *testing.T) {
	db := mustOpen(t, Options{Dir: "d", FS: vfs.NewMem()})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Flush(); !errors.Is(err, storage.ErrClosed) {
		t.Fatalf("flush after close: %v", err)
	}
}
