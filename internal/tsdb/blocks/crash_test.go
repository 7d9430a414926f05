package blocks

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// history is a workload's: the contents after each batch, and which of them is certain to be on disk.
type history struct {
	mu       sync.Mutex
	versions []content    // [0] is empty
	flushed  atomic.Int64 // the version that the last completed Flush made durable
	begun    atomic.Int64 // the last version of which the commit began
}

func newHistory() *history { return &history{versions: []content{newContent()}} }

func (h *history) last() content { return h.versions[len(h.versions)-1] }

// work opens the store, commits and flushes, and closes it. It stops at the first error.
func (h *history) work(seed uint64, o Options, batches int) error {
	rng := newRand(seed)
	s, err := Open(o)
	if err != nil {
		return err
	}
	for range batches {
		h.begun.Add(1)
		n := 1 + rng.IntN(6)
		if rng.IntN(8) == 0 {
			n = 200 // too large for a memtable of 64 KiB
		}
		var after content
		if rng.IntN(12) == 0 {
			after, err = drop(rng, s, h.last())
		} else {
			after, err = commitMany(rng, s, h.last(), n)
		}
		h.mu.Lock()
		h.versions = append(h.versions, after) // a commit that met the failure of the store may have been done
		h.mu.Unlock()
		if err != nil {
			break
		}
		if rng.IntN(8) == 0 {
			if err = s.Flush(Marks{Flushed: uint64(len(h.versions) - 1)}); err != nil {
				break
			}
			h.flushed.Store(int64(len(h.versions) - 1))
		}
		if rng.IntN(20) == 0 {
			if _, err = read(s); err != nil {
				break
			}
		}
	}
	return errors.Join(err, s.Close())
}

// check opens what is on the file system and compares it to the versions from lo to hi.
func (h *history) check(fs vfs.FS, lo, hi int64) error {
	s, err := Open(Options{Dir: testDir, FS: fs})
	if err != nil {
		return err
	}
	got, err := read(s)
	if err == nil && s.Marks().Flushed > uint64(hi) {
		err = fmt.Errorf("marks %v, but only %d batches were begun", s.Marks(), hi)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for v := lo; v <= hi && v < int64(len(h.versions)); v++ {
		if got.equal(h.versions[v]) {
			return nil
		}
	}
	return fmt.Errorf("it holds no version of %d to %d; of the first, %s", lo, hi, got.diff(h.versions[lo]))
}

// TestPowerCut takes the disk away at random operations of the file system, with whatever unsynced data had got there. What is
// left always opens, and is the content after some batch, the last one flushed or a later one.
func TestPowerCut(t *testing.T) {
	noLeak(t)
	type cut struct {
		fs     *vfs.MemFS
		lo, hi int64
	}
	cuts := 0
	for seed := range uint64(few(30)) {
		mem := vfs.NewCrashableMem()
		h := newHistory()
		rng := newRand(seed)
		var mu sync.Mutex
		var all []cut
		fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
			mu.Lock()
			defer mu.Unlock()
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && rng.IntN(12) == 0 {
				lo := h.flushed.Load() // before the clone: it may be completed meanwhile
				clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50 * rng.IntN(3), RNG: rng})
				all = append(all, cut{clone, lo, h.begun.Load()})
			}
			return nil
		}))
		for round := range uint64(3) {
			// The second and third go on from what Close left: maybe less than was committed.
			if err := h.work(seed*3+round, Options{Dir: testDir, FS: fs, memTable: 64 << 10}, 60); err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, Options{FS: mem})
			kept := mustRead(t, s)
			mustClose(t, s)
			mu.Lock()
			for i, c := range all {
				if err := h.check(c.fs, c.lo, c.hi); err != nil {
					t.Fatalf("seed %d, round %d, cut %d: %v", seed, round, i, err)
				}
			}
			cuts += len(all)
			all = nil
			mu.Unlock()
			h.versions = append(h.versions, kept)
			h.begun.Store(int64(len(h.versions) - 1))
			h.flushed.Store(int64(len(h.versions) - 1))
		}
	}
	t.Logf("%d power cuts", cuts)
	if cuts < few(1000) {
		t.Errorf("only %d power cuts", cuts)
	}
}

// TestNthOperationFails lets each operation of a workload fail in turn, once or from there on. The workload ends and says so
// or is not affected; then all that was flushed is there.
func TestNthOperationFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		forever bool
	}{
		{"once", errors.New("input/output error"), false},
		{"forever", errors.New("input/output error"), true},
		{"full", syscall.ENOSPC, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			failed := 0
			n, step := int64(0), int64(9-few(8)) // every eighth, if there is little time
			for ; ; n += step {
				mem, n := vfs.NewMem(), n
				var ops atomic.Int64
				fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
					if c.err == syscall.ENOSPC && op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
						return nil
					}
					i := ops.Add(1) - 1
					if i == n || c.forever && i > n {
						return c.err
					}
					return nil
				}))
				h := newHistory()
				told := h.work(uint64(n), Options{Dir: testDir, FS: fs, memTable: 64 << 10, FullPause: 1}, 40)
				if told != nil {
					failed++
				}
				if ops.Load() <= n {
					break
				}
				if err := h.check(mem, h.flushed.Load(), h.begun.Load()); err != nil {
					t.Fatalf("operation %d failed (%v), then: %v", n, told, err)
				}
			}
			t.Logf("%d operations, %d of them made the workload fail", n, failed)
			if failed < few(20) {
				t.Errorf("only %d of %d operations that failed were told", failed, n)
			}
		})
	}
}
