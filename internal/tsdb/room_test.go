package tsdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

var everything = storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime}

// filler puts to a DB from several goroutines, and knows what was acknowledged.
type filler struct {
	t     *testing.T
	db    *DB
	acked [4]map[string]map[int64]float64 // of each writer, who has keys of its own
	sent  int
}

func newFiller(t *testing.T) *filler {
	f := &filler{t: t}
	for w := range f.acked {
		f.acked[w] = map[string]map[int64]float64{}
	}
	return f
}

// fill puts until the disk is full, or until stop is closed. A fifth of the samples replace others. Reads go on meanwhile.
func (f *filler) fill() {
	f.t.Helper()
	var writers sync.WaitGroup
	for w := range f.acked {
		f.sent++
		writers.Go(func() { f.write(w, rand.New(rand.NewPCG(uint64(f.sent), uint64(w)))) })
	}
	reading, stop := context.WithCancel(f.t.Context())
	var reader sync.WaitGroup
	reader.Go(func() {
		for reading.Err() == nil {
			if _, err := everythingIn(f.db, reading); err != nil && reading.Err() == nil {
				f.t.Errorf("get * while puts are refused: %v", err)
				return
			}
		}
	})
	writers.Wait()
	stop()
	reader.Wait()
}

// write puts as one connection, until it was refused some times.
func (f *filler) write(w int, rnd *rand.Rand) {
	a := f.db.Appender()
	b := &storage.Batch{}
	keys := make([][]byte, 50)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "writer.%d.%d", w, i)
		if k := string(keys[i]); f.acked[w][k] == nil {
			f.acked[w][k] = map[int64]float64{}
		}
	}
	now := int64(f.sent) * 1_000_000_000
	for refused := 0; refused < 5; {
		b.Rows = b.Rows[:0]
		for range 500 {
			now += 7
			at := now
			switch rnd.IntN(200) {
			default:
			case 0: // as old as can be
				at = 7 * rnd.Int64N(now/7+1)
			case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10: // it replaces what is in memory, most often
				at -= 7 * rnd.Int64N(1000)
			}
			b.Rows = append(b.Rows, storage.Row{Key: keys[rnd.IntN(len(keys))], T: at, V: rnd.NormFloat64()})
		}
		seq, err := a.Append(b)
		if err == nil {
			err = a.Wait(f.t.Context(), seq)
		}
		if err != nil {
			f.t.Errorf("a put: %v", err)
			return
		}
		next := 0
		for i := range b.Rows {
			if next < len(b.Refused) && b.Refused[next].Row == i {
				if err := b.Refused[next].Err; !errors.Is(err, storage.ErrReadOnly) || !strings.HasPrefix(err.Error(), "disk is full: ") {
					f.t.Errorf("a put was refused: %v", err)
				}
				next++
				continue
			}
			f.acked[w][string(b.Rows[i].Key)][b.Rows[i].T] = b.Rows[i].V
		}
		if next > 0 {
			refused++
			time.Sleep(time.Millisecond) // as a client that was told
		}
	}
}

// everythingIn returns all that is stored.
func everythingIn(db *DB, ctx context.Context) (map[string]map[int64]float64, error) {
	all := map[string]map[int64]float64{}
	set := db.Select(ctx, everything)
	defer set.Close()
	for set.Next() {
		samples := map[int64]float64{}
		it := set.At().Iterator(nil)
		for it.Next() {
			t, v := it.At()
			samples[t] = v
		}
		if err := it.Err(); err != nil {
			return nil, err
		}
		all[set.At().Key()] = samples
	}
	return all, set.Err()
}

// compare sees that all that was acknowledged is there, and nothing else.
func (f *filler) compare() {
	f.t.Helper()
	got, err := everythingIn(f.db, f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	n := 0
	for _, writer := range f.acked {
		for key, want := range writer {
			if !maps.Equal(got[key], want) && len(got[key])+len(want) > 0 {
				f.t.Fatalf("%s has %d samples, %d were acknowledged, or they differ", key, len(got[key]), len(want))
			}
			delete(got, key)
			n += len(want)
		}
	}
	if len(got) > 0 {
		f.t.Fatalf("there are %d series that nobody put", len(got))
	}
	f.t.Logf("%d samples", n)
}

// put waits until puts are taken again.
func (f *filler) put() {
	f.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a, b := f.db.Appender(), batch(storage.Row{Key: []byte("writer.0.0"), T: 0, V: 1})
		seq, err := a.Append(b)
		if err := errors.Join(err, a.Wait(f.t.Context(), seq)); err != nil {
			f.t.Fatal(err)
		}
		if len(b.Refused) == 0 {
			f.acked[0]["writer.0.0"][0] = 1
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("20 s after there was space again: %v", b.Refused[0].Err)
		}
	}
}

// refusing sees that puts and deletes are refused.
func (f *filler) refusing() {
	f.t.Helper()
	b := batch(storage.Row{Key: []byte("writer.0.0"), T: 0, V: 2}, storage.Row{Key: []byte("new"), T: 0, V: 2})
	if _, err := f.db.Appender().Append(b); err != nil || len(b.Refused) != 2 || !errors.Is(b.Refused[1].Err, storage.ErrReadOnly) {
		f.t.Errorf("puts on a full disk: %v, %v", b.Refused, err)
	}
	if err := f.db.Delete(f.t.Context(), everything); !errors.Is(err, storage.ErrReadOnly) {
		f.t.Errorf("a delete on a full disk: %v", err)
	}
}

// TestDiskFull fills small disks: by puts, by others at once, again and again, with restarts and crashes meanwhile. Nothing fails, nothing that
// was acknowledged is lost, reads go on, and puts are taken as soon as there is space, without a restart.
func TestDiskFull(t *testing.T) {
	for name, o := range map[string]Options{
		"always":   {},
		"interval": {SyncInterval: 5 * time.Millisecond},
		"quota":    {},
	} {
		if testing.Short() && name != "always" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fs := newSmallFS(12 << 20)
			fs.quota = name == "quota"
			o.Dir = "d"
			o.Logf = func(format string, args ...any) { t.Logf(format, args...) }
			o.OnFailure = func(err error) { t.Error(err) }
			f := newFiller(t)
			open := func() {
				t.Helper()
				o.FS = fs
				f.db = mustOpen(t, o)
			}
			open()
			f.fill()
			f.refusing()
			f.compare()

			fs.grow(12 << 20)
			f.put()
			var filling sync.WaitGroup
			filling.Go(f.fill)
			fs.take(0) // at once
			filling.Wait()
			f.refusing()
			f.compare()
			fs.give()
			f.put()
			f.compare()

			fs.take(0)
			f.fill()
			restart := time.Now()
			if err := f.db.Close(); err != nil {
				t.Fatal(err)
			}
			fs.take(0)
			open()
			if took := time.Since(restart); took > 5*time.Second {
				t.Errorf("a restart on a full disk took %v", took)
			}
			f.refusing()
			f.compare()
			fs.give()
			f.put()
			f.compare()

			fs.take(0)
			f.fill()
			defer f.db.Close()
			unsynced := 0 // percent of it is there after the crash
			if o.SyncInterval > 0 {
				unsynced = 100 // of the process
			}
			fs = fs.crash(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(1, 1))})
			fs.take(0)
			open()
			f.refusing()
			f.compare()
			fs.grow(24 << 20)
			f.put()
			f.fill()
			f.compare()
			if err := f.db.Close(); err != nil {
				t.Fatal(err)
			}
			open()
			f.compare()
			if err := f.db.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestFullFromTheStart: where there is nothing to read, a full disk is told at once.
func TestFullFromTheStart(t *testing.T) {
	for _, quota := range []bool{false, true} {
		fs := newSmallFS(64 << 20)
		fs.quota = quota
		fs.take(1000)
		start := time.Now()
		_, err := Open(Options{Dir: "d", FS: fs})
		if err == nil || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("quota %v: %v", quota, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		fs.give()
		db := mustOpen(t, Options{Dir: "d", FS: fs})
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
