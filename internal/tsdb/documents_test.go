package tsdb

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"metricd/internal/storage"
	"metricd/internal/tsdb/documents"
)

// putDocument makes a document.
func putDocument(t testing.TB, db *DB, name, data string) storage.Version {
	t.Helper()
	v, err := db.PutDocument(t.Context(), name, []byte(data), 0)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wantDocuments compares all documents with want, name=data each.
func wantDocuments(t testing.TB, db *DB, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	all, err := db.ListDocuments(t.Context())
	for _, d := range all {
		_, data, e := db.GetDocument(t.Context(), d.Name)
		got[d.Name] = string(data)
		err = errors.Join(err, e)
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("documents %q, %v, want %q", got, err, want)
	}
}

// withDocuments returns the files of a stopped store that has a sample and two documents, and their versions.
func withDocuments(t testing.TB) (fs *vfs.MemFS, a, b storage.Version) {
	t.Helper()
	fs = vfs.NewMem()
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	put(t, db, storage.Row{Key: []byte("a"), T: 1, V: 1})
	a, b = putDocument(t, db, "a", "data of a"), putDocument(t, db, "b", "data of b")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return fs, a, b
}

// spoilFile writes over the last bytes of a file.
func spoilFile(t testing.TB, fs vfs.FS, path, with string) {
	t.Helper()
	info, err := fs.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte(with), info.Size()-int64(len(with)))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestDocumentsChecked: Check counts documents and tells which is damaged, Repair saves the others with their versions, and the
// server starts all the same.
func TestDocumentsChecked(t *testing.T) {
	fs, a, b := withDocuments(t)
	r, faults, err := checkAll(t, fs, "d")
	if err != nil || len(faults) > 0 || r.Documents != 2 {
		t.Fatalf("sound: %+v, %q, %v", r, faults, err)
	}
	spoilFile(t, fs, "d/documents/a.doc", "!")
	r, faults, err = checkAll(t, fs, "d")
	if err != nil || len(faults) != 1 || r.Documents != 1 || r.Series != 1 || !strings.Contains(faults[0], "d/documents/a.doc: document: damaged") {
		t.Errorf("damaged: %+v, %q, %v", r, faults, err)
	}
	faults = nil
	r, err = Repair(t.Context(), CheckOptions{Dir: "d", FS: fs, Fault: func(err error) { faults = append(faults, err.Error()) }}, "new")
	if err != nil || len(faults) != 1 || r.Documents != 1 || r.Faults != 1 {
		t.Fatalf("repaired: %+v, %q, %v", r, faults, err)
	}
	db := mustOpen(t, Options{Dir: "new", FS: fs})
	defer db.Close()
	wantDocuments(t, db, map[string]string{"b": "data of b"})
	if info, _, err := db.GetDocument(t.Context(), "b"); err != nil || info.Version != b {
		t.Errorf("saved as version %x, %v, want %x", info.Version, err, b)
	}
	old := mustOpen(t, Options{Dir: "d", FS: fs})
	defer old.Close()
	if _, _, err := old.GetDocument(t.Context(), "a"); !errors.Is(err, documents.ErrDamaged) {
		t.Errorf("the damaged one: %v", err)
	}
	if _, err := old.PutDocument(t.Context(), "a", []byte("anew"), a); err != nil {
		t.Fatal(err)
	}
	wantDocuments(t, old, map[string]string{"a": "anew", "b": "data of b"})
}

// TestDocumentsWithoutChunks: documents are saved also where the chunks can't be opened.
func TestDocumentsWithoutChunks(t *testing.T) {
	fs, _, _ := withDocuments(t)
	if err := fs.Remove("d/chunks/marks"); err != nil {
		t.Fatal(err)
	}
	if r, faults, err := checkAll(t, fs, "d"); err != nil || len(faults) == 0 || r.Documents != 2 {
		t.Errorf("%+v, %q, %v", r, faults, err)
	}
	if _, _, faults := repaired(t, fs); len(faults) == 0 {
		t.Error("no faults are told")
	}
	db := mustOpen(t, Options{Dir: "new", FS: fs})
	defer db.Close()
	wantDocuments(t, db, map[string]string{"a": "data of a", "b": "data of b"})
}

// TestDocumentOfAnotherStore: it is told from ours, whatever it is called.
func TestDocumentOfAnotherStore(t *testing.T) {
	ours, _, _ := withDocuments(t)
	theirs, _, _ := withDocuments(t)
	in, err := theirs.Open("d/documents/b.doc")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(in)
	if err := errors.Join(err, in.Close()); err != nil {
		t.Fatal(err)
	}
	spoilFile(t, ours, "d/documents/b.doc", string(b))
	db := mustOpen(t, Options{Dir: "d", FS: ours})
	defer db.Close()
	if _, _, err := db.GetDocument(t.Context(), "b"); !errors.Is(err, documents.ErrDamaged) || !strings.Contains(err.Error(), "another store") {
		t.Errorf("got %v", err)
	}
}

// TestDocumentsInSnapshot: a snapshot has the documents as they were, but not a damaged one.
func TestDocumentsInSnapshot(t *testing.T) {
	fs, a, b := withDocuments(t)
	spoilFile(t, fs, "d/documents/b.doc", "!")
	db := mustOpen(t, Options{Dir: "d", FS: fs})
	defer db.Close()
	s, err := db.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.PutDocument(t.Context(), "a", []byte("later"), a); err != nil {
		t.Fatal(err)
	}
	if err := db.DeleteDocument(t.Context(), "b", b); err != nil {
		t.Fatal(err)
	}
	restored := unpackSnapshot(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if r, faults, err := checkAll(t, restored, "copy"); err != nil || len(faults) > 0 || r.Documents != 1 {
		t.Errorf("the copy: %+v, %q, %v", r, faults, err)
	}
	again := mustOpen(t, Options{Dir: "copy", FS: restored})
	defer again.Close()
	wantDocuments(t, again, map[string]string{"a": "data of a"})
	if info, _, err := again.GetDocument(t.Context(), "a"); err != nil || info.Version != a {
		t.Errorf("version %x, %v, want %x", info.Version, err, a)
	}
}

// TestDocumentsOnFullDisk: on a full disk documents are read, and neither put nor deleted; with space they are again, by themselves. A disk that does not tell what is free
// costs only the document that found no space.
func TestDocumentsOnFullDisk(t *testing.T) {
	for _, quota := range []bool{false, true} {
		fs := newSmallFS(64 << 20)
		fs.quota = quota
		db := mustOpen(t, Options{Dir: "d", FS: fs, OnFailure: func(err error) { t.Error(err) }})
		v := putDocument(t, db, "a", "1")
		fs.take(1000)
		if !quota { // what is free is looked at a few times a second
			db.room.look()
		}
		large := []byte(strings.Repeat("x", 10_000))
		_, err := db.PutDocument(t.Context(), "a", large, v)
		if !errors.Is(err, storage.ErrReadOnly) || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("quota %v: put: %v", quota, err)
		}
		if !quota {
			if err := db.DeleteDocument(t.Context(), "a", v); !errors.Is(err, storage.ErrReadOnly) {
				t.Errorf("delete: %v", err)
			}
		}
		wantDocuments(t, db, map[string]string{"a": "1"})
		fs.give()
		_, err = db.PutDocument(t.Context(), "a", large, v)
		for deadline := time.Now().Add(time.Minute); errors.Is(err, storage.ErrReadOnly) && time.Now().Before(deadline); { // until the flusher looks again
			time.Sleep(10 * time.Millisecond)
			_, err = db.PutDocument(t.Context(), "a", large, v)
		}
		if err != nil {
			t.Errorf("quota %v: with space: %v", quota, err)
		}
		wantDocuments(t, db, map[string]string{"a": string(large)})
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestDocumentsFail: when it is not known what is durable, the whole store has failed, and says so; a store that failed for another reason changes no document.
func TestDocumentsFail(t *testing.T) {
	var broken atomic.Bool
	mem := vfs.NewMem()
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && op.Kind == errorfs.OpFileSync && op.Path == "d/documents" {
			return errDisk
		}
		return nil
	}))
	told := make(chan error, 1)
	db := mustOpen(t, Options{Dir: "d", FS: fs, OnFailure: func(err error) { told <- err }})
	v := putDocument(t, db, "a", "1")
	broken.Store(true)
	if _, err := db.PutDocument(t.Context(), "a", []byte("2"), v); !errors.Is(err, storage.ErrFailed) || !errors.Is(err, errDisk) {
		t.Errorf("put: %v", err)
	}
	if err := <-told; !errors.Is(err, errDisk) {
		t.Errorf("OnFailure got %v", err)
	}
	if _, err := db.Appender().Append(&storage.Batch{}); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("append: %v", err)
	}
	if err := db.Close(); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("close: %v", err)
	}

	db = mustOpen(t, Options{Dir: "d", FS: mem})
	db.fail(errDisk)
	_, list := db.ListDocuments(t.Context())
	_, _, get := db.GetDocument(t.Context(), "a")
	_, putErr := db.PutDocument(t.Context(), "b", nil, 0)
	for _, err := range []error{list, get, putErr, db.DeleteDocument(t.Context(), "a", v)} {
		if !errors.Is(err, storage.ErrFailed) {
			t.Errorf("failed: %v", err)
		}
	}
	if err := db.Close(); !errors.Is(err, storage.ErrFailed) {
		t.Errorf("close: %v", err)
	}
}

// TestDocumentsInMemory: they count for the memory limit, as a part of it.
func TestDocumentsInMemory(t *testing.T) {
	db := mustOpen(t, Options{MemoryLimit: 16 << 20})
	defer db.Close()
	most := strings.Repeat("x", storage.MaxDocument)
	putDocument(t, db, "a", most)
	if _, err := db.PutDocument(t.Context(), "b", []byte("1"), 0); !errors.Is(err, storage.ErrMemoryLimit) {
		t.Errorf("got %v", err)
	}
	wantDocuments(t, db, map[string]string{"a": most})
}

// TestDocumentsMadeLater: a directory of before there were documents has none, and stays as it is until one is put.
func TestDocumentsMadeLater(t *testing.T) {
	fs := vfs.NewMem()
	for round := range 2 {
		db := mustOpen(t, Options{Dir: "d", FS: fs})
		wantDocuments(t, db, map[string]string{})
		if names, err := fs.List("d"); err != nil || strings.Contains(fmt.Sprint(names), documentsDir) {
			t.Errorf("round %d: %q, %v", round, names, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
