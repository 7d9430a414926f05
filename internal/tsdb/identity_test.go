package tsdb

import (
	"path"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// killedWith returns the files of a store of one series with one value, some of it in chunks and some in a log of one file.
func killedWith(t *testing.T, value float64) image {
	fs := vfs.NewMem()
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	for i := range int64(20) {
		put(t, db, storage.Row{Key: []byte("a"), T: i * 1000, V: value})
		if i == 9 { // a stop also waits until tables that no longer count are deleted
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = mustOpen(t, Options{Dir: "d", FS: fs})
		}
	}
	db.mark()
	killed := imageOf(t, fs, "d")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return killed
}

// TestFilesOfAnotherStore: a table, the marks or the log of another store, of the same name and size, is an error that names the file, of
// Open or of a read, and of Check; and Repair leaves out what is in it.
func TestFilesOfAnotherStore(t *testing.T) {
	ours, theirs := killedWith(t, 1), killedWith(t, 2)
	for !sameShape(ours, theirs) { // one has compacted, the other not
		ours, theirs = killedWith(t, 1), killedWith(t, 2)
	}
	kinds := map[string]bool{}
	for name := range ours {
		kind := path.Ext(name)
		if kind != ".sst" && kind != ".wal" && path.Base(name) != "marks" {
			continue
		}
		kinds[kind] = true
		fs := ours.with(name, theirs[name]).write(t)
		if _, faults, err := checkAll(t, fs, "d"); err != nil || !strings.Contains(strings.Join(faults, "\n"), path.Base(name)) {
			t.Errorf("%s: Check tells %q, %v", name, faults, err)
		}
		if err := openAndRead(t, fs); err == nil || !strings.Contains(err.Error(), path.Base(name)) || !strings.Contains(err.Error(), "another") {
			t.Errorf("%s: opened and read: %v", name, err)
		}
		if kind == "" { // all else is of another store then; without the marks it is not
			fs = ours.with(name, nil).write(t)
		}
		_, got, _ := repaired(t, fs)
		if kind == "" && len(got["a"]) != 20 {
			t.Errorf("without marks %d samples are saved, tables and log are sound", len(got["a"]))
		}
		for ts, v := range got["a"] {
			if v != 1 {
				t.Errorf("%s: repaired, with a sample %v at %d", name, v, ts)
			}
		}
	}
	if len(kinds) != 3 {
		t.Errorf("only %v were swapped", kinds)
	}
}

// sameShape says whether tables, marks and logs of two stores have the same names and sizes.
func sameShape(a, b image) bool {
	for name := range a {
		if k := path.Ext(name); (k == ".sst" || k == ".wal" || path.Base(name) == "marks") && len(a[name]) != len(b[name]) {
			return false
		}
	}
	return true
}

func openAndRead(t *testing.T, fs vfs.FS) error {
	db, err := Open(Options{Dir: "d", FS: fs})
	if err != nil {
		return err
	}
	defer db.Close()
	_, _, err = readAll(t, db)
	return err
}
