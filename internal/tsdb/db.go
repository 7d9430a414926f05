// Package tsdb is the local engine: it keeps series and their samples in memory and
// answers for them by the contract of package storage.
//
// A head (head.go) knows the series and has for each a tree of samples (tree.go) in
// pointer-free slabs (slab.go). An appender (append.go) takes batches under one lock, so
// there is one order of everything; readers (query.go) copy pieces of a few hundred samples
// under the same lock, shared, and hold nothing in between.
package tsdb

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"metricd/internal/storage"
)

// Options say how a DB is to be. The zero value keeps any number of series, within as much memory
// as it can address.
type Options struct {
	// MaxSeries is how many series may exist; 0: any number. Beyond, samples of new
	// series are refused with ErrSeriesLimit.
	MaxSeries int
	// MemoryLimit is how many bytes series and samples may take. 0 or less stands for 127 GiB, the
	// most that references of 32 bits can tell apart, and so does anything above that. At fifteen
	// sixteenths of it new series are refused, at all of it samples that need memory, both with
	// ErrMemoryLimit. It is kept to a few pages of 256 KiB.
	MemoryLimit int64
}

// maxMemory leaves room for what is taken after the limit was last looked at.
const maxMemory = maxPages*pageEntries*16 - 1<<30

// DB is a storage.Store in memory. It runs no goroutines.
type DB struct {
	opts Options

	// What a refused row is told, made once.
	errSeries, errMemorySeries, errMemory error

	// failed is why nothing works any more: closed or failed. It is set once, with mu held.
	failed atomic.Pointer[error]

	// seq numbers the batches. It is written with mu held.
	seq atomic.Uint64

	mu struct {
		sync.RWMutex
		*head // nil after Close
		stats storage.Stats
	}
}

var _ storage.Store = (*DB)(nil)

// Open returns an empty DB.
func Open(opts Options) *DB {
	if opts.MemoryLimit <= 0 || opts.MemoryLimit > maxMemory {
		opts.MemoryLimit = maxMemory
	}
	db := &DB{opts: opts}
	mib := float64(opts.MemoryLimit) / (1 << 20)
	db.errSeries = fmt.Errorf("%w: %d series is the most allowed (--max-series)", storage.ErrSeriesLimit, opts.MaxSeries)
	db.errMemorySeries = fmt.Errorf("%w: no new series near %.4g MiB (--memory-limit)", storage.ErrMemoryLimit, mib)
	db.errMemory = fmt.Errorf("%w: %.4g MiB (--memory-limit)", storage.ErrMemoryLimit, mib)
	db.mu.head = newHead()
	return db
}

// Close drops everything. Calls under way end first; open results end with ErrClosed.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.failLocked(storage.ErrClosed)
	db.mu.head = nil
	return nil
}

// failLocked makes every later call return err, unless an earlier error does that already.
func (db *DB) failLocked(err error) {
	if db.failed.Load() == nil {
		db.failed.Store(&err)
	}
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

// Delete removes the samples that q names. It holds the lock throughout: no
// reader and no writer sees half of it.
func (db *DB) Delete(ctx context.Context, q storage.Query) error {
	q = clamp(q)
	if err := ctx.Err(); err != nil {
		return err
	}
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	err := db.failure()
	if err == nil && q.Mint <= q.Maxt {
		db.deleteLocked(q)
		db.seq.Add(1)
	}
	done = true
	return err
}

func (db *DB) deleteLocked(q storage.Query) {
	h := db.mu.head
	first, last := 0, len(h.order)
	if q.Key != "" {
		at := h.find(storage.AppendCanonical(nil, []byte(q.Key)))
		if at == 0 {
			return
		}
		last = h.after(h.at(at).id)
		first = last - 1
	}
	for i := first; i < last; i++ {
		s := h.at(h.order[i])
		if s.id == 0 || !h.within(s, q.Mint, q.Maxt) || !matches(q.Matchers, s.key) {
			continue
		}
		h.settle(s)
		h.samples -= int64(s.cut(&h.slab, q.Mint, q.Maxt))
		if s.root == 0 {
			h.remove(i)
		}
	}
	h.compact()
}

// Stats returns figures about the store as it is now. They are exact, so late samples that are held
// are merged first.
func (db *DB) Stats() (storage.Stats, error) {
	for page := 0; db.settlePage(page); page++ {
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.failure(); err != nil {
		return storage.Stats{}, err
	}
	st := db.mu.stats
	st.Series = int64(db.mu.count())
	st.Samples = db.mu.samples
	st.Overwritten = db.mu.overwritten
	st.MemoryBytes = db.mu.bytes()
	st.MemoryLimit = db.opts.MemoryLimit
	return st, nil
}

// settlePage merges what the series of one page hold. It returns false if there is no such page or
// nothing more to merge. Writers come between two pages.
func (db *DB) settlePage(page int) bool {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	more := db.failure() == nil && db.mu.settlePage(page)
	done = true
	return more
}
