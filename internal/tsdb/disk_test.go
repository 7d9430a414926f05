package tsdb

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
	"metricd/internal/storage/storagetest"
)

// stepped are stores of the conformance suite with what their Step needs to know.
type stepped struct {
	*DB
	opts Options
}

// TestConformanceOnDisk runs the contract on stores with a directory, with flushes and restarts between its steps.
func TestConformanceOnDisk(t *testing.T) {
	flush := func(t storagetest.T, s storage.Store) storage.Store {
		if err := s.(*stepped).Flush(); err != nil {
			t.Fatalf("flush: %v", err)
		}
		return s
	}
	reopen := func(t storagetest.T, s storage.Store) storage.Store {
		old := s.(*stepped)
		if err := old.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
		return &stepped{mustOpen(t, old.opts), old.opts}
	}
	inexact := storagetest.Capabilities{ExactStats: true}
	for name, tt := range map[string]struct {
		opts    Options
		step    func(storagetest.T, storage.Store) storage.Store
		without storagetest.Capabilities
	}{
		"disk":     {opts: Options{Dir: "d"}},
		"interval": {opts: Options{Dir: "d", SyncInterval: 1}},
		"reopened": {opts: Options{Dir: "d"}, step: reopen, without: inexact},
		"flushed":  {opts: Options{Dir: "d"}, step: flush, without: inexact},
		"tiny":     {opts: Options{Dir: "d", FlushLog: 2000, FlushHead: 1 << 40, batchBytes: 1, chunkSamples: 4, aheadBytes: 400}, step: reopen, without: inexact},
		"memory":   {opts: Options{}, step: flush, without: inexact},
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Run(t, storagetest.Engine{
				Open: func(t storagetest.T) storage.Store {
					o := tt.opts
					if o.Dir != "" {
						o.FS = vfs.NewMem()
					}
					return &stepped{mustOpen(t, o), o}
				},
				Step:    tt.step,
				Without: tt.without,
			})
		})
	}
}

// TestFlushUnderway reads, writes and deletes while flushes come one after the other, and compares every read with a
// map: what one writer did is seen by its next read, wherever the samples are by then.
func TestFlushUnderway(t *testing.T) {
	db := mustOpen(t, Options{Dir: "d", FS: vfs.NewMem(), FlushLog: 20_000, FlushHead: 1 << 40})
	defer db.Close()
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 9))
			key := fmt.Sprintf("w%d", w)
			want := map[int64]float64{}
			a := db.Appender()
			q := storage.Query{Key: key, Mint: storage.MinTime, Maxt: storage.MaxTime}
			for step := range 400 {
				b := &storage.Batch{}
				for i := range 1 + rnd.IntN(100) {
					ts := rnd.Int64N(5000) * 1000
					if rnd.IntN(3) == 0 {
						ts = int64(step*100+i) * 1000
					}
					b.Rows = append(b.Rows, storage.Row{Key: []byte(key), T: ts, V: float64(step*1000 + i)})
					want[ts] = float64(step*1000 + i)
				}
				if _, err := a.Append(b); err != nil {
					t.Error(err)
					return
				}
				if rnd.IntN(10) == 0 {
					cut := q
					cut.Mint = rnd.Int64N(5000) * 1000
					cut.Maxt = cut.Mint + rnd.Int64N(1000)*1000
					if err := db.Delete(t.Context(), cut); err != nil {
						t.Error(err)
						return
					}
					maps.DeleteFunc(want, func(ts int64, _ float64) bool { return cut.Mint <= ts && ts <= cut.Maxt })
				}
				if err := equals(db, q, want); err != nil {
					t.Errorf("step %d: %v", step, err)
					return
				}
			}
		})
	}
	writers.Wait()
}

// equals compares what q gives, of one series, with want.
func equals(db *DB, q storage.Query, want map[int64]float64) error {
	set := db.Select(context.Background(), q)
	defer set.Close()
	n := 0
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() {
			ts, v := it.At()
			if w, has := want[ts]; !has || w != v {
				return fmt.Errorf("%d ms: got %g, want %g (%v)", ts, v, w, has)
			}
			n++
		}
		if err := it.Err(); err != nil {
			return err
		}
	}
	if n != len(want) {
		return fmt.Errorf("got %d samples, want %d", n, len(want))
	}
	return set.Err()
}

// FuzzDecodeState: what is taken for a state of the engine, or for the record of a series, encodes to the same bytes.
func FuzzDecodeState(f *testing.F) {
	f.Add(state{lastID: 1, flushed: 2, samples: 3, eras: firstState(5).eras}.encode())
	f.Add(state{eras: firstState(5).eras.next(1000, 10)}.encode())
	f.Add(appendSeries(nil, "palm.cpu"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if st, err := decodeState(b); err == nil && len(b) > 0 && !bytes.Equal(st.encode(), b) {
			t.Errorf("%x reads as %+v, which is %x", b, st, st.encode())
		}
		if key, err := decodeSeries(b); err == nil && !bytes.Equal(appendSeries(nil, string(key)), b) {
			t.Errorf("%x reads as series %q", b, key)
		}
	})
}
