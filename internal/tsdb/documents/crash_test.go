package documents

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"metricd/internal/storage"
)

// expected is what may be read of a document after a crash.
type expected struct {
	acked string          // what was acknowledged last; empty: there is none
	maybe map[string]bool // what was begun since
}

// TestCrash cuts the power at random points of changes, again and again: each document is what was acknowledged last, or what was under way, and what a read
// had shown is not taken back.
func TestCrash(t *testing.T) {
	for seed := range 60 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(uint64(seed), 3))
			fs := vfs.NewCrashableMem()
			mustMkdir(t, fs, "d")
			model := map[string]*expected{"a": {}, "b": {}}
			for life := range 6 {
				s := mustOpen(t, fs)
				for name, e := range model {
					_, data, err := s.Get(t.Context(), name)
					if err != nil && !errors.Is(err, storage.ErrNoDocument) {
						t.Fatalf("life %d: %v", life, err)
					}
					if string(data) != e.acked && !e.maybe[string(data)] {
						t.Fatalf("life %d: %s is %q, want %q or one of %v", life, name, data, e.acked, e.maybe)
					}
					*e = expected{acked: string(data), maybe: map[string]bool{}}
				}
				fs = crashing(t, rnd, s, fs, model, life)
			}
		})
	}
}

// crashing changes documents and returns what is on disk after a crash in the middle of that.
func crashing(t *testing.T, rnd *rand.Rand, s *Store, fs *vfs.MemFS, model map[string]*expected, life int) *vfs.MemFS {
	var crashed *vfs.MemFS
	cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: rnd.IntN(101), RNG: rand.New(rand.NewPCG(rnd.Uint64(), 1))}
	steps := rnd.IntN(12)
	// The power goes at some operation on the file system, beside which nothing else runs.
	var left atomic.Int64
	left.Store(1 << 40)
	s.o.FS = errorfs.Wrap(fs, errorfs.InjectorFunc(func(errorfs.Op) error {
		if left.Add(-1) == 0 {
			crashed = fs.CrashClone(cfg)
		}
		return nil
	}))
	for step := range steps {
		if step == steps-1 {
			left.Store(1 + rnd.Int64N(9))
		}
		name := []string{"a", "b"}[rnd.IntN(2)]
		e := model[name]
		next := strings.Repeat(fmt.Sprintf("%s %d %d;", name, life, step), 1+rnd.IntN(2000))
		info, _, err := s.Get(t.Context(), name)
		if remove := err == nil && rnd.IntN(4) == 0; remove {
			next = ""
			e.maybe[next] = true
			err = s.Delete(t.Context(), name, info.Version)
		} else if err == nil || errors.Is(err, storage.ErrNoDocument) {
			e.maybe[next] = true
			_, err = s.Put(t.Context(), name, []byte(next), info.Version)
		}
		if err != nil {
			t.Fatal(err)
		}
		if crashed != nil {
			return crashed
		}
		*e = expected{acked: next, maybe: map[string]bool{}}
	}
	return fs.CrashClone(cfg)
}

var errDisk = errors.New("input/output error")

// TestErrors lets each single change of the file system fail, and each and all after it. A call that fails changes nothing, or makes the store fail; what was acknowledged is there after a crash.
func TestErrors(t *testing.T) {
	for _, once := range []bool{true, false} {
		n := int64(1)
		for ; failAt(t, n, once); n++ {
		}
		if n < 30 {
			t.Errorf("the workload has %d changes only", n)
		}
	}
}

// failAt returns false if there was no n-th change.
func failAt(t *testing.T, n int64, once bool) bool {
	mem := vfs.NewCrashableMem()
	mustMkdir(t, mem, "d")
	var changes atomic.Int64
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
			return nil
		}
		if c := changes.Add(1); c == n || c > n && !once {
			return errDisk
		}
		return nil
	}))
	s := mustOpen(t, fs)
	acked := map[string]string{}
	unknown := ""
	for i := range 12 {
		name, data := fmt.Sprint("d", i%3), fmt.Sprint("data ", i)
		info, was, err := s.Get(t.Context(), name)
		if err == nil && string(was) != acked[name] || err != nil && !errors.Is(err, storage.ErrNoDocument) && !errors.Is(err, storage.ErrFailed) {
			t.Fatalf("change %d: read %q, %v, want %q", n, was, err, acked[name])
		}
		if i == 7 {
			data = ""
			err = s.Delete(t.Context(), name, info.Version)
		} else {
			_, err = s.Put(t.Context(), name, []byte(data), info.Version)
		}
		switch {
		case err == nil:
			acked[name] = data
		case errors.Is(err, storage.ErrFailed):
			if unknown == "" {
				unknown = name
			}
		case !errors.Is(err, errDisk) && !errors.Is(err, storage.ErrNoDocument):
			t.Fatalf("change %d: %v", n, err)
		}
	}
	if unknown != "" {
		if _, err := s.List(t.Context()); !errors.Is(err, storage.ErrFailed) || !errors.Is(err, errDisk) {
			t.Errorf("change %d: a failed store lists: %v", n, err)
		}
	}
	crashed := mustOpen(t, mem.CrashClone(vfs.CrashCloneCfg{}))
	for name, want := range acked {
		_, data, err := crashed.Get(t.Context(), name)
		if string(data) != want && name != unknown || err != nil && !errors.Is(err, storage.ErrNoDocument) {
			t.Errorf("change %d: after a crash %s is %q, %v, want %q", n, name, data, err, want)
		}
	}
	return changes.Load() >= n
}
