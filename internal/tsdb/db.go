// Package tsdb is the local engine: a log, a head in memory, and chunks below it. It answers
// by the contract of package storage.
//
// A head (head.go) knows the series and has for each a tree of samples (tree.go) in
// pointer-free slabs (slab.go). An appender (append.go) takes batches under one lock and hands each
// to the log (package wal; record.go), so there is one order of everything. A flush (flush.go) freezes
// the head (freeze.go) and moves what it holds into chunks (package blocks; compact.go). Readers
// (query.go, read.go) take pieces of a few hundred samples of memory and chunks, and hold nothing
// in between. Without a directory there is no log, and chunks are kept in memory.
//
// # Damaged files
//
// Everything that is read has a checksum, and a second opinion (mark.go) says how much there has to be. So where a file does
// not hold what was written to it, or is not there, Open or the read that meets it returns an error that names the
// file or the place, or all values are right. Check (check.go) reads all there is, Repair (repair.go) saves what can be read.
//
// One window can't be told from what a crash leaves: what was synced to the log in the second before a kill or a power cut, after the last
// mark, if the damage is to the records of the very last sync, or takes away the end of the log from a point behind the mark
// on. After an orderly stop, or a second without puts, there is none. Damage to two things at once may go
// unnoticed: to the newer slot of the marks and the end of what they speak of; or to bytes and their checksum.
package tsdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/wal"
)

// Options say how a DB is to be. The zero value keeps any number of series in memory, within as much
// as it can address.
type Options struct {
	// Dir is the directory in which all is kept. It is made, with mode 0700, if there is none. Empty: in
	// memory, until Close.
	Dir string
	// FS is the file system that Dir is on; nil: the operating system's.
	FS vfs.FS
	// SyncInterval is the time between two syncs of the log. 0: what is appended is durable when it is
	// on stable storage. Above: when the operating system has it; the end of the machine may
	// cost what came in the last interval.
	SyncInterval time.Duration

	// MaxSeries is how many series may exist; 0: any number. Beyond, samples of new
	// series are refused with ErrSeriesLimit.
	MaxSeries int
	// MemoryLimit is how many bytes series and samples may take in memory. 0 or less stands for 127 GiB, the
	// most that references of 32 bits can tell apart, and so does anything above that. At fifteen
	// sixteenths of it new series are refused, at all of it samples that need memory, both with
	// ErrMemoryLimit. It is kept to a few pages of 256 KiB.
	MemoryLimit int64

	// Retention is how old samples may be: what is older is not shown, and dropped with its window. 0: any age.
	Retention time.Duration
	// DropMost lets retention drop more than half of all samples at once. Else it refuses to: the clock may be wrong.
	DropMost bool
	// Now is the clock that says how old samples are; nil: time.Now.
	Now func() time.Time

	// FlushLog and FlushHead are the bytes of log, and of samples in memory, at which a flush begins; 0: 64 MiB
	// each, and without a directory 256 MiB: chunks take an eighth of the memory, but making them may take more time
	// than all else. They bound what a restart has to replay, and the memory for samples to about twice as much.
	FlushLog, FlushHead int64

	// Logf takes warnings, a line each; nil drops them.
	Logf func(format string, args ...any)
	// OnFailure is called once, in a goroutine of its own, when the store failed; nil: not called.
	OnFailure func(error)

	// Limits that tests make small; 0: maxBatch, fullChunk, markPause.
	batchBytes   int           // at which a flush commits
	chunkSamples int           // of a full chunk
	markPause    time.Duration // between two marks
}

// maxMemory leaves room for what is taken after the limit was last looked at.
const maxMemory = maxPages*pageEntries*16 - 1<<30

func (o Options) withDefaults() Options {
	if o.MemoryLimit <= 0 || o.MemoryLimit > maxMemory {
		o.MemoryLimit = maxMemory
	}
	if o.FlushLog <= 0 {
		o.FlushLog = 64 << 20
	}
	if o.FlushHead <= 0 {
		o.FlushHead = 64 << 20
		if o.Dir == "" {
			o.FlushHead = 256 << 20
		}
	}
	if o.Dir != "" {
		o.FlushHead = min(o.FlushHead, o.MemoryLimit/4)
	}
	if o.chunkSamples == 0 {
		o.chunkSamples = fullChunk
	}
	if o.batchBytes == 0 {
		o.batchBytes = maxBatch
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.markPause <= 0 {
		o.markPause = markPause
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	return o
}

// DB is a storage.Store.
//
// Locks, in the order in which they are taken: flushMu is held for a whole flush. mu guards the head; writers hold
// it for a batch, readers and the flush for some hundred samples. Neither is held while the log is
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
	storedSamples atomic.Int64  // in blocks
	chunkBytes    atomic.Int64  // of blocks in memory, without a directory
	floor         atomic.Uint64 // all batches up to this sequence are durable in blocks
	flushes       atomic.Int64  // completed
	eras          eras          // in which windows chunks are; not changed after Open

	mu struct {
		sync.RWMutex
		*head // nil after Close
		stats storage.Stats
	}
	record record // of the batch under way; guarded by mu

	flushMu    sync.Mutex
	flushing   flushing
	recordedID uint64    // the series up to this id have their records in blocks; guarded by flushMu
	waiting    time.Time // since when something waits for a flush, zero: nothing; guarded by flushMu
	dropped    int64     // retention has dropped what it could before this, ms; guarded by flushMu

	wantFlush chan struct{} // holds one at most: there is enough for a flush
	flushed   pulse         // of the end of each flush
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
	var err error
	if db.failure() == nil && db.log != nil {
		if err = db.flush(); errors.Is(err, blocks.ErrNoSpace) {
			db.opts.Logf("stopped on a full disk: the log keeps what could not be flushed")
			err = nil
		}
	}
	db.mu.Lock()
	db.failLocked(storage.ErrClosed)
	db.mu.head = nil
	db.mu.Unlock()
	return errors.Join(err, db.release())
}

// release stops what runs and closes what is open.
func (db *DB) release() (err error) {
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

// readError returns the error of a read of chunks: why the store no longer works, or what is wrong with the chunk.
func (db *DB) readError(err error) error {
	if errors.Is(err, blocks.ErrClosed) || errors.Is(err, blocks.ErrFailed) {
		return asFailure(err)
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

// throttle waits while there is too much in memory: not yet in the log, or not yet in chunks.
func (db *DB) throttle() error {
	if db.log != nil {
		if err := db.log.Throttle(context.Background()); err != nil {
			return asFailure(err)
		}
	}
	for db.overfull.Load() {
		ended := db.flushed.next()
		if !db.overfull.Load() {
			break
		}
		select {
		case <-ended:
		case <-db.stop:
			return storage.ErrClosed
		}
	}
	return nil
}

// fullForFlushLocked says whether there is enough for a flush.
func (db *DB) fullForFlushLocked() bool {
	return db.heldLocked() >= db.opts.FlushHead || db.mu.manyErased ||
		db.log != nil && (db.room.fullLog(db.log.Size(), db.opts.FlushLog) || db.mu.samples > 0 && db.fullLocked(db.opts.MemoryLimit))
}

// heldLocked returns the bytes that samples take in memory.
func (db *DB) heldLocked() int64 { return int64(db.mu.slab.held) * pageEntries * 16 }

// flushIfFullLocked asks for a flush when there is enough for one.
func (db *DB) flushIfFullLocked() {
	if !db.fullForFlushLocked() {
		return
	}
	db.overfull.Store(db.heldLocked() >= 2*db.opts.FlushHead || db.log != nil && db.log.Size() >= 4*db.opts.FlushLog)
	db.askFlush()
}

// askFlush asks the flusher for a flush.
func (db *DB) askFlush() {
	select {
	case db.wantFlush <- struct{}{}:
	default:
	}
}

// stillFull says whether there is enough for a flush: while one was under way, what it took out of memory was still there, and so
// it may have been asked for again.
func (db *DB) stillFull() bool {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.fullForFlushLocked()
}

// retryFlush is the time between a flush that failed and the next one.
const retryFlush = time.Second

const (
	// tendEvery is how often it is looked whether something became too old: to be shown, or to be in the log only.
	tendEvery = time.Minute
	// flushAge is how long what is appended waits for a flush at most.
	flushAge = 4 * time.Hour
)

// tend drops what is too old for the retention, and flushes what has been in the log for long.
func (db *DB) tend() error {
	if err := db.expire(); err != nil || db.log == nil {
		return err
	}
	db.flushMu.Lock()
	defer db.flushMu.Unlock()
	switch now := db.opts.Now(); {
	case db.seq.Load() <= db.floor.Load():
		db.waiting = time.Time{}
	case db.waiting.IsZero() || now.Before(db.waiting):
		db.waiting = now
	case now.Sub(db.waiting) >= flushAge:
		db.waiting = time.Time{}
		return db.flushAndTell()
	}
	return nil
}

// run is the flusher.
func (db *DB) run() {
	defer db.stopped.Done()
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		step := db.Flush
		select {
		case <-db.wantFlush:
			if !db.stillFull() && db.room.refusal() == nil {
				continue
			}
		case <-tick.C:
			step = db.tend
		case <-db.room.again():
			db.room.look()
			if !db.room.needsFlush() || !db.blocks.IsReadOnly() && db.blocks.Writable() != nil {
				continue
			}
		case <-db.stop:
			return
		}
		if err := step(); err != nil && db.failure() == nil {
			db.opts.Logf("flush, to be tried again: %v", err)
			select {
			case <-time.After(retryFlush):
			case <-db.stop:
			}
		}
	}
}

// tell gives the head what a round found out about the chunks of its series, as they will be with the next commit.
func (db *DB) tell(series []copied) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.storedSamples.Store(db.flushing.merge.state.samples)
	h := db.mu.head
	if h == nil {
		return
	}
	for _, s := range series {
		if h.at(s.at).id != s.id {
			continue
		}
		*h.storedOf(s.at) = s.stored
	}
}

// forgetChunks makes all unknown that the head knows of chunks: after a failure some of what it was told was not committed.
func (db *DB) forgetChunks() {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.mu.head == nil {
		return
	}
	for _, page := range db.mu.head.stored {
		for i := range page {
			page[i] = stored{known: unknown}
		}
	}
}

// thawPage drops what is frozen of a page of series. It returns false if there is no such page, and all is thawed.
func (db *DB) thawPage(page int) bool {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	h := db.mu.head
	more := h != nil && page < len(h.pages)
	if more {
		if page == 0 {
			h.thaws++
			h.slab.trim()
		}
		h.thawPage(page)
	}
	done = true
	return more
}

// pulse tells any number of waiters that something happened. The zero value is ready.
type pulse struct {
	mu sync.Mutex
	c  chan struct{}
}

// next returns a channel that the next beat closes.
func (p *pulse) next() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.c == nil {
		p.c = make(chan struct{})
	}
	return p.c
}

func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.c != nil {
		close(p.c)
		p.c = nil
	}
}
