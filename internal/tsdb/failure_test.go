package tsdb

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"metricd/internal/storage"
)

var errDisk = errors.New("input/output error")

// TestFailure lets the n-th change of the file system and all after it fail, for every n of a workload. Whoever waits
// is told, nothing hangs, and what was acknowledged is there when the power is cut then.
func TestFailure(t *testing.T) {
	for n := int64(0); ; n += int64(9 - few(8)) { // every eighth, if there is little time
		if !failAt(t, n) {
			if n < 50 {
				t.Fatalf("the workload has %d changes only", n)
			}
			return
		}
	}
}

// failAt runs the workload with change n failing. It returns false if there was no such change.
func failAt(t *testing.T, n int64) (failed bool) {
	mem := vfs.NewCrashableMem()
	var changes atomic.Int64
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && changes.Add(1) > n {
			return errDisk
		}
		return nil
	}))
	told := make(chan error, 2)
	acked := map[int64]float64{}
	db, err := Open(Options{Dir: "d", FS: fs, OnFailure: func(err error) { told <- err }})
	if err == nil {
		err = work(t, db, acked)
		if failure := db.failure(); failure != nil {
			if err := <-told; !errors.Is(err, storage.ErrFailed) || !errors.Is(err, errDisk) {
				t.Errorf("change %d: OnFailure got %v", n, err)
			}
			if _, err := db.Appender().Append(&storage.Batch{}); !errors.Is(err, storage.ErrFailed) {
				t.Errorf("change %d: Append on a failed store: %v", n, err)
			}
		}
		if closeErr := db.Close(); err == nil {
			err = closeErr
		}
	}
	if err != nil && !errors.Is(err, errDisk) {
		t.Errorf("change %d: %v, want the error of the disk", n, err)
	}
	if err == nil && changes.Load() > n {
		// What could not be deleted stays and is no failure.
		err = errDisk
	}
	db = mustOpen(t, Options{Dir: "d", FS: mem.CrashClone(vfs.CrashCloneCfg{})})
	defer db.Close()
	q := storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime}
	set := db.Select(t.Context(), q)
	defer set.Close()
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() {
			ts, v := it.At()
			if want, has := acked[ts]; has && v >= want {
				delete(acked, ts)
			}
		}
		if err := it.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := set.Err(); err != nil || len(acked) > 0 {
		t.Fatalf("change %d: %d acknowledged samples are gone or old: %v, err %v", n, len(acked), acked, err)
	}
	return err != nil
}

// work appends, waits and flushes, and tells what was acknowledged, until there is an error.
func work(t *testing.T, db *DB, acked map[int64]float64) error {
	a := db.Appender()
	for step := range 12 {
		b := &storage.Batch{}
		for i := range 40 {
			b.Rows = append(b.Rows, storage.Row{Key: []byte(fmt.Sprintf("s%d", i%3)), T: int64(i%3 + 3*(step*7+i)%90), V: float64(step)})
		}
		seq, err := a.Append(b)
		if err != nil {
			return err
		}
		if err := a.Wait(t.Context(), seq); err != nil {
			return err
		}
		for _, r := range b.Rows {
			acked[r.T] = r.V
		}
		if step%4 == 3 {
			if err := db.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestFlushRetried: a flush that ended in the middle is done again, after a series that it had written was deleted
// and others grew. What is read, and how many samples there are, is as if it had not failed.
func TestFlushRetried(t *testing.T) {
	db := mustOpen(t, Options{Dir: "d", FS: vfs.NewMem()})
	defer db.Close()
	put := func(key string, from, n int64) {
		b := &storage.Batch{}
		for i := range n {
			b.Rows = append(b.Rows, storage.Row{Key: []byte(key), T: (from + i) * 1000, V: float64(i)})
		}
		if _, err := db.Appender().Append(b); err != nil {
			t.Fatal(err)
		}
	}
	put("a", 0, roundSamples-300) // so b is cut in two by the end of a round
	put("b", 0, 800)
	db.flushMu.Lock()
	err := errors.Join(db.freeze(&db.flushing), db.writeFrozen(&db.flushing))
	db.flushMu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	all := storage.Query{Key: "a", Mint: storage.MinTime, Maxt: storage.MaxTime}
	if err := db.Delete(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for n := int64(800); n < 3000; n += 300 {
		put("b", n, 300)
		if err := db.Flush(); err != nil {
			t.Fatal(err)
		}
		want := map[int64]float64{}
		for i := range n + 300 {
			want[i*1000] = float64(i)
			if i >= 800 {
				want[i*1000] = float64((i - 800) % 300)
			}
		}
		all.Key = "b"
		if err := equals(db, all, want); err != nil {
			t.Fatal(err)
		}
		// What the deleted series had goes with the flush after the one that was under way.
		if st, err := db.Stats(); err != nil || n > 800 && st.Samples != int64(len(want)) {
			t.Fatalf("%d samples, want %d; err %v", st.Samples, len(want), err)
		}
	}
}

// TestDeletesFlush: deletes alone fill the log, and are flushed.
func TestDeletesFlush(t *testing.T) {
	db := mustOpen(t, Options{Dir: "d", FS: vfs.NewMem(), FlushLog: 4 << 10})
	defer db.Close()
	b := batch(storage.Row{Key: []byte("a"), T: 1}, storage.Row{Key: []byte("a"), T: 2})
	if _, err := db.Appender().Append(b); err != nil {
		t.Fatal(err)
	}
	flushed := db.flushed.next()
	for deleting := true; deleting; {
		if err := db.Delete(t.Context(), storage.Query{Key: "a", Mint: 2, Maxt: 3}); err != nil {
			t.Fatal(err)
		}
		b.Rows = b.Rows[1:2]
		if _, err := db.Appender().Append(b); err != nil {
			t.Fatal(err)
		}
		b.Rows = append(b.Rows[:0:0], storage.Row{Key: []byte("a"), T: 1}, storage.Row{Key: []byte("a"), T: 2})
		select {
		case <-flushed:
			deleting = false
		default:
		}
	}
}
