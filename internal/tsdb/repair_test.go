package tsdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// contents are samples by key and time.
type contents map[string]map[int64]float64

// readAll returns all that db holds, in the order of keys, or the first error.
func readAll(t testing.TB, db *DB) (keys []string, all contents, err error) {
	set := db.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	all = contents{}
	for set.Next() {
		key := set.At().Key()
		keys = append(keys, key)
		all[key] = map[int64]float64{}
		it := set.At().Iterator(nil)
		for it.Next() {
			ts, v := it.At()
			all[key][ts] = v
		}
		if err := it.Err(); err != nil {
			return keys, all, err
		}
	}
	return keys, all, set.Err()
}

func (c contents) equal(d contents) bool {
	return maps.EqualFunc(c, d, func(a, b map[int64]float64) bool { return maps.Equal(a, b) })
}

func put(t testing.TB, db *DB, rows ...storage.Row) {
	t.Helper()
	a := db.Appender()
	seq, err := a.Append(batch(rows...))
	if err == nil {
		err = a.Wait(t.Context(), seq)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// image is a directory's files by path.
type image map[string][]byte

func imageOf(t testing.TB, fs vfs.FS, dir string) image {
	t.Helper()
	all := image{}
	for _, sub := range []string{chunksDir, logDir} {
		names, err := fs.List(fs.PathJoin(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			path := fs.PathJoin(dir, sub, name)
			f, err := fs.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if all[path], err = io.ReadAll(f); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
	}
	return all
}

// write makes a file system that holds the files.
func (m image) write(t testing.TB) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewMem()
	for path, b := range m {
		if err := fs.MkdirAll(fs.PathDir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(bytes.Clone(b)); err != nil { // with the race detector the file system spoils what it is given
			t.Fatal(err)
		}
		f.Close()
	}
	for _, sub := range []string{chunksDir, logDir} {
		if err := fs.MkdirAll(fs.PathJoin("d", sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return fs
}

// with returns the files with one of them replaced, or without it if b is nil.
func (m image) with(path string, b []byte) image {
	n := maps.Clone(m)
	if n[path] = b; b == nil {
		delete(n, path)
	}
	return n
}

// equal compares, but for the files of the lock.
func (m image) equal(n image) bool {
	rest := func(m image) image {
		m = maps.Clone(m)
		maps.DeleteFunc(m, func(path string, _ []byte) bool {
			return strings.HasSuffix(path, "/LOCK") || strings.HasSuffix(path, "/holder")
		})
		return m
	}
	return maps.EqualFunc(rest(m), rest(n), bytes.Equal)
}

// log returns the files of the log.
func (m image) log() image {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(path string, _ []byte) bool { return !strings.HasPrefix(path, "d/log/") })
	return m
}

// realStore returns the files of a store with chunks in several tables and windows, late, replaced and removed samples, series
// that ended and came again, and part of it in the log only; as a kill leaves it, and as a stop does; and what it holds.
func realStore(t testing.TB) (killed, stopped image, keys []string, want contents) {
	t.Helper()
	fs := vfs.NewCrashableMem()
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	for step := range realSteps {
		put(t, db, realRows(step)...)
		if step%5 == 1 {
			remove(t, db, storage.Query{Key: "cpu;host=3", Mint: storage.MinTime, Maxt: storage.MaxTime})
			remove(t, db, storage.Query{Key: "cpu;host=4", Mint: 100_000, Maxt: 900_000})
		}
		switch {
		case step > 9: // so the log has several segments
			if _, err := db.log.Rotate(); err != nil {
				t.Fatal(err)
			}
		case step%3 == 0:
			if err := db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	db.mark()
	// A picture of one moment: files come and go in the background.
	killed = imageOf(t, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))}), "d")
	keys, want, err := readAll(t, db)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return killed, imageOf(t, fs, "d"), keys, want
}

const realSteps = 12

// realRows are what realStore puts in one step.
func realRows(step int) (rows []storage.Row) {
	for i := range 1500 {
		key := fmt.Sprintf("cpu;host=%d", i%9)
		ts := int64(step*1500+i) * 1000
		switch {
		case i%10 == 0:
			ts = int64(i%40) * windowWidth(0) / 8
		case i%7 == 0:
			ts /= 2
		}
		rows = append(rows, storage.Row{Key: []byte(key), T: ts, V: math.Sin(float64(step*10_000 + i))})
	}
	return rows
}

func remove(t testing.TB, db *DB, q storage.Query) {
	t.Helper()
	if err := db.Delete(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

func (c contents) samples() (n int64) {
	for _, samples := range c {
		n += int64(len(samples))
	}
	return n
}

// checkAll returns what Check tells of d.
func checkAll(t testing.TB, fs vfs.FS, dir string) (r Report, faults []string, err error) {
	r, err = Check(t.Context(), CheckOptions{Dir: dir, FS: fs, Fault: func(err error) { faults = append(faults, err.Error()) }})
	if err == nil && r.Faults != len(faults) {
		t.Errorf("%d faults are counted, and %d told", r.Faults, len(faults))
	}
	return r, faults, err
}

// TestCheckSound: a sound store has no faults, is counted, and not changed.
func TestCheckSound(t *testing.T) {
	killed, stopped, keys, want := realStore(t)
	for name, files := range map[string]image{"killed": killed, "stopped": stopped} {
		fs := files.write(t)
		r, faults, err := checkAll(t, fs, "d")
		if err != nil || len(faults) > 0 {
			t.Fatalf("%s: %v, faults %q", name, err, faults)
		}
		if r.Series != int64(len(keys)) || r.Chunks == 0 || r.Windows < 4 {
			t.Errorf("%s: %+v, want %d series", name, r, len(keys))
		}
		if (name == "killed") != (r.LogSamples > 0) || name == "stopped" && r.ChunkSamples != want.samples() {
			t.Errorf("%s: %d samples in chunks and %d in the log, want %d in all", name, r.ChunkSamples, r.LogSamples, want.samples())
		}
		if !imageOf(t, fs, "d").equal(files) {
			t.Errorf("%s: Check changed files", name)
		}
	}
}

// TestRepairSound: of a sound store all is saved, in its order, and nothing told.
func TestRepairSound(t *testing.T) {
	killed, stopped, keys, want := realStore(t)
	for name, files := range map[string]image{"killed": killed, "stopped": stopped} {
		fs := files.write(t)
		gotKeys, got, faults := repaired(t, fs)
		if len(faults) > 0 || !slices.Equal(gotKeys, keys) || !got.equal(want) {
			t.Errorf("%s: told %q, got series %q, want %q; samples are right: %v", name, faults, gotKeys, keys, got.equal(want))
		}
		if !imageOf(t, fs, "d").equal(files) {
			t.Errorf("%s: Repair changed files", name)
		}
	}
}

// repaired repairs d and returns what the new directory holds, which must check and open.
func repaired(t testing.TB, fs vfs.FS) (keys []string, got contents, faults []string) {
	t.Helper()
	_, err := Repair(t.Context(), CheckOptions{Dir: "d", FS: fs, Fault: func(err error) { faults = append(faults, err.Error()) }}, "new")
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(Options{Dir: "new", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if keys, got, err = readAll(t, db); err != nil {
		t.Fatal(err)
	}
	return keys, got, faults
}

// TestLogGone: a store that never flushed misses its log, whatever of it is gone, once it was synced and marked.
func TestLogGone(t *testing.T) {
	for _, interval := range []bool{false, true} {
		fs := vfs.NewMem()
		o := Options{Dir: "d", FS: fs, markPause: time.Millisecond}
		if interval {
			o.SyncInterval = 1
		}
		db := mustOpen(t, o)
		put(t, db, storage.Row{Key: []byte("a"), T: 1, V: 1})
		for db.blocks.Marks().Synced == 0 {
			put(t, db, storage.Row{Key: []byte("a"), T: 1, V: 1}) // there is no event to wait for
		}
		killed := imageOf(t, fs, "d")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for path := range killed {
			if !strings.HasPrefix(path, "d/log/") {
				continue
			}
			for _, b := range [][]byte{nil, {}, killed[path][:60]} {
				fs := killed.with(path, b).write(t)
				if _, err := Open(Options{Dir: "d", FS: fs}); !errors.Is(err, errLog) || !strings.Contains(err.Error(), "metricd check d") {
					t.Errorf("with %d of %d bytes of the log: %v", len(b), len(killed[path]), err)
				}
				if _, faults, err := checkAll(t, fs, "d"); err != nil || len(faults) != 1 || !strings.Contains(faults[0], "d/log") {
					t.Errorf("with %d bytes of the log Check tells %q, %v", len(b), faults, err)
				}
			}
		}
	}
}
