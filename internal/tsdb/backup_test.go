package tsdb

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// clone returns a copy that later changes of m leave alone.
func (m crashModel) clone() crashModel {
	c := crashModel{}
	for key, samples := range m {
		for ts, e := range samples {
			*c.at(key, ts) = acked{e.durable, e.has, maps.Clone(e.maybe)}
		}
	}
	return c
}

// TestSnapshotCrash takes snapshots at random moments of random workloads, beside puts and flushes, and cuts the power while
// there are some. A snapshot holds all that was acknowledged before it was begun and nothing that nobody put, and does not
// change; what the cut leaves opens as without it.
func TestSnapshotCrash(t *testing.T) {
	for seed := range few(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(uint64(seed), 7))
			fs := vfs.NewCrashableMem()
			model := crashModel{}
			for life := range 4 {
				db, err := Open(Options{Dir: "d", FS: fs, FlushLog: 1 << (8 + rnd.IntN(8)), FlushHead: 1 << 40})
				if err != nil {
					t.Fatalf("life %d: %v", life, err)
				}
				if names, err := fs.List("d/" + snapshotsDir); err == nil {
					t.Fatalf("life %d: Open leaves %v", life, names)
				}
				checkCrashed(t, db, model, minInt64)
				s := &snapshotter{t: t, rnd: rnd, db: db, a: db.Appender(), model: model, value: float64(life * 1_000_000)}
				fs = s.run(fs)
			}
		})
	}
}

// snapshotter works on a store and takes snapshots of it.
type snapshotter struct {
	t     *testing.T
	rnd   *rand.Rand
	db    *DB
	a     storage.Appender
	seq   storage.Seq
	model crashModel
	value float64 // of the last sample
}

// run returns what is on disk after a crash.
func (s *snapshotter) run(fs *vfs.MemFS) *vfs.MemFS {
	defer s.db.Close()
	var beside sync.WaitGroup
	defer beside.Wait()
	for range 1 + s.rnd.IntN(25) {
		switch s.rnd.IntN(8) {
		case 0:
			beside.Go(func() {
				if err := s.db.Flush(); err != nil {
					s.t.Error(err)
				}
			})
		case 1, 2:
			s.settle()
		case 3:
			s.snapshot()
		default:
			s.put()
		}
	}
	if s.rnd.IntN(2) == 0 { // one that is under way, or was made, when the power goes
		beside.Go(func() {
			if _, err := s.db.Snapshot(s.t.Context()); err != nil && !errors.Is(err, storage.ErrClosed) {
				s.t.Error(err)
			}
		})
		for range s.rnd.IntN(4) {
			s.put()
		}
	}
	return fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: s.rnd.IntN(101), RNG: s.rnd})
}

// settle waits until all is durable.
func (s *snapshotter) settle() {
	if err := s.a.Wait(s.t.Context(), s.seq); err != nil {
		s.t.Fatal(err)
	}
	for _, samples := range s.model {
		for _, e := range samples {
			for v := range e.maybe {
				if !e.has || v > e.durable {
					e.durable, e.has = v, true
				}
			}
			clear(e.maybe)
		}
	}
}

// put appends some samples and notes them in the model, and in others. Values only grow.
func (s *snapshotter) put(others ...crashModel) {
	b := &storage.Batch{}
	for range 1 + s.rnd.IntN(50) {
		key, ts := fmt.Sprintf("s%d", s.rnd.IntN(8)), s.rnd.Int64N(200)*1000
		if s.rnd.IntN(10) == 0 {
			ts = s.rnd.Int64N(4) * windowWidth(0)
		}
		s.value++
		b.Rows = append(b.Rows, storage.Row{Key: []byte(key), T: ts, V: s.value})
		for _, m := range append(others, s.model) {
			m.at(key, ts).maybe[s.value] = true
		}
	}
	var err error
	if s.seq, err = s.a.Append(b); err != nil {
		s.t.Fatal(err)
	}
}

// snapshot takes one beside puts, reads it after a flush, and compares it with what it may hold.
func (s *snapshotter) snapshot() {
	want := s.model.clone()
	type result struct {
		storage.Snapshot
		error
	}
	taken := make(chan result, 1)
	go func() {
		snap, err := s.db.Snapshot(s.t.Context())
		taken <- result{snap, err}
	}()
	for range s.rnd.IntN(5) {
		s.put(want)
	}
	got := <-taken
	if got.error != nil {
		s.t.Fatal(got.error)
	}
	for range s.rnd.IntN(3) {
		s.put()
	}
	if err := s.db.Flush(); err != nil {
		s.t.Fatal(err)
	}
	fs := unpackSnapshot(s.t, got.Snapshot)
	if err := errors.Join(got.Close(), got.Close()); err != nil {
		s.t.Fatal(err)
	}
	db, err := Open(Options{Dir: "copy", FS: fs})
	if err != nil {
		s.t.Fatalf("the copy: %v", err)
	}
	checkCrashed(s.t, db, want, minInt64)
	if err := db.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// unpackSnapshot returns a file system with the files of s in the directory copy.
func unpackSnapshot(t testing.TB, s storage.Snapshot) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewMem()
	for _, dir := range []string{chunksDir, logDir, documentsDir} {
		if err := fs.MkdirAll("copy/"+dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range s.Files() {
		in, err := s.Open(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		out, err := fs.Create("copy/"+f.Name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(out, in)
		if err := errors.Join(err, in.Close(), out.Close()); err != nil || n != f.Size {
			t.Fatalf("%s: %d bytes of %d: %v", f.Name, n, f.Size, err)
		}
	}
	return fs
}

// TestSnapshotRefused: there is none in memory, of a closed store, and where the file system fails; then nothing is left.
func TestSnapshotRefused(t *testing.T) {
	if _, err := mustOpen(t, Options{}).Snapshot(t.Context()); !errors.Is(err, storage.ErrNoFiles) || !strings.Contains(err.Error(), "use export") {
		t.Errorf("in memory: %v", err)
	}
	fs := vfs.NewMem()
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	s, err := db.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open("chunks/../../d/chunks/marks"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file of another directory: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := fs.RemoveAll("d/" + logDir); err != nil { // so that no segment can be made
		t.Fatal(err)
	}
	db.Appender().Append(&storage.Batch{Rows: []storage.Row{{Key: []byte("a"), T: 1, V: 1}}})
	if _, err := db.Snapshot(t.Context()); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("with a log that fails: %v", err)
	}
	if names, err := fs.List("d/" + snapshotsDir); err != nil || len(names) > 0 {
		t.Errorf("left: %v, %v", names, err)
	}
	db = mustOpen(t, Options{Dir: "e", FS: fs})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Snapshot(t.Context()); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
