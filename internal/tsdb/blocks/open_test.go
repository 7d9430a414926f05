package blocks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestForeign: a directory that holds something else is refused and left as it is.
func TestForeign(t *testing.T) {
	noLeak(t)
	for _, name := range []string{"photo.jpg", "000004.sst", "MANIFEST-000001", "marks.old"} {
		fs := files{name: []byte("x")}.write(t, "", nil)
		for _, readOnly := range []bool{false, true} {
			_, err := Open(Options{Dir: testDir, FS: fs, ReadOnly: readOnly})
			if !errors.Is(err, ErrForeign) {
				t.Errorf("%s: %v, want ErrForeign", name, err)
			}
			if all := readFiles(t, fs, testDir); len(all) != 1 || string(all[name]) != "x" {
				t.Errorf("%s: the directory now holds %v", name, all)
			}
		}
	}
}

// TestReadOnlyCreatesNothing also where a creation was begun.
func TestReadOnlyCreatesNothing(t *testing.T) {
	noLeak(t)
	fs := vfs.NewMem()
	if _, err := Open(Options{Dir: testDir, FS: fs, ReadOnly: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if names, err := fs.List(""); err != nil || len(names) > 0 {
		t.Errorf("%q, %v", names, err)
	}
	if err := makeDir(fs, testDir); err != nil {
		t.Fatal(err)
	}
	if err := createMarks(fs, testDir, mark{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: testDir, FS: fs, ReadOnly: true}); !errors.Is(err, ErrForeign) {
		t.Errorf("a creation that was begun: %v", err)
	}
	mustClose(t, mustOpen(t, Options{FS: fs}))
	s := mustOpen(t, Options{FS: fs, ReadOnly: true})
	b := s.NewBatch()
	b.SetState(nil)
	for name, err := range map[string]error{
		"Commit": b.Commit(), "Mark": s.Mark(Marks{1, 1}), "Flush": s.Flush(Marks{1, 1}), "Checkpoint": s.Checkpoint("x", 0),
	} {
		if !errors.Is(err, errReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.Close()
	mustClose(t, s)
}

// TestNewer: a store of a newer format is refused, whichever part says so.
func TestNewer(t *testing.T) {
	noLeak(t)
	fs := vfs.NewMem()
	s := mustOpen(t, Options{FS: fs})
	if err := s.db.Set(formatKey, binary.BigEndian.AppendUint32(nil, format+1), pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	s.room.commits++
	if err := s.Flush(Marks{}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	if _, err := Open(Options{Dir: testDir, FS: fs}); !errors.Is(err, ErrNewer) {
		t.Errorf("newer tables: %v, want ErrNewer", err)
	}
	all := readFiles(t, fs, testDir)
	b := newerSlot(t, all[marksName])
	if _, err := Open(Options{Dir: testDir, FS: all.write(t, marksName, b)}); !errors.Is(err, ErrNewer) {
		t.Errorf("newer marks: %v, want ErrNewer", err)
	}
}

// TestInUse: who comes second is told who has the directory, in this process and in another one.
func TestInUse(t *testing.T) {
	noLeak(t)
	dir := t.TempDir()
	if os.Getenv("METRICD_BLOCKS_DIR") != "" {
		_, err := Open(Options{Dir: os.Getenv("METRICD_BLOCKS_DIR")})
		fmt.Println("error:", err)
		return
	}
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	s := mustOpen(t, Options{Dir: dir, Now: func() time.Time { return now }})
	want := fmt.Sprintf("held by process %d (blocks.test), since 2026-02-03T04:05:06Z", os.Getpid())
	for _, readOnly := range []bool{false, true} {
		_, err := Open(Options{Dir: dir, ReadOnly: readOnly})
		if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), want) {
			t.Errorf("the same process: %v, want %q", err, want)
		}
	}
	for _, removed := range []string{"", "LOCK"} { // the second time the directory itself is what is locked
		if removed != "" {
			if err := os.Remove(filepath.Join(dir, removed)); err != nil {
				t.Fatal(err)
			}
		}
		other := exec.Command(os.Args[0], "-test.run=^TestInUse$")
		other.Env = append(os.Environ(), "METRICD_BLOCKS_DIR="+dir)
		out, err := other.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("another process, %q removed: %v, %s; want %q", removed, err, out, want)
		}
	}
	mustClose(t, s)
	mustClose(t, mustOpen(t, Options{Dir: dir}))
}

// unwritable is a file system on which nothing can be made.
type unwritable struct{ vfs.FS }

func (unwritable) Lock(name string) (io.Closer, error) {
	return nil, &os.PathError{Op: "open", Path: name, Err: syscall.EROFS}
}

// TestUnwritable: what is opened for reading only needs no file for the lock, and is kept from a store that is in use all the same.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	o := Options{Dir: dir, FS: unwritable{vfs.Default}, ReadOnly: true}
	if _, err := Open(o); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "held by process") {
		t.Errorf("while it is in use: %v", err)
	}
	mustClose(t, s)
	for range 2 { // beside each other
		s := mustOpen(t, o)
		defer mustClose(t, s)
		if !errors.Is(s.Unlocked(), syscall.EROFS) {
			t.Errorf("Unlocked: %v", s.Unlocked())
		}
	}
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, ErrInUse) {
		t.Errorf("for writing, while it is read: %v", err)
	}
	o.ReadOnly = false
	if _, err := Open(o); !errors.Is(err, syscall.EROFS) {
		t.Errorf("for writing: %v", err)
	}
}

// TestHolderUnknown: a holder file that is not as it should be does not matter.
func TestHolderUnknown(t *testing.T) {
	for _, text := range []string{"", "process 12", "\x1b[2J\n", strings.Repeat("x", 300)} {
		fs := files{holderName: []byte(text)}.write(t, "", nil)
		if got := holder(fs, testDir); got != "another process" {
			t.Errorf("%q: %q", text, got)
		}
	}
}
