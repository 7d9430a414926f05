package tsdb

import (
	"context"
	"sync"
	"time"

	"metricd/internal/storage"
)

// The flusher is the goroutine that decides when to flush, and to drop what is too old. flush.go says how.

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
	told := "" // the last error, until all goes well
	for {
		step := db.Flush
		var owed <-chan time.Time
		if db.owed.Load() {
			owed = time.After(retryFlush)
		}
		select {
		case <-db.wantFlush:
			if !db.stillFull() && db.room.refusal() == nil {
				db.overfull.Store(false) // a removal may have emptied it
				db.flushed.beat()
				continue
			}
		case <-tick.C:
			step = db.tend
		case <-owed:
			step = db.tend
		case <-db.room.again():
			db.room.look()
			if !db.room.needsFlush() || !db.room.flushable() || !db.blocks.IsReadOnly() && db.blocks.Writable() != nil {
				continue
			}
		case <-db.stop:
			return
		}
		err := step()
		if err == nil {
			told = ""
		} else if db.failure() == nil {
			if text := err.Error(); text != told {
				db.opts.Logf("flush, to be tried again: %s", text)
				told = text
			}
			select {
			case <-time.After(retryFlush):
			case <-db.stop:
			}
		}
	}
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
