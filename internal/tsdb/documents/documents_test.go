package documents

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

func mustOpen(t testing.TB, fs vfs.FS) *Store {
	t.Helper()
	s, err := Open(Options{FS: fs, Dir: "d/documents", Identity: ours.Identity, Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func mustPut(t testing.TB, s *Store, name, data string) storage.Version {
	t.Helper()
	info, _, err := s.Get(t.Context(), name)
	if err != nil && !errors.Is(err, storage.ErrNoDocument) {
		t.Fatal(err)
	}
	v, err := s.Put(t.Context(), name, []byte(data), info.Version)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustMkdir(t testing.TB, fs vfs.FS, dir string) {
	t.Helper()
	if err := errors.Join(fs.MkdirAll(dir, 0o700), syncDir(fs, fs.PathDir(dir)), syncDir(fs, dir)); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, fs vfs.FS, path string) []byte {
	t.Helper()
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, fs vfs.FS, path string, b []byte) {
	t.Helper()
	s := Store{o: Options{FS: fs}}
	if err := s.writeFile(path, bytes.Clone(b)); err != nil { // with the race detector the file system spoils what it is given
		t.Fatal(err)
	}
}

// TestDamage spoils each byte of a file, cuts it everywhere, and swaps it: that is an error which names the file, or nothing was changed; the other document can be read, and
// the damaged one replaced or deleted.
func TestDamage(t *testing.T) {
	fs := vfs.NewMem()
	mustMkdir(t, fs, "d")
	s := mustOpen(t, fs)
	mustPut(t, s, "bad", "some data")
	mustPut(t, s, "good", "other data")
	const bad, good = "d/documents/bad.doc", "d/documents/good.doc"
	sound := readFile(t, fs, bad)
	spoiled := [][]byte{readFile(t, fs, good), nil, append(bytes.Clone(sound), 'x'), make([]byte, maxHeader+storage.MaxDocument+9)}
	for i := range sound {
		b := bytes.Clone(sound)
		b[i] ^= 1 << (i % 8)
		spoiled = append(spoiled, b, sound[:i])
	}
	for i, b := range spoiled {
		writeFile(t, fs, bad, b)
		again := mustOpen(t, fs)
		for _, s := range []*Store{s, again} { // one that had it open, and one that finds it so
			info, data, err := s.Get(t.Context(), "bad")
			if !errors.Is(err, ErrDamaged) || data != nil || info.Version == 0 || !strings.HasPrefix(err.Error(), bad+": ") || !strings.Contains(err.Error(), "restore a backup") {
				t.Fatalf("spoiled %d: got %+v %q, %v", i, info, data, err)
			}
			if _, data, err := s.Get(t.Context(), "good"); err != nil || string(data) != "other data" {
				t.Fatalf("spoiled %d: the other is %q, %v", i, data, err)
			}
			all, err := s.List(t.Context())
			if err != nil || len(all) != 2 || all[0].Name != "bad" || all[0].Version != info.Version || !errors.Is(all[0].Err, ErrDamaged) || all[1].Err != nil {
				t.Fatalf("spoiled %d: listed %+v, %v", i, all, err)
			}
		}
		info, _, _ := again.Get(t.Context(), "bad")
		if i%2 == 0 {
			if _, err := again.Put(t.Context(), "bad", []byte("new"), info.Version); err != nil {
				t.Fatal(err)
			}
			if info, data, err := again.Get(t.Context(), "bad"); err != nil || string(data) != "new" || info.Err != nil {
				t.Fatalf("spoiled %d and replaced: %+v %q, %v", i, info, data, err)
			}
		} else if err := again.Delete(t.Context(), "bad", info.Version); err != nil {
			t.Fatal(err)
		}
		writeFile(t, fs, bad, sound)
		if _, data, err := s.Get(t.Context(), "bad"); err != nil || string(data) != "some data" {
			t.Fatalf("put back: %q, %v", data, err)
		}
	}
}

// TestForeignFiles: what is no document stays, and is told if it is called one. What a put left unfinished goes.
func TestForeignFiles(t *testing.T) {
	fs := vfs.NewMem()
	mustMkdir(t, fs, "d")
	mustPut(t, mustOpen(t, fs), "a", "1")
	for _, name := range []string{"notes.txt", "notes.new", "a.doc~", "B.doc", "%61.doc", ".doc", "B.doc.new", "b.doc.new"} {
		writeFile(t, fs, "d/documents/"+name, []byte("?"))
	}
	var faults, sound []string
	o := ours
	o.FS, o.Dir = fs, "d/documents"
	err := Each(t.Context(), o, func(info storage.DocumentInfo, data []byte) error {
		sound = append(sound, info.Name+"="+string(data))
		return nil
	}, func(err error) { faults = append(faults, err.Error()) })
	if err != nil || fmt.Sprint(sound) != "[a=1]" || len(faults) != 3 || !strings.Contains(fmt.Sprint(faults), "B.doc is no document of metricd") {
		t.Errorf("got %q, faults %q, %v", sound, faults, err)
	}
	if all, err := mustOpen(t, fs).List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("listed %+v, %v", all, err)
	}
	if names, err := fs.List("d/documents"); err != nil || len(names) != 8 || slices.Contains(names, "b.doc.new") {
		t.Errorf("left: %q, %v", names, err)
	}
}

// TestMaxBytes: what is in memory is bounded; what makes it smaller is always taken.
func TestMaxBytes(t *testing.T) {
	s, err := Open(Options{FS: vfs.NewMem(), Dir: "documents", MaxBytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	a := mustPut(t, s, "a", "123456")
	b := mustPut(t, s, "b", "1234")
	for name, v := range map[string]storage.Version{"a": a, "b": b, "c": 0} {
		if _, err := s.Put(t.Context(), name, []byte("1234567"), v); !errors.Is(err, storage.ErrMemoryLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustPut(t, s, "a", "12345")
	mustPut(t, s, "c", "1")
	if err := s.Delete(t.Context(), "b", b); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, "c", "12345")
}

// TestTurn: who waits for his turn goes when his context is done, and has changed nothing.
func TestTurn(t *testing.T) {
	s := mustOpen(t, vfs.NewMem())
	if err := s.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if _, err := s.Put(ctx, "a", nil, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("put: %v", err)
		}
	})
	cancel()
	waiting.Wait()
	s.leave()
	if all, err := s.List(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("there is %+v, %v", all, err)
	}
}

// TestCopy: a copy has what there was at one moment, without what is damaged, and does not change.
func TestCopy(t *testing.T) {
	fs := vfs.NewMem()
	mustMkdir(t, fs, "d")
	s := mustOpen(t, fs)
	if err := s.Copy(t.Context(), "d/none"); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat("d/none"); err == nil {
		t.Error("a copy of nothing is there")
	}
	mustPut(t, s, "a", "1")
	mustPut(t, s, "b", "1")
	mustPut(t, s, "gone", "1")
	writeFile(t, fs, "d/documents/b.doc", []byte("?"))
	if err := fs.Remove("d/documents/gone.doc"); err != nil {
		t.Fatal(err)
	}
	if err := s.Copy(t.Context(), "d/copy"); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, "a", "2")
	names, err := fs.List("d/copy")
	if err != nil || fmt.Sprint(names) != "[a.doc]" {
		t.Fatalf("copied %q, %v", names, err)
	}
	if b := readFile(t, fs, "d/copy/a.doc"); !bytes.HasSuffix(b, []byte("1")) {
		t.Errorf("the copy became %q", b)
	}
}
