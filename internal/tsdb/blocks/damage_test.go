package blocks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// files is what a directory holds, by name.
type files map[string][]byte

func readFiles(t testing.TB, fs vfs.FS, dir string) files {
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := files{}
	for _, name := range names {
		f, err := fs.Open(fs.PathJoin(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if all[name], err = io.ReadAll(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return all
}

// write makes a new file system that holds the files, with one of them replaced.
func (all files) write(t testing.TB, name string, content []byte) vfs.FS {
	fs := vfs.NewMem()
	if err := fs.MkdirAll(testDir, dirMode); err != nil {
		t.Fatal(err)
	}
	for n, b := range all {
		if n == name {
			b = content
		}
		f, err := fs.Create(fs.PathJoin(testDir, n), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(bytes.Clone(b)); err != nil { // with the race detector the file system spoils what it is given
			t.Fatal(err)
		}
		f.Close()
	}
	return fs
}

// realStore returns the files of a store with tables in several levels, as it is while it is open: as kill -9 leaves it.
func realStore(t testing.TB) (files, content) {
	fs := vfs.NewCrashableMem()
	h := newHistory()
	for round := range uint64(3) {
		if err := h.work(round, Options{Dir: testDir, FS: fs, memTable: 64 << 10}, 50); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, Options{FS: fs})
		h.versions = append(h.versions, mustRead(t, s))
		mustClose(t, s)
	}
	s := mustOpen(t, Options{FS: fs, memTable: 64 << 10})
	want := h.last()
	rng := newRand(9)
	for range 60 {
		var err error
		if want, err = commit(rng, s, want); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(6) == 0 {
			if err := s.Flush(Marks{1005, 1006}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Flush(Marks{1007, 1008}); err != nil {
		t.Fatal(err)
	}
	now := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rng})
	mustClose(t, s)
	return readFiles(t, now, testDir), want
}

// kind is what a file is, from its name: its number left out.
func kind(name string) string {
	return strings.TrimRight(strings.TrimLeft(name, "0123456789"), "0123456789")
}

// TestFlippedBits flips a bit in a file of each kind again and again. There is an error, or all that is read is right.
func TestFlippedBits(t *testing.T) {
	all, want := realStore(t)
	kinds := map[string][]string{}
	for name, b := range all {
		if len(b) > 0 {
			kinds[kind(name)] = append(kinds[kind(name)], name)
		}
	}
	for _, k := range []string{".sst", "MANIFEST-", "OPTIONS-", marksName, holderName} {
		if len(kinds[k]) == 0 {
			t.Errorf("the store has no file %s: %v", k, kinds)
		}
	}
	rng := newRand(4)
	for k, names := range kinds {
		slices.Sort(names)
		told := 0
		const trials = 300
		for range trials {
			name := names[rng.IntN(len(names))]
			b := bytes.Clone(all[name])
			bit := rng.IntN(8 * len(b))
			b[bit/8] ^= 1 << (bit % 8)
			if tryFlipped(t, all.write(t, name, b), want) {
				told++
			}
		}
		t.Logf("%-12s %3d files, %3d of %d flips made an error", k, len(names), told, trials)
	}
}

// tryFlipped says whether there is an error. Where opening is refused, no file may have changed, unless the damage was found by
// a compaction that began right away.
func tryFlipped(t *testing.T, fs vfs.FS, want content) (told bool) {
	t.Helper()
	before := readFiles(t, fs, testDir)
	s, err := Open(Options{Dir: testDir, FS: fs})
	if err != nil {
		after := readFiles(t, fs, testDir)
		for name, b := range before {
			if got, ok := after[name]; !errors.Is(err, ErrFailed) && name != holderName && name != "LOCK" && (!ok || !bytes.Equal(b, got)) {
				t.Errorf("%v; but %s has changed", err, name)
			}
		}
		return true
	}
	defer s.Close()
	got, err := read(s)
	if err != nil {
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrFailed) {
			t.Errorf("%v, which is not ErrDamaged", err)
		}
		if !strings.Contains(err.Error(), "file 0") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q should be a line that names a file", err)
		}
		return true
	}
	if !got.equal(want) {
		t.Errorf("read wrong: %s", got.diff(want))
	}
	if m := s.Marks(); m != (Marks{1007, 1008}) && m != (Marks{1005, 1006}) {
		t.Errorf("marks %v", m)
	}
	return false
}

// TestManifestCut: a MANIFEST that ends too early, at any byte, is found out, and nothing is deleted; but for its last
// records, which may be of compactions: without them all is there as well.
func TestManifestCut(t *testing.T) {
	all, want := realStore(t)
	name := currentManifest(t, all)
	b := all[name]
	for n := 0; n < len(b); n += 1 + len(b)/200 {
		fs := all.write(t, name, b[:n])
		if !tryFlipped(t, fs, want) && n < len(b)-250 {
			t.Errorf("a MANIFEST cut to %d of %d bytes was taken", n, len(b))
		}
	}
}

// currentManifest is the one that the marker names.
func currentManifest(t testing.TB, all files) string {
	for name := range all {
		if strings.HasPrefix(name, "marker.manifest.") {
			return name[strings.LastIndex(name, ".")+1:]
		}
	}
	t.Fatal("no marker")
	return ""
}

// TestLostFile: each file of Pebble that is gone is missed, or is of no use.
func TestLostFile(t *testing.T) {
	all, want := realStore(t)
	for name := range all {
		fs := all.write(t, "", nil)
		if err := fs.Remove(fs.PathJoin(testDir, name)); err != nil {
			t.Fatal(err)
		}
		told := tryFlipped(t, fs, want)
		if needed := name == currentManifest(t, all) || strings.HasPrefix(name, "marker.") || name == marksName; needed && !told {
			t.Errorf("%s is gone and nothing was said", name)
		}
	}
}

// TestVerify: a sound store has no damage and is counted; a spoiled table is named, and the rest is visited.
func TestVerify(t *testing.T) {
	noLeak(t)
	all, want := realStore(t)
	s := mustOpen(t, Options{FS: all.write(t, "", nil), ReadOnly: true})
	got, sum := verify(t, s)
	mustClose(t, s)
	if sum.Damages != 0 || got.diff(want) != "state is \"\", not \""+want.state+"\"; " {
		t.Errorf("%+v; %s", sum, got.diff(want))
	}
	if sum.Chunks != int64(len(want.chunks)) || sum.Series != int64(len(want.series)) || sum.Tables == 0 {
		t.Errorf("counted %+v", sum)
	}

	fs := vfs.NewMem()
	s = mustOpen(t, Options{FS: fs})
	want = newContent()
	b := s.NewBatch()
	for id := range uint64(3000) {
		p := place{0, id, 0}
		want.chunks[p] = strings.Repeat("x", 1000)
		b.PutChunk(0, id, 0, []byte(want.chunks[p]))
	}
	if err := errors.Join(b.Commit(), b.Close(), s.Flush(Marks{})); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	all = readFiles(t, fs, testDir)
	biggest := ""
	for name := range all {
		if kind(name) == ".sst" && len(all[name]) > len(all[biggest]) {
			biggest = name
		}
	}
	spoiled := bytes.Clone(all[biggest])
	spoiled[len(spoiled)/2] ^= 4
	s = mustOpen(t, Options{FS: all.write(t, biggest, spoiled), ReadOnly: true})
	got, sum = verify(t, s)
	mustClose(t, s)
	if sum.Damages < 2 {
		t.Errorf("%d damages were told, want that of the table and those of the scan", sum.Damages)
	}
	if n := len(got.chunks); n < 2900 || n >= 3000 {
		t.Errorf("%d of 3000 chunks were visited", n)
	}
	for p, v := range got.chunks {
		if v != want.chunks[p] {
			t.Errorf("%v is wrong", p)
		}
	}
}

func verify(t *testing.T, s *Store) (content, Summary) {
	t.Helper()
	c := newContent()
	sum, err := s.Verify(context.Background(), Visitor{
		Series: func(id uint64, record []byte) error {
			c.series[id] = string(record)
			return nil
		},
		Chunk: func(window int64, id uint64, first int64, chunk []byte) error {
			c.chunks[place{window, id, first}] = string(chunk)
			return nil
		},
		Damage: func(d Damage) { t.Log(d.Err, d.Lost) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, sum
}
