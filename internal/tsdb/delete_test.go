package tsdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// TestDeleteOfAllThatIsShown: a series of which Delete leaves nothing but what retention hides is gone at once, from figures, limits
// and its place; one that was hidden before keeps what the removal does not name.
func TestDeleteOfAllThatIsShown(t *testing.T) {
	for _, where := range []string{"memory", "frozen", "chunks", "reopened"} {
		t.Run(where, func(t *testing.T) {
			clk := newClock(someDay)
			o := Options{Dir: "d", FS: vfs.NewMem(), Retention: 10 * day, Now: clk.now, MaxSeries: 2}
			if where == "reopened" { // nothing is known of b then: it counts
				o.MaxSeries = 3
			}
			db := mustOpen(t, o)
			defer func() { db.Close() }()
			old, gone, young := clk.before(9*day), clk.before(8*day), clk.before(day)
			for _, err := range []error{
				putAt(t, db, "a", old, 1), putAt(t, db, "a", young, 2), // its newest is removed
				putAt(t, db, "b", old, 3), putAt(t, db, "b", gone, 4), // hidden
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			switch where {
			case "frozen":
				if err := db.freeze(&db.flushing); err != nil {
					t.Fatal(err)
				}
			case "chunks", "reopened":
				if err := db.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if where == "reopened" {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				db = mustOpen(t, o)
			}
			clk.advance(5 * day)
			remove(t, db, storage.Query{Mint: gone, Maxt: young})
			wantShown(t, db)
			if st, err := db.Stats(); err != nil || where != "reopened" && st.Series != 0 {
				t.Errorf("stats: %d series, %v; want none", st.Series, err)
			}
			now := clk.ms.Load()
			for _, key := range []string{"c", "a"} {
				if err := putAt(t, db, key, now, 5); err != nil {
					t.Errorf("%s: %v", key, err)
				}
			}
			wantShown(t, db, fmt.Sprintf("c %d=5", now), fmt.Sprintf("a %d=5", now))
			if err := putAt(t, db, "d", now, 6); !errors.Is(err, storage.ErrSeriesLimit) {
				t.Errorf("a third series: %v", err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			o.Retention = 0
			db = mustOpen(t, o)
			wantShown(t, db, fmt.Sprintf("b %d=3", old), fmt.Sprintf("c %d=5", now), fmt.Sprintf("a %d=5", now))
		})
	}
}

// TestDeleteBesideFlushes deletes ranges while flushes move samples from memory to chunks, and puts come between looking and removing.
// After each, the series that are counted are those that have samples, and these are right.
func TestDeleteBesideFlushes(t *testing.T) {
	db := mustOpen(t, Options{Dir: "d", FS: vfs.NewMem(), chunkSamples: 4})
	defer db.Close()
	stop := make(chan struct{})
	var beside sync.WaitGroup
	defer beside.Wait()
	defer close(stop)
	beside.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if err := db.Flush(); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	rnd := rand.New(rand.NewPCG(1, 1))
	want := contents{}
	for round := range few(2000) {
		var rows []storage.Row
		for range rnd.IntN(40) {
			key := fmt.Sprint("k", rnd.IntN(300)) // more than are looked at under one hold of the lock
			if want[key] == nil {
				want[key] = map[int64]float64{}
			}
			ts := rnd.Int64N(20)
			want[key][ts] = float64(round)
			rows = append(rows, storage.Row{Key: []byte(key), T: ts, V: float64(round)})
		}
		put(t, db, rows...)
		from := rnd.Int64N(20)
		q := storage.Query{Mint: from, Maxt: from + rnd.Int64N(20)}
		switch rnd.IntN(4) {
		case 0:
			q.Mint, q.Maxt = 0, 19
		case 1:
			q.Key = fmt.Sprint("k", rnd.IntN(300))
		}
		remove(t, db, q)
		for key, samples := range want {
			if q.Key != "" && q.Key != key {
				continue
			}
			maps.DeleteFunc(samples, func(ts int64, _ float64) bool { return q.Mint <= ts && ts <= q.Maxt })
			if len(samples) == 0 {
				delete(want, key)
			}
		}
		_, got, err := readAll(t, db)
		if err != nil || !got.equal(want) {
			t.Fatalf("round %d, after deleting %v: %v\ngot  %v\nwant %v", round, q, err, got, want)
		}
		if st, err := db.Stats(); err != nil || st.Series != int64(len(want)) {
			t.Fatalf("round %d, after deleting %v: %d series, want %d, %v", round, q, st.Series, len(want), err)
		}
	}
}

// TestDeleteLooksAgain: what a flush, a put or a new series changes between looking and removing is seen.
func TestDeleteLooksAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(t *testing.T, db *DB)
		known     bool
		want      []string
	}{
		"nothing":               {func(*testing.T, *DB) {}, true, []string{"b 5=5"}},
		"a put that stays":      {func(t *testing.T, db *DB) { put(t, db, storage.Row{Key: []byte("a"), T: 9, V: 9}) }, true, []string{"a 9=9", "b 5=5"}},
		"a put that is removed": {func(t *testing.T, db *DB) { put(t, db, storage.Row{Key: []byte("b"), T: 2, V: 9}) }, true, []string{"b 5=5"}},
		"a new series":          {func(t *testing.T, db *DB) { put(t, db, storage.Row{Key: []byte("c"), T: 2, V: 9}) }, true, []string{"b 5=5"}},
		"a put and a flush": {func(t *testing.T, db *DB) {
			put(t, db, storage.Row{Key: []byte("a"), T: 0, V: 9}, storage.Row{Key: []byte("c"), T: 9, V: 9})
			if err := db.Flush(); err != nil {
				t.Error(err)
			}
		}, false, []string{"a 0=9", "b 5=5", "c 9=9"}},
	} {
		t.Run(name, func(t *testing.T) {
			db := mustOpen(t, Options{Dir: "d", FS: vfs.NewMem()})
			defer db.Close()
			put(t, db, storage.Row{Key: []byte("a"), T: 2, V: 2}, storage.Row{Key: []byte("b"), T: 5, V: 5})
			if err := db.Flush(); err != nil {
				t.Fatal(err)
			}
			db.removing <- struct{}{}
			d := &deletion{db: db, q: storage.Query{Mint: 1, Maxt: 3}, oldest: storage.MinTime}
			if err := d.look(t.Context()); err != nil {
				t.Fatal(err)
			}
			tt.meanwhile(t, db)
			_, known, err := d.commit()
			if err != nil || known != tt.known {
				t.Errorf("known: %v, %v; want %v", known, err, tt.known)
			}
			<-db.removing
			if !known {
				remove(t, db, d.q)
			}
			wantShown(t, db, tt.want...)
			if st, err := db.Stats(); err != nil || st.Series != int64(len(tt.want)) {
				t.Errorf("%d series, %v", st.Series, err)
			}
		})
	}
}

// waited is a context that tells when somebody waits for its end.
type waited struct {
	context.Context
	tell func()
}

func (w waited) Done() <-chan struct{} {
	w.tell()
	return w.Context.Done()
}

// TestDeleteGivesUp: a Delete that waits for another one ends with its context.
func TestDeleteGivesUp(t *testing.T) {
	db := mustOpen(t, Options{})
	defer db.Close()
	put(t, db, storage.Row{Key: []byte("a"), T: 2, V: 2})
	db.removing <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	if err := db.Delete(waited{ctx, cancel}, storage.Query{Mint: 1, Maxt: 3}); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete: %v, want that it was canceled", err)
	}
	<-db.removing
	wantShown(t, db, "a 2=2")
}
