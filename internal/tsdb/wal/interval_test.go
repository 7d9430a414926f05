package wal

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// TestIntervalSyncs: in mode Interval a record is durable at once, on stable storage within
// the interval; and nothing is synced when nothing is new.
func TestIntervalSyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewCrashableMem()
		l, _, _ := mustOpen(t, Options{FS: fs, Dir: "log", Mode: Interval})
		want := entries(0, 3)
		for i, e := range want {
			mustAppend(t, l, e)
			if err := l.Wait(t.Context(), e.seq); err != nil {
				t.Fatal(err)
			}
			if l.Synced() != e.seq-1 {
				t.Fatalf("record %d: synced up to %d", e.seq, l.Synced())
			}
			time.Sleep(time.Second + time.Millisecond)
			synctest.Wait()
			if l.Synced() != e.seq || l.Stats().Syncs != int64(i+1) {
				t.Fatalf("record %d: synced up to %d, %+v", e.seq, l.Synced(), l.Stats())
			}
			_, _, got := mustOpen(t, Options{FS: fs.CrashClone(vfs.CrashCloneCfg{}), Dir: "log"})
			wantEntries(t, got, want[:i+1])
		}
		time.Sleep(time.Hour)
		if n := l.Stats().Syncs; n != 3 {
			t.Fatalf("%d syncs", n)
		}
		// A record makes the next sync due; a rotation does not wait for it.
		mustAppend(t, l, entry{9, "x"})
		if _, err := l.Rotate(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if l.Synced() != 9 {
			t.Fatalf("after a rotation: synced up to %d", l.Synced())
		}
	})
}

// TestIntervalSyncFails: a sync in the background that fails makes the log failed.
func TestIntervalSyncFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind == errorfs.OpFileSyncData {
				return errorfs.ErrInjected
			}
			return nil
		})
		failure := make(chan error, 2)
		fs := errorfs.Wrap(vfs.NewCrashableMem(), fail)
		l, _, _ := mustOpen(t, Options{FS: fs, Dir: "log", Mode: Interval, OnFailure: func(err error) { failure <- err }})
		mustAppend(t, l, entry{1, "x"})
		if err := l.Wait(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		waiting := make(chan error)
		go func() { waiting <- l.Wait(t.Context(), 2) }()
		if err := <-failure; !errors.Is(err, ErrFailed) || !errors.Is(err, errorfs.ErrInjected) {
			t.Error(err)
		}
		if err := <-waiting; !errors.Is(err, ErrFailed) {
			t.Error(err)
		}
		if err := l.Append(nil, 2); !errors.Is(err, ErrFailed) {
			t.Error(err)
		}
		if _, err := l.Rotate(); !errors.Is(err, ErrFailed) {
			t.Error(err)
		}
		if err := l.Close(); !errors.Is(err, ErrFailed) {
			t.Error(err)
		}
		if err := l.Close(); err != nil || len(failure) != 0 {
			t.Error(err, len(failure))
		}
	})
}
