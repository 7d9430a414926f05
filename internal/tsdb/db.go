// Package tsdb is the local engine: a log, a head in memory, and chunks below it. It answers
// by the contract of package storage.
//
// A head (head.go) knows the series and has for each a tree of samples (tree.go) in
// pointer-free slabs (slab.go). An appender (append.go) takes batches under one lock and hands each
// to the log (package wal; record.go), so there is one order of everything. A flush (flush.go) freezes
// the head (freeze.go) and moves what it holds into chunks (package blocks; compact.go). Readers
// (query.go, read.go) take pieces of a few hundred samples of memory and chunks, and hold nothing
// in between. Without a directory there is no log, and chunks are kept in memory. Documents (documents.go) are files
// beside all that.
//
// # Damaged files
//
// Everything that is read has a checksum, and a second opinion (mark.go) says how much there has to be. So where a file does
// not hold what was written to it, or is not there, Open or the read that meets it returns an error that names the
// file or the place, or all values are right. Check (check.go) reads all there is, Repair (repair.go) saves what can be read.
//
// One window can't be told from what a crash leaves: what was synced to the log in the second before a kill or a power cut, after the last
// mark, if the damage is to the records of the very last sync, or takes away the end of the log from a point behind the mark
// on. After an orderly stop, or a second without puts, there is none. And a file of another store is told from ours, but not one of a copy
// that went on by itself, such as a restored backup: it is the same store. A document whose file is gone is one that was
// deleted (package documents). Damage to two things at once may go
// unnoticed: to the newer slot of the marks and the end of what they speak of; or to bytes and their checksum.
package tsdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/documents"
	labelindex "metricd/internal/tsdb/index"
	"metricd/internal/tsdb/wal"
)

// DB is a storage.Store.
//
// Locks, in the order in which they are taken: removing is held by who takes samples away, for all of that. flushMu is held for a whole flush, and
// that of labels to find series and to add new ones, for which mu is taken now and then. mu guards the head; writers hold
// it for a batch, readers and the flush for some hundred samples. None but removing is held while the log is
// waited for.
//
// Goroutines: the flusher (run) and, with a directory, the marker (keepMarks), which Close ends; those of the log and of blocks.
type DB struct {
	opts Options

	// What a refused row is told, made once.
	errSeries, errMemorySeries, errMemory, errTooOld error

	// failed is why nothing works any more: closed or failed. It is set once.
	failed atomic.Pointer[error]

	// seq numbers the batches. It is written with mu held.
	seq atomic.Uint64

	room          *room         // nil without a directory
	log           *wal.Log      // nil without a directory
	blocks        *blocks.Store // nil until the first flush, without a directory; set with mu held
	documents     *documents.Store
	storedSamples atomic.Int64  // in blocks
	chunkBytes    atomic.Int64  // of blocks in memory, without a directory
	floor         atomic.Uint64 // all batches up to this sequence are durable in blocks
	flushes       atomic.Int64  // completed
	flushTime     atomic.Int64  // of those, ns
	eras          eras          // in which windows chunks are; not changed after Open

	identity blocks.Identity // of blocks and, by its first 64 bits, the log; zero if not known, and without a directory

	mu struct {
		sync.RWMutex
		*head   // nil after Close
		stats   storage.Stats
		watches []*watch // those under way
	}
	record record           // of the batch under way; guarded by mu
	labels labelindex.Index // of series, up to one that was there at a query; its lock comes before mu

	removing   chan struct{} // holds one while somebody takes samples away
	flushMu    sync.Mutex
	flushing   flushing
	recordedID uint64    // the series up to this id have their records in blocks; guarded by flushMu
	waiting    time.Time // since when something waits for a flush, zero: nothing; guarded by flushMu
	dropped    int64     // retention has dropped what it could before this, ms; guarded by flushMu
	reclaimed  int64     // and, before this, what was in chunks gave its space back; guarded by flushMu

	aheads    sync.Pool     // of *readAhead
	wantFlush chan struct{} // holds one at most: there is enough for a flush
	flushed   pulse         // of the end of each flush
	owed      atomic.Bool   // the last try to drop what is too old failed
	overfull  atomic.Bool   // memory holds twice what a flush waits for: appenders wait
	closing   atomic.Bool
	stop      chan struct{}  // closed by Close
	stopped   sync.WaitGroup // the flusher and the marker
}

var _ storage.Store = (*DB)(nil)

// Close flushes, makes everything durable and releases all. Calls under way end first; open results end with
// ErrClosed.
func (db *DB) Close() error {
	if db.closing.Swap(true) {
		db.stopped.Wait()
		return nil
	}
	close(db.stop)
	db.stopped.Wait()
	db.flushMu.Lock()
	defer db.flushMu.Unlock()
	failure := db.failure()
	var err error
	if failure == nil && db.log != nil {
		if err = db.flush(); errors.Is(err, blocks.ErrNoSpace) {
			db.opts.Logf("stopped on a full disk: the log keeps what could not be flushed")
			err = nil
		}
	}
	db.mu.Lock()
	db.failLocked(storage.ErrClosed)
	db.mu.head = nil
	db.mu.Unlock()
	released := db.release()
	switch {
	case failure != nil: // what comes after comes of it, here and below
		return failure
	case err != nil:
		return db.chunksError(err)
	}
	return db.chunksError(released)
}

// release stops what runs and closes what is open.
func (db *DB) release() (err error) {
	if db.documents != nil {
		db.documents.Close()
	}
	if db.log != nil {
		err = db.log.Close()
	}
	if db.blocks != nil {
		err = errors.Join(err, db.blocks.Close())
	}
	db.room.close()
	return err
}

// failLocked makes every later call return err, unless an earlier error does that already.
func (db *DB) failLocked(err error) {
	if db.failed.CompareAndSwap(nil, &err) && db.opts.OnFailure != nil && !errors.Is(err, storage.ErrClosed) {
		go db.opts.OnFailure(err)
	}
}

// fail makes the store failed because of cause.
func (db *DB) fail(cause error) {
	if err := asFailure(advise(db.opts.Dir, cause)); !errors.Is(err, storage.ErrClosed) {
		db.failLocked(err)
	}
}

// asFailure returns the error that calls get after cause.
func asFailure(cause error) error {
	switch {
	case errors.Is(cause, wal.ErrClosed), errors.Is(cause, blocks.ErrClosed):
		return storage.ErrClosed
	case errors.Is(cause, storage.ErrFailed), errors.Is(cause, storage.ErrClosed):
		return cause
	}
	return fmt.Errorf("%w: %w", storage.ErrFailed, cause)
}

// chunksError returns the error of a call on the chunks as its caller is told: why the store no longer works, or what is wrong with a chunk.
func (db *DB) chunksError(err error) error {
	if errors.Is(err, blocks.ErrClosed) || errors.Is(err, blocks.ErrFailed) {
		return asFailure(advise(db.opts.Dir, err))
	}
	return advise(db.opts.Dir, err)
}

// failure returns why nothing works any more, nil while all is well.
func (db *DB) failure() error {
	if err := db.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// unlock ends a change of the head. A panic on the way leaves the head in an unknown
// state: the store fails, and the panic goes on.
func (db *DB) unlock(done *bool) {
	if !*done {
		db.failLocked(fmt.Errorf("%w: BUG: panic in the middle of a change", storage.ErrFailed))
	}
	db.mu.Unlock()
}

// wait returns when all batches up to seq are durable.
func (db *DB) wait(ctx context.Context, seq uint64) error {
	if db.log == nil {
		return db.failure()
	}
	if seq <= db.floor.Load() {
		return nil
	}
	err := db.log.Wait(ctx, seq)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wal.ErrClosed), errors.Is(err, wal.ErrFailed):
		return asFailure(err)
	}
	return err
}
