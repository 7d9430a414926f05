package storage

import (
	"context"
	"errors"
	"io"
)

// ErrNoFiles: the store keeps nothing in files, so there is nothing that Snapshot could copy.
var ErrNoFiles = errors.New("nothing is kept in files")

// Snapshotter is what a Store also is if it keeps its data in files of its own. Its methods are safe for
// concurrent use.
type Snapshotter interface {
	// Snapshot copies all that the store holds, as it is at one moment during the call: every row that an Append
	// took, and every Delete, that returned before the call is in it. Writers and readers go on. The caller
	// closes the Snapshot. After an error (ErrNoFiles, ErrClosed, ErrFailed, one of the file system, ctx's) there is
	// none, and nothing of it is left.
	Snapshot(ctx context.Context) (Snapshot, error)
}

// Snapshot is a copy of a store, as files that don't change any more. In a directory of their own, under their
// names, the engine opens them as a store. A Snapshot is for one goroutine.
//
// The copy may hold room on disk (of data that the store has dropped since), so it is to be closed soon. One
// that was never closed is gone when the store is opened again.
type Snapshot interface {
	// Files returns all files, by name. The slice is not to be changed.
	Files() []SnapshotFile
	// Open opens one of them for reading, before Close. The caller closes it.
	Open(name string) (io.ReadCloser, error)
	// Close deletes the copy. A second Close returns nil.
	Close() error
}

// SnapshotFile is one file of a Snapshot.
type SnapshotFile struct {
	Name string // a directory, '/' and a name, such as chunks/000004.sst
	Size int64  // in bytes
}
