package tsdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/documents"
)

// Documents are files of their own (package documents) and no records of the log: they are put once in a while by a hand, are as large as thousands of batches, and
// are read one by one, so neither log nor head nor chunks have anything to gain from them, nor from being replayed with them. A program
// that knows nothing of them leaves that directory alone.

const (
	documentsDir = "documents"

	// documentsShare is the part of the memory limit that documents may have where they are kept in memory.
	documentsShare = 16
)

var _ storage.Documents = (*DB)(nil)

// documentOptions are those of the documents in dir.
func (db *DB) documentOptions(dir string) documents.Options {
	return documents.Options{
		FS: db.opts.FS, Dir: db.opts.FS.PathJoin(dir, documentsDir), Identity: db.identity,
		Now: db.opts.Now, Logf: db.opts.Logf,
	}
}

// openDocuments opens the documents. What is on disk is not written by way of roomFS: a log may use what is kept free, a document may not.
func (db *DB) openDocuments() (err error) {
	o := db.documentOptions(db.opts.Dir)
	if db.opts.Dir == "" {
		o.FS, o.Dir, o.MaxBytes = vfs.NewMem(), documentsDir, db.opts.MemoryLimit/documentsShare
	}
	db.documents, err = documents.Open(o)
	return err
}

// ListDocuments returns all documents; see storage.Documents.
func (db *DB) ListDocuments(ctx context.Context) ([]storage.DocumentInfo, error) {
	if err := db.failure(); err != nil {
		return nil, err
	}
	return db.documents.List(ctx)
}

// GetDocument returns a document; see storage.Documents.
func (db *DB) GetDocument(ctx context.Context, name string) (storage.DocumentInfo, []byte, error) {
	if err := db.failure(); err != nil {
		return storage.DocumentInfo{}, nil, err
	}
	return db.documents.Get(ctx, name)
}

// PutDocument makes or replaces a document; see storage.Documents.
func (db *DB) PutDocument(ctx context.Context, name string, data []byte, expected storage.Version) (storage.Version, error) {
	if err := db.documentsRefusal(len(data)); err != nil {
		return 0, err
	}
	v, err := db.documents.Put(ctx, name, data, expected)
	if err != nil {
		return 0, db.documentsError(err)
	}
	return v, nil
}

// DeleteDocument deletes a document; see storage.Documents.
func (db *DB) DeleteDocument(ctx context.Context, name string, expected storage.Version) error {
	if err := db.documentsRefusal(0); err != nil {
		return err
	}
	return db.documentsError(db.documents.Delete(ctx, name, expected))
}

// documentsRefusal says why no document is to be changed now. One that is taken when the last of what puts may have is left uses some of what is kept
// free, a MiB of 8 at least.
func (db *DB) documentsRefusal(size int) error {
	if err := db.failure(); err != nil {
		return err
	}
	db.room.put(size)
	return db.room.refusal()
}

// documentsError returns the error of a change as its caller is told. One after which it is not known what is durable fails the store.
func (db *DB) documentsError(err error) error {
	switch {
	case blocks.IsNoSpace(err) && !errors.Is(err, storage.ErrFailed):
		return fmt.Errorf("disk is full: %w, since a document found no space: %w", storage.ErrReadOnly, err)
	case errors.Is(err, storage.ErrFailed):
		db.fail(err)
	}
	return err
}
