package blocks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// twin returns the files of a store. Those that are made with one length have the same names and sizes, if as much was compacted.
func twin(t *testing.T, record string) files {
	fs := vfs.NewMem()
	s := mustOpen(t, Options{FS: fs})
	b := s.NewBatch()
	defer b.Close()
	for id := range uint64(50) {
		b.PutSeries(id, fmt.Appendf(nil, "%s.%d", record, id))
		b.PutChunk(1, id, 7, []byte(record))
	}
	if err := errors.Join(b.Commit(), s.Flush(Marks{Flushed: 1})); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	return readFiles(t, fs, testDir)
}

// TestFilesOfAnotherStore swaps each file that says what is stored for that of another store, of the same name and size: no read
// returns anything of the other store, and an error names a file, at the latest from Verify.
func TestFilesOfAnotherStore(t *testing.T) {
	ours, theirs := twin(t, "ours"), twin(t, "them")
	for !sameShape(ours, theirs) {
		ours, theirs = twin(t, "ours"), twin(t, "them")
	}
	swapped := 0
	for name := range ours {
		if k := kind(name); k != tableSuffix && name != marksName {
			continue
		}
		swapped++
		fs := ours.write(t, name, theirs[name])
		if told := toldOf(t, fs); !strings.Contains(told, name) || !strings.Contains(told, "another store") {
			t.Errorf("%s: %q", name, told)
		}
		if name == marksName {
			continue
		}
		lost := salvage(t, fs)
		for id, record := range lost.content.series {
			if strings.HasPrefix(record, "them") {
				t.Fatalf("%s: salvaged %d: %s", name, id, record)
			}
		}
	}
	if swapped < 2 {
		t.Errorf("only %d files to swap", swapped)
	}
}

// sameShape says whether all tables of two stores have the same names and sizes.
func sameShape(a, b files) bool {
	for name := range a {
		if kind(name) == tableSuffix && len(a[name]) != len(b[name]) {
			return false
		}
	}
	return true
}

// toldOf opens, reads and verifies a store, and returns what is said of damage.
func toldOf(t *testing.T, fs vfs.FS) string {
	s, err := Open(Options{Dir: testDir, FS: fs, ReadOnly: true})
	if err != nil {
		return err.Error()
	}
	defer mustClose(t, s)
	c, _ := read(s)
	for _, record := range c.series {
		if !strings.HasPrefix(record, "ours") {
			t.Errorf("read %s", record)
		}
	}
	var told []string
	_, err = s.Verify(context.Background(), Visitor{Damage: func(d Damage) { told = append(told, d.Err.Error()) }})
	if err != nil {
		t.Error(err)
	}
	return strings.Join(told, "\n")
}

// TestIdentity: every store has its own, and keeps it; a checkpoint has that of its store.
func TestIdentity(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, Options{FS: fs})
	id := s.Identity()
	if err := s.Checkpoint("copy", 0); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	for dir, same := range map[string]bool{testDir: true, "copy": true, "other": false} {
		s, err := Open(Options{Dir: dir, FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		if (s.Identity() == id) != same {
			t.Errorf("%s: %x, the store has %x", dir, s.Identity(), id)
		}
		mustClose(t, s)
	}
}
