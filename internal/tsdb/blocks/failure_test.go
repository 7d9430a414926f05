package blocks

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

var errDisk = errors.New("input/output error")

// faulty is a file system on which writes to files of a kind fail while err is set.
func faulty(prefix, suffix string) (fs vfs.FS, mem *vfs.MemFS, err *atomic.Pointer[error]) {
	mem, err = vfs.NewMem(), new(atomic.Pointer[error])
	return errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		name := path.Base(op.Path)
		if e := err.Load(); e != nil && op.Kind.ReadOrWrite() == errorfs.OpIsWrite &&
			strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			return *e
		}
		return nil
	})), mem, err
}

// TestFailure: an error of a flush or of the MANIFEST fails the store for good. It is told once, later calls return it, cursors that
// are open may read on, Close does not hang, and what was flushed is there afterwards.
func TestFailure(t *testing.T) {
	for _, file := range []struct{ prefix, suffix string }{{"", ".sst"}, {"MANIFEST", ""}, {marksName, ""}} {
		t.Run(file.prefix+file.suffix, func(t *testing.T) {
			fs, mem, fault := faulty(file.prefix, file.suffix)
			failures := make(chan error, 2)
			s := mustOpen(t, Options{FS: fs, OnFailure: func(err error) { failures <- err }})
			put(t, s, place{1, 2, 3})
			if err := s.Flush(Marks{}); err != nil {
				t.Fatal(err)
			}
			put(t, s, place{1, 2, 4})
			c, err := s.NewCursor()
			if err != nil {
				t.Fatal(err)
			}
			fault.Store(&errDisk)
			if err := s.Flush(Marks{Flushed: 9}); !errors.Is(err, ErrFailed) || !errors.Is(err, errDisk) {
				t.Errorf("Flush: %v", err)
			}
			if err := <-failures; !errors.Is(err, errDisk) || !errors.Is(err, ErrFailed) {
				t.Errorf("OnFailure got %v", err)
			}
			fault.Store(nil) // a disk that works again does not help
			before := fmt.Sprint(readFiles(t, mem, testDir))
			if got := rest(t, c, c.SeekTime(1, 2, lo)); len(got) != 2 {
				t.Errorf("the open cursor reads %v", got)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			b := s.NewBatch()
			b.SetState([]byte("x"))
			_, cursorErr := s.NewCursor()
			for name, err := range map[string]error{
				"Commit": b.Commit(), "Flush": s.Flush(Marks{}), "Mark": s.Mark(Marks{1, 1}), "NewCursor": cursorErr,
				"Failure": s.Failure(), "Writable": s.Writable(), "Checkpoint": s.Checkpoint("x", 0), "Close": s.Close(),
			} {
				if !errors.Is(err, ErrFailed) || !errors.Is(err, errDisk) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if len(failures) > 0 {
				t.Errorf("OnFailure was called again: %v", <-failures)
			}
			after := readFiles(t, mem, testDir)
			if !strings.Contains(before, fmt.Sprint(after[currentManifest(t, after)])) {
				t.Error("the MANIFEST changed after the failure")
			}
			s = mustOpen(t, Options{FS: mem})
			if got := mustRead(t, s); got.chunks[place{1, 2, 3}] == "" {
				t.Errorf("what was flushed is gone: %v", got)
			}
			mustClose(t, s)
		})
	}
}

// TestFull: while the disk is full, commits and flushes are refused and reads work; nothing fails, and when there is space
// again what was committed is flushed without a restart.
func TestFull(t *testing.T) {
	noLeak(t)
	fs, mem, fault := faulty("", ".sst")
	s := mustOpen(t, Options{FS: fs, FullPause: time.Millisecond, OnFailure: func(err error) { t.Error(err) }})
	put(t, s, place{1, 2, 3})
	var full error = syscall.ENOSPC
	fault.Store(&full)
	for range 3 {
		if err := s.Flush(Marks{Flushed: 5}); !errors.Is(err, ErrNoSpace) {
			t.Errorf("Flush: %v, want ErrNoSpace", err)
		}
	}
	b := s.NewBatch()
	b.PutChunk(1, 2, 4, fmt.Append(nil, place{1, 2, 4}))
	if err := b.Commit(); !errors.Is(err, ErrNoSpace) {
		t.Errorf("Commit: %v, want ErrNoSpace", err)
	}
	if got := mustRead(t, s); len(got.chunks) != 1 {
		t.Errorf("read %v", got.chunks)
	}
	if s.Marks().Flushed != 0 {
		t.Errorf("marks %v", s.Marks())
	}
	if before := s.health.full(); !isClosed(before) {
		t.Error("the disk is not known to be full")
	}
	fault.Store(nil)
	for deadline := time.Now().Add(20 * time.Second); s.Writable() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("20 s after there was space: %v", s.Writable())
		}
	}
	if err := errors.Join(b.Commit(), b.Close(), s.Flush(Marks{Flushed: 6})); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = mustOpen(t, Options{FS: mem})
	if got := mustRead(t, s); len(got.chunks) != 2 || s.Marks().Flushed != 6 {
		t.Errorf("reopened: %v, %v", got.chunks, s.Marks())
	}
	mustClose(t, s)
}

// TestFullWhileClosing: Close does not wait for space.
func TestFullWhileClosing(t *testing.T) {
	noLeak(t)
	fs, mem, fault := faulty("", ".sst")
	s := mustOpen(t, Options{FS: fs, FullPause: time.Hour})
	put(t, s, place{1, 2, 3})
	if err := s.Flush(Marks{}); err != nil {
		t.Fatal(err)
	}
	var full error = syscall.ENOSPC
	fault.Store(&full)
	put(t, s, place{1, 2, 4})
	if err := s.Flush(Marks{}); !errors.Is(err, ErrNoSpace) {
		t.Errorf("Flush: %v, want ErrNoSpace", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s = mustOpen(t, Options{FS: mem})
	if got := mustRead(t, s); len(got.chunks) != 1 {
		t.Errorf("reopened: %v", got.chunks)
	}
	mustClose(t, s)
}

// TestAwait: a flush that is not completed is never taken for one, however the disk fills and empties meanwhile.
func TestAwait(t *testing.T) {
	h := newHealth(&Options{})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for full := true; !isClosed(stop); full = !full {
			h.setFull(full)
		}
	}()
	for range 10_000 {
		if err := h.await(make(chan struct{})); !errors.Is(err, ErrNoSpace) {
			t.Fatalf("%v, want ErrNoSpace", err)
		}
	}
	close(stop)
	<-stopped
}

// slowList is a file system whose List waits while gate is set: it tells that it was called, and goes on when told so.
type slowList struct {
	vfs.FS
	gate atomic.Pointer[chan struct{}]
}

func (fs *slowList) List(dir string) ([]string, error) {
	if gate := fs.gate.Load(); gate != nil {
		*gate <- struct{}{}
		<-*gate
	}
	return fs.FS.List(dir)
}

// TestLeftBehind: Pebble, when it is still being opened while the store fails and is closed, finds what it needs when it goes on.
func TestLeftBehind(t *testing.T) {
	fs := &slowList{FS: vfs.NewMem()}
	mustClose(t, mustOpen(t, Options{FS: fs}))
	s := mustOpen(t, Options{FS: fs, ReadOnly: true})
	gate := make(chan struct{})
	fs.gate.Store(&gate)
	made := make(chan error, 1)
	go func() { made <- s.MakeWritable() }()
	<-gate
	s.health.fail(errDisk)
	if err := <-made; !errors.Is(err, errDisk) {
		t.Errorf("MakeWritable: %v", err)
	}
	if err := s.Close(); !errors.Is(err, errDisk) {
		t.Errorf("Close: %v", err)
	}
	fs.gate.Store(nil)
	gate <- struct{}{}
	buf := make([]byte, 1<<20)
	opens := func(goroutine []byte) bool { // rather than waiting for a flush that ended with the failure
		return bytes.Contains(goroutine, []byte("openPebble")) && !bytes.Contains(goroutine, []byte("(*Cond).Wait"))
	}
	for slices.ContainsFunc(bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n")), opens) {
		time.Sleep(time.Millisecond)
	}
}
