package wal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// crashes runs a random workload on a file system that is copied as a crash would leave it, again
// and again, and checks each copy: it opens; what was durable before the copy was made is there;
// what is there is a prefix of what was appended; and the same again after more records and another
// crash.
func crashes(t *testing.T, mode Mode, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	fs := vfs.NewCrashableMem()
	history := []entry{}
	for range 4 {
		next := crashOnce(t, rng, fs, mode, &history)
		if t.Failed() {
			return
		}
		fs = next
	}
}

// crashOnce opens the log on fs, which has to hold all of history, appends, and returns what a crash left. It
// changes history to what is left.
func crashOnce(t *testing.T, rng *rand.Rand, fs *vfs.MemFS, mode Mode, history *[]entry) *vfs.MemFS {
	o := Options{FS: fs, Dir: "log", Mode: mode, Interval: 1e6}
	l, rec, got := mustOpen(t, o)
	wantEntries(t, got, *history)
	// What was replayed has been on stable storage since Open.
	if l.Synced() != rec.Last {
		t.Fatalf("synced up to %d, replayed to %d", l.Synced(), rec.Last)
	}
	appended := append([]entry(nil), *history...)
	last := rec.Last
	crash := rng.IntN(200)
	var copied *vfs.MemFS
	var stable uint64
	var wait sync.WaitGroup
	for i := range 200 {
		if i == crash {
			stable = l.Synced()
			copied = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		}
		last += 1 + uint64(rng.IntN(3))
		size := rng.IntN(60)
		switch rng.IntN(20) {
		case 0:
			size = rng.IntN(3 * blockSize)
		case 1:
			if _, err := l.Rotate(); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := l.Wait(t.Context(), l.mu.last); err != nil {
				t.Fatal(err)
			}
		case 3, 4, 5, 6:
			seq := l.mu.last
			wait.Go(func() {
				if err := l.Wait(t.Context(), seq); err != nil {
					t.Error(err)
				}
			})
		}
		e := entry{last, strings.Repeat(fmt.Sprintf("%d.", last), size/2+1)[:size]}
		mustAppend(t, l, e)
		appended = append(appended, e)
	}
	wait.Wait()
	if rng.IntN(4) == 0 {
		mustClose(t, l)
		stable = last
		copied = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	}
	each, left := collect()
	rec, err := Replay(Options{FS: copied, Dir: "log"}, each)
	if err != nil {
		// The very first crash may have come before there was a directory.
		if !(errors.Is(err, os.ErrNotExist) && stable == 0) {
			t.Fatalf("after the crash: %v", err)
		}
	}
	if rec.Last < stable {
		t.Fatalf("sequence %d was on stable storage, replay ends at %d", stable, rec.Last)
	}
	wantEntries(t, *left, appended[:min(len(*left), len(appended))])
	*history = *left
	return copied
}

func TestCrashes(t *testing.T) {
	forModes(t, func(t *testing.T, m Mode) {
		for seed := range uint64(few(int(*crashSeeds))) {
			crashes(t, m, seed)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

var crashSeeds = flag.Uint64("crash.seeds", 40, "random workloads of TestCrashes")

var bg = context.Background()

// TestKill is kill -9: what was handed to the system stays, the process' queue does not. Mode Interval
// promises that much.
func TestKill(t *testing.T) {
	forModes(t, func(t *testing.T, m Mode) {
		for seed := range uint64(few(30)) {
			rng := rand.New(rand.NewPCG(seed, 2))
			fs := vfs.NewCrashableMem()
			l, _, _ := mustOpen(t, Options{FS: fs, Dir: "log", Mode: m})
			want := entries(0, 300)
			stop := rng.IntN(300)
			for i, e := range want {
				mustAppend(t, l, e)
				if rng.IntN(20) == 0 {
					if _, err := l.Rotate(); err != nil {
						t.Fatal(err)
					}
				}
				if i == stop {
					break
				}
			}
			durable := l.Durable()
			left := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rng})
			_, rec, got := mustOpen(t, Options{FS: left, Dir: "log"})
			if rec.Last < durable {
				t.Fatalf("seed %d: sequence %d was durable, replay ends at %d", seed, durable, rec.Last)
			}
			wantEntries(t, got, want[:len(got)])
		}
	})
}

// TestReplayedIsStable: what a killed process left in the system's memory, and a replay showed, outlives
// the end of the machine right after Open.
func TestReplayedIsStable(t *testing.T) {
	_, killed, want := writeLog(t)
	fs := killed.fs(t).(*vfs.MemFS) // nothing of it was synced
	root, err := fs.OpenDir("")
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Sync(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{segmentName(1), segmentName(2)} { // as a header behind them says
		f, err := fs.Open("log/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	mustOpen(t, Options{FS: fs, Dir: "log"})
	each, got := collect()
	if _, err := Replay(Options{FS: fs.CrashClone(vfs.CrashCloneCfg{}), Dir: "log"}, each); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, *got, want)
}

// workload appends, waits, rotates and removes, and returns the highest sequence that Wait called
// durable. The first error ends it.
func workload(l *Log, want []entry) (durable uint64, err error) {
	for i, e := range want {
		if err := l.Append([]byte(e.rec), e.seq); err != nil {
			return durable, err
		}
		if i%7 == 3 {
			if _, err := l.Rotate(); err != nil {
				return durable, err
			}
		}
		if i%3 == 0 {
			if err := l.Wait(bg, e.seq); err != nil {
				return durable, err
			}
			durable = e.seq
		}
		if i == 25 {
			if err := l.Remove(10); err != nil {
				return durable, err
			}
		}
	}
	return durable, nil
}

// TestEveryOperationFails lets the n-th operation on the file system fail, for every n.
func TestEveryOperationFails(t *testing.T) {
	forModes(t, func(t *testing.T, m Mode) {
		for n := int32(0); ; n++ {
			if !failAt(t, m, n) {
				if n < 50 {
					t.Fatalf("the workload has %d operations only", n)
				}
				return
			}
		}
	})
}

// failAt returns false if there were no n operations.
func failAt(t *testing.T, m Mode, n int32) bool {
	mem := vfs.NewCrashableMem()
	var count atomic.Int32
	count.Store(-1)
	var injected atomic.Bool
	inject := errorfs.InjectorFunc(func(errorfs.Op) error {
		if count.Add(1) == n {
			injected.Store(true)
			return errorfs.ErrInjected
		}
		return nil
	})
	var failures atomic.Int32
	o := Options{FS: errorfs.Wrap(mem, inject), Dir: "log", Mode: m, OnFailure: func(error) { failures.Add(1) }}
	want := entries(0, 40)
	l, _, err := Open(o, nil)
	var durable uint64
	if err == nil {
		durable, err = workload(l, want)
		closeErr := l.Close()
		if err := l.Wait(bg, 1000); err == nil {
			t.Fatalf("operation %d: sequence 1000 is durable", n)
		}
		if failed := l.ended(); errors.Is(failed, ErrFailed) {
			if failures.Load() != 1 || !errors.Is(closeErr, ErrFailed) || !errors.Is(failed, errorfs.ErrInjected) {
				t.Fatalf("operation %d: failed with %v, told %d times, Close: %v", n, failed, failures.Load(), closeErr)
			}
			if err := l.Append(nil, 1001); !errors.Is(err, ErrFailed) {
				t.Fatalf("operation %d: Append afterwards: %v", n, err)
			}
		} else if err != nil && !errors.Is(err, errorfs.ErrInjected) {
			t.Fatalf("operation %d: %v", n, err)
		}
	}
	if err != nil && !injected.Load() {
		t.Fatalf("nothing was injected: %v", err)
	}
	left := mem.CrashClone(vfs.CrashCloneCfg{})
	l, rec, got := mustOpen(t, Options{FS: left, Dir: "log"})
	defer mustClose(t, l)
	if m == Always && rec.Last < durable {
		t.Fatalf("operation %d: sequence %d was durable, replay ends at %d", n, durable, rec.Last)
	}
	wantEntries(t, got, want[rec.Base:][:len(got)])
	return injected.Load()
}
