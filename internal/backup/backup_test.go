package backup

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"metricd/internal/storage"
)

// files are a storage.Snapshot: contents by name.
type files map[string]string

func (f files) Files() (all []storage.SnapshotFile) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		all = append(all, storage.SnapshotFile{Name: name, Size: int64(len(f[name]))})
	}
	return all
}

func (f files) Open(name string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(f[name])), nil
}
func (f files) Close() error { return nil }

var store = files{
	"chunks/000001.sst": strings.Repeat("a table ", 1000), "chunks/marker.x": "", "documents/a%20b.doc": "a board", "log/0000000001.wal": "a log", "log/a name": "with a space",
}

// stream returns the stream of a snapshot.
func stream(t *testing.T, s storage.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := Write(&b, s, time.Unix(1150864247, 5)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tree returns what is in dir, contents by name; directories end in a slash.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			got[name+"/"] = ""
			return nil
		}
		b, err := os.ReadFile(path)
		got[name] = string(b)
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "er", "backup")
	want := Summary{Files: 5, Bytes: 8000 + 7 + 5 + 12}
	if sum, err := Unpack(bytes.NewReader(stream(t, store)), dir); err != nil || sum != want {
		t.Fatalf("got %+v, %v", sum, err)
	}
	const list = "metricd backup 1\na051c424 8000 chunks/000001.sst\n00000000 0 chunks/marker.x\n63194da9 7 documents/a%20b.doc\nd4f8eb8b 5 log/0000000001.wal\nb5e6169c 12 log/a name\nend 5\n"
	data := map[string]string{"chunks/": "", "documents/": "", "log/": ""}
	maps.Copy(data, store)
	whole := maps.Clone(data)
	whole[List] = list
	if got := tree(t, dir); !reflect.DeepEqual(got, whole) {
		t.Fatalf("got %q", got)
	}
	target := t.TempDir() // empty, and there
	verified := false
	sum, err := Restore(dir, target, func(part string) error {
		verified = reflect.DeepEqual(tree(t, part), data)
		return nil
	})
	if err != nil || sum != want || !verified {
		t.Fatalf("got %+v, %v, verified %v", sum, err, verified)
	}
	if got := tree(t, target); !reflect.DeepEqual(got, data) {
		t.Fatalf("restored: %q", got)
	}
	if got := tree(t, dir); !reflect.DeepEqual(got, whole) {
		t.Fatalf("the backup became %q", got)
	}
	for _, dir := range []string{dir, target, filepath.Join(target, "chunks")} {
		if info, err := os.Stat(dir); err != nil || dir != target && info.Mode().Perm() != dirMode {
			t.Errorf("%s has mode %v, %v", dir, info.Mode(), err)
		}
	}
}

// TestCutStream: a stream that is cut short, wherever, or has a wrong byte in a file, leaves nothing.
func TestCutStream(t *testing.T) {
	whole := stream(t, store)
	dir := t.TempDir()
	end := bytes.Index(whole, []byte("end 5")) // of what counts: zeros follow
	for n := 0; n < end; n += 97 {
		if _, err := Unpack(bytes.NewReader(whole[:n]), filepath.Join(dir, "new")); err == nil {
			t.Errorf("cut at byte %d it passes", n)
		}
		if _, err := Unpack(io.MultiReader(bytes.NewReader(whole[:n]), broken{}), dir); !errors.Is(err, errBroken) {
			t.Errorf("broken at byte %d: %v", n, err)
		}
		if left := tree(t, dir); len(left) > 0 {
			t.Fatalf("cut at byte %d it leaves %q", n, left)
		}
	}
	if _, err := Unpack(io.MultiReader(bytes.NewReader(whole), broken{}), dir); !errors.Is(err, errBroken) {
		t.Errorf("broken behind the end: %v", err)
	}
	for _, part := range []string{"a table", "a log", "with a space", "a051c424", "a board", "end 5"} {
		spoiled := bytes.Replace(whole, []byte(part), []byte(strings.Repeat("0", len(part))), 1)
		if _, err := Unpack(bytes.NewReader(spoiled), dir); err == nil {
			t.Errorf("with %q replaced it passes", part)
		}
	}
	if left := tree(t, dir); len(left) > 0 {
		t.Fatalf("left: %q", left)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

// TestForeignStream: what is no backup, or would write elsewhere, is refused.
func TestForeignStream(t *testing.T) {
	for name, typ := range map[string]byte{
		"../escape": tar.TypeReg, "/etc/passwd": tar.TypeReg, "chunks/../../escape": tar.TypeReg, "chunks/a/b": tar.TypeReg, "documents/../a": tar.TypeReg, "documents": tar.TypeReg, "other/a": tar.TypeReg, "a": tar.TypeReg,
		"chunks/": tar.TypeDir, "chunks/..": tar.TypeReg, "chunks/link": tar.TypeSymlink, "log/hard": tar.TypeLink,
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		err := w.WriteHeader(&tar.Header{Name: name, Typeflag: typ, Linkname: "/etc/passwd", Mode: 0o600})
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := Unpack(&b, filepath.Join(dir, "backup")); err == nil {
			t.Errorf("%s passes", name)
		}
		if left := tree(t, dir); len(left) > 0 {
			t.Errorf("%s leaves %q", name, left)
		}
	}
}

// TestTargets: a directory that holds something is refused and left alone.
func TestTargets(t *testing.T) {
	dir := t.TempDir()
	if _, err := Unpack(bytes.NewReader(stream(t, store)), filepath.Join(dir, "backup")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"notes": "is not empty: it holds notes", unfinished: "never finished"} {
		target := filepath.Join(dir, "target-"+name)
		if err := os.MkdirAll(filepath.Join(target, name), 0o700); err != nil {
			t.Fatal(err)
		}
		_, unpacked := Unpack(bytes.NewReader(stream(t, store)), target)
		_, restored := Restore(filepath.Join(dir, "backup"), target, func(string) error { return nil })
		for _, err := range []error{unpacked, restored} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if got := tree(t, target); !reflect.DeepEqual(got, map[string]string{name + "/": ""}) {
			t.Errorf("%s became %q", target, got)
		}
	}
}

// TestDamagedBackup: nothing is restored of a backup that is not as it was made.
func TestDamagedBackup(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"a file is missing":        func(dir string) error { return os.Remove(dir + "/log/a name") },
		"has 6 bytes, not 5":       func(dir string) error { return os.WriteFile(dir+"/log/0000000001.wal", []byte("a long"), 0o600) },
		"its checksum is":          func(dir string) error { return os.WriteFile(dir+"/log/0000000001.wal", []byte("a lag"), 0o600) },
		"so it is no whole backup": func(dir string) error { return os.Remove(dir + "/" + List) },
		"line 2 has no end":        func(dir string) error { return os.Truncate(dir+"/"+List, 20) },
		"does not begin with":      func(dir string) error { return os.WriteFile(dir+"/"+List, []byte("metricd backup 2\n"), 0o600) },
		"what verify says":         func(string) error { return nil },
		`"../a" is no name`: func(dir string) error {
			return os.WriteFile(dir+"/"+List, []byte(magic+"00000000 0 ../a\nend 1\n"), 0o600)
		},
		`"end 2" behind 1 files, with 0 bytes`: func(dir string) error {
			return os.WriteFile(dir+"/"+List, []byte(magic+"00000000 0 log/a\nend 2\n"), 0o600)
		},
		`want a checksum of 8`: func(dir string) error { return os.WriteFile(dir+"/"+List, []byte(magic+"0 0 log/a\nend 1\n"), 0o600) },
		`"00000000 -1 log/a": want a size`: func(dir string) error {
			return os.WriteFile(dir+"/"+List, []byte(magic+"00000000 -1 log/a\nend 1\n"), 0o600)
		},
	} {
		dir := t.TempDir()
		backup, target := filepath.Join(dir, "backup"), filepath.Join(dir, "target")
		if _, err := Unpack(bytes.NewReader(stream(t, store)), backup); err != nil {
			t.Fatal(err)
		}
		if err := spoil(backup); err != nil {
			t.Fatal(err)
		}
		name = strings.Replace(name, "a file", "log/a name", 1)
		if _, err := Restore(backup, target, func(string) error { return errors.New("what verify says") }); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
		if left := tree(t, target); left != nil {
			t.Errorf("%s: left %q", name, left)
		}
	}
}

// TestWriteFails: a file that is shorter than it was is an error, not a stream that looks whole.
func TestWriteFails(t *testing.T) {
	if _, err := Write(io.Discard, shrunk{store}, time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), "it has 8000 bytes, not 8001") {
		t.Errorf("got %v", err)
	}
}

type shrunk struct{ files }

func (s shrunk) Files() []storage.SnapshotFile {
	all := s.files.Files()
	all[0].Size++
	return all
}

// FuzzList: a list that is read is written the same way, and its names lead nowhere else.
func FuzzList(f *testing.F) {
	f.Add([]byte(magic + "9139b8b5 8000 chunks/000001.sst\n00000000 0 log/a b\nend 2\n"))
	f.Add([]byte(magic + "end 0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := parseList(text)
		if err != nil {
			return
		}
		for _, e := range entries {
			if !filepath.IsLocal(e.name) || strings.Count(e.name, "/") != 1 || e.size < 0 {
				t.Fatalf("%+v", e)
			}
		}
		again, err := parseList(appendList(nil, entries))
		if err != nil || !reflect.DeepEqual(again, entries) {
			t.Fatalf("%q reads as %+v, and then as %+v, %v", text, entries, again, err)
		}
	})
}
