// Package documents keeps small documents as files, one each, in a directory of its own:
//
//	DIR/NAME.doc      a document (format.go); names.go says how its name is spelled
//	DIR/NAME.doc.new  one that was never finished; Open removes it
//
// Other files are none of ours and left alone. Of one whose name ends in .doc that is told, since it may have been a document.
//
// A put writes a new file and renames it over the old one, so there is the old document or the new one at any time. Either is shown only when it
// is on stable storage, with its name.
//
// # Damaged files
//
// Checksums cover all of a file, its name included, and a header says to which store it belongs. What does not hold what was written to it is an error that names
// the file: of the one document, which can be replaced or deleted all the same; it keeps no other from being read. One thing can't be told: a file that is gone, while nobody had
// the directory open, is a document that was deleted.
package documents

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// Options say how a Store is to be. FS and Dir are needed.
type Options struct {
	FS  vfs.FS
	Dir string // it is made for the first document
	// Identity is that of the store around it, which each file has; zero: not known, and then that of files does not matter.
	Identity [16]byte
	// MaxBytes is how many bytes the data of all documents together may have; 0: any number.
	MaxBytes int64

	Now  func() time.Time                 // the clock that says when a document was put; nil: time.Now
	Logf func(format string, args ...any) // takes warnings, a line each; nil drops them
}

// Store is the documents of a directory. It is safe for concurrent use.
//
// There is one lock, turn, which is held for a whole call, I/O included: changes come one after the other, and no reader sees what is not
// durable yet. It is a channel so that those who wait can go when their context is done. There are no goroutines.
type Store struct {
	o Options

	turn chan struct{} // holds one while somebody uses what is below, and the directory

	known map[string]storage.DocumentInfo // by name: what the directory has
	bytes int64                           // of all data
	made  bool                            // the directory is there, and durable
	err   error                           // why nothing works any more: closed or failed
}

// Open returns the documents of a directory. Of each file it reads the header; what is wrong with one is logged and told to those who want that document.
func Open(o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	s := &Store{o: o, turn: make(chan struct{}, 1), known: map[string]storage.DocumentInfo{}}
	files, err := o.FS.List(o.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return nil, err
	}
	s.made = true
	for _, file := range files {
		s.load(file)
	}
	return s, nil
}

// load takes note of a file that Open finds.
func (s *Store) load(file string) {
	name, unfinished, err := s.o.parse(file)
	switch {
	case err != nil:
		s.o.Logf("%v", err)
		return
	case unfinished:
		_ = s.o.FS.Remove(s.o.FS.PathJoin(s.o.Dir, file)) // it is in nobody's way
		return
	case name == "":
		return
	}
	info, err := s.o.readHeader(name)
	if err != nil {
		err = s.o.unreadable(name, err)
		s.o.Logf("%v", err)
		info = storage.DocumentInfo{Name: name, Version: newVersion(), Err: err}
	}
	s.known[name] = info
	s.bytes += info.Size
}

// newVersion returns a version that no document has or had: 64 random bits. A counter would have to be kept, and backups and their restoring
// would take it back.
func newVersion() storage.Version {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return cmp.Or(storage.Version(binary.BigEndian.Uint64(b[:])), 1)
}

// enter waits for the turn of the caller, who calls leave if there is no error.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.err != nil {
		s.leave()
		return s.err
	}
	return nil
}

func (s *Store) leave() { <-s.turn }

// fail makes the store failed, and returns the error of that: it is not known what of the directory is durable.
func (s *Store) fail(err error) error {
	s.err = fmt.Errorf("%w: documents: %w", storage.ErrFailed, err)
	return s.err
}

// Close waits for calls under way; later ones return storage.ErrClosed.
func (s *Store) Close() {
	s.turn <- struct{}{}
	defer s.leave()
	s.err = cmp.Or(s.err, storage.ErrClosed)
}

// List returns all documents; see storage.Documents.
func (s *Store) List(ctx context.Context) ([]storage.DocumentInfo, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	all := slices.Collect(maps.Values(s.known))
	slices.SortFunc(all, func(a, b storage.DocumentInfo) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Get returns a document; see storage.Documents. What can't be read is tried again each time.
func (s *Store) Get(ctx context.Context, name string) (storage.DocumentInfo, []byte, error) {
	if err := storage.CheckDocumentName(name); err != nil {
		return storage.DocumentInfo{}, nil, err
	}
	if err := s.enter(ctx); err != nil {
		return storage.DocumentInfo{}, nil, err
	}
	defer s.leave()
	was, ok := s.known[name]
	if !ok {
		return storage.DocumentInfo{}, nil, fmt.Errorf("%w: %q", storage.ErrNoDocument, name)
	}
	info, data, err := s.o.read(name)
	if err == nil && was.Err == nil && info != was {
		err = fmt.Errorf("%w: it is version %016x, and %016x was written", ErrDamaged, uint64(info.Version), uint64(was.Version))
	}
	if err != nil {
		was.Err = s.o.unreadable(name, err)
		s.known[name] = was
		return was, nil, was.Err
	}
	s.bytes += info.Size - was.Size
	s.known[name] = info
	return info, data, nil
}

// Put makes or replaces a document; see storage.Documents.
func (s *Store) Put(ctx context.Context, name string, data []byte, expected storage.Version) (storage.Version, error) {
	if err := storage.CheckDocumentName(name); err != nil {
		return 0, err
	}
	if len(data) > storage.MaxDocument {
		return 0, fmt.Errorf("%w: %d bytes, and %d is the most", storage.ErrDocumentSize, len(data), storage.MaxDocument)
	}
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	was, ok := s.known[name]
	if err := storage.CheckDocumentVersion(name, was.Version, expected); err != nil {
		return 0, err
	}
	if !ok && len(s.known) >= storage.MaxDocuments {
		return 0, fmt.Errorf("%w: %d is the most: delete one first", storage.ErrDocumentLimit, storage.MaxDocuments)
	}
	info := storage.DocumentInfo{Name: name, Version: newVersion(), Size: int64(len(data)), Modified: s.o.Now().UnixMilli()}
	if more := info.Size - was.Size; s.o.MaxBytes > 0 && more > 0 && s.bytes+more > s.o.MaxBytes {
		return 0, fmt.Errorf("%w: documents may have %d bytes together, a part of --memory-limit: delete one, or start with --data DIR", storage.ErrMemoryLimit, s.o.MaxBytes)
	}
	return info.Version, s.write(info, data)
}

// Restore makes a document as it was in another store, its version included, over one of the same name. The data stay the caller's.
func (s *Store) Restore(info storage.DocumentInfo, data []byte) error {
	if err := s.enter(context.Background()); err != nil {
		return err
	}
	defer s.leave()
	return s.write(info, data)
}

// Delete deletes a document; see storage.Documents.
func (s *Store) Delete(ctx context.Context, name string, expected storage.Version) error {
	if err := storage.CheckDocumentName(name); err != nil {
		return err
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	was, ok := s.known[name]
	if !ok {
		return fmt.Errorf("%w: %q", storage.ErrNoDocument, name)
	}
	if err := storage.CheckDocumentVersion(name, was.Version, expected); err != nil {
		return err
	}
	if err := s.o.FS.Remove(s.o.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := syncDir(s.o.FS, s.o.Dir); err != nil {
		return s.fail(err)
	}
	s.bytes -= was.Size
	delete(s.known, name)
	return nil
}
