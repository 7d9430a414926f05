package tsdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// A snapshot is a directory of its own that Open takes for a whole one:
//
//	DIR/snapshots/XXXX/chunks      a checkpoint of DIR/chunks
//	DIR/snapshots/XXXX/log         the closed segments of DIR/log
//	DIR/snapshots/XXXX/documents   DIR/documents, if there are any, but for those that are damaged
//
// The first two are made while flushMu is held, so nothing moves from log to chunks meanwhile, and no segment goes. Writers
// go on: what they append goes to the segment after those that are copied. The chunks may hold what a
// flush that failed had come to; each of its batches leaves a state that the log repairs, and all of that log is in the copy.
//
// Tables and segments are hard links, and are never written again. So a copy costs little until the original drops
// them, and flushMu is free again before anyone reads it. It is not made durable as a whole: after a crash nobody reads it, and
// Open removes it.
//
// Where the file system has no hard links (FAT, some network file systems) both are copied, with flushMu held for as long as that
// takes: writers go on until memory and log hold twice what a flush waits for, and then wait. It can't be helped: Pebble lists
// its tables and copies them in one call, and keeps them from deletion during that call only; and were a flush to end between its copy and
// that of the log, the log would lack what those chunks do not have.
const snapshotsDir = "snapshots"

// snapshot is a storage.Snapshot. It no longer needs the DB.
type snapshot struct {
	fs     vfs.FS
	dir    string
	files  []storage.SnapshotFile
	remove func() error // once
}

var _ storage.Snapshotter = (*DB)(nil)

// Snapshot copies all that the store holds; see storage.Snapshotter.
func (db *DB) Snapshot(ctx context.Context) (storage.Snapshot, error) {
	if db.log == nil {
		return nil, fmt.Errorf("%w: the server keeps everything in memory (no --data DIR); use export", storage.ErrNoFiles)
	}
	if err := errors.Join(db.failure(), ctx.Err()); err != nil {
		return nil, err
	}
	if err := db.room.refusal(); err != nil && db.blocks.IsReadOnly() {
		return nil, err
	}
	fs := db.opts.FS
	dir := fs.PathJoin(db.opts.Dir, snapshotsDir, strconv.FormatUint(rand.Uint64(), 36))
	s := &snapshot{fs: fs, dir: dir, remove: sync.OnceValue(func() error { return fs.RemoveAll(dir) })}
	err := db.copyTo(dir)
	if err == nil {
		err = db.documents.Copy(ctx, fs.PathJoin(dir, documentsDir))
	}
	if err == nil {
		err = s.list()
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

// copyTo makes the copy of chunks and log.
func (db *DB) copyTo(dir string) error {
	db.flushMu.Lock()
	defer db.flushMu.Unlock()
	segments, err := db.log.Seal()
	if err != nil {
		return asFailure(err)
	}
	var synced uint64 // so that the copy tells if its log is cut short
	if n := len(segments); n > 0 {
		synced = segments[n-1].Last
	}
	fs := db.opts.FS
	log := fs.PathJoin(dir, logDir)
	if err := fs.MkdirAll(log, 0o700); err != nil {
		return err
	}
	for _, s := range segments {
		if err := vfs.LinkOrCopy(fs, s.Path, fs.PathJoin(log, fs.PathBase(s.Path))); err != nil {
			return err
		}
	}
	return db.chunksError(db.blocks.Checkpoint(fs.PathJoin(dir, chunksDir), synced))
}

// list finds out which files there are.
func (s *snapshot) list() error {
	for _, dir := range []string{chunksDir, logDir, documentsDir} {
		names, err := s.fs.List(s.fs.PathJoin(s.dir, dir))
		if dir == documentsDir && errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		slices.Sort(names)
		for _, name := range names {
			info, err := s.fs.Stat(s.fs.PathJoin(s.dir, dir, name))
			if err != nil {
				return err
			}
			s.files = append(s.files, storage.SnapshotFile{Name: dir + "/" + name, Size: info.Size()})
		}
	}
	return nil
}

func (s *snapshot) Files() []storage.SnapshotFile { return s.files }

func (s *snapshot) Open(name string) (io.ReadCloser, error) {
	if !slices.ContainsFunc(s.files, func(f storage.SnapshotFile) bool { return f.Name == name }) {
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
	}
	return s.fs.Open(s.fs.PathJoin(s.dir, name), vfs.SequentialReadsOption)
}

func (s *snapshot) Close() error { return s.remove() }

// removeSnapshots removes what an end of the process left of snapshots.
func (db *DB) removeSnapshots() error {
	return db.opts.FS.RemoveAll(db.opts.FS.PathJoin(db.opts.Dir, snapshotsDir))
}
