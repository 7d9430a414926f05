// Package blocks keeps a time series engine's chunks and series for good, in Pebble.
//
// It stands below a log: what is committed here is durable only after the next Flush, and whoever uses it repairs
// from the log what a crash took. Chunks, records of series and the state are opaque bytes.
//
// # What holds after a crash
//
// The store is as it was after some batch, no earlier than the last that was committed before the last completed
// Flush: all batches up to that one, whole, and none after it. Pebble writes memtables out in the order in which
// they were filled, a batch lies in one memtable or is as good as one, and a memtable's tables become part of the store by one record of
// the MANIFEST.
//
// # What holds if files are damaged
//
// All blocks, footers and records that Pebble writes have checksums; tables must be there and have the size that
// the MANIFEST says. So a flipped bit is an error, of Open or of the read that meets it, or it does not
// matter. What checksums cannot tell is that a MANIFEST ends too early: it is read up to the first invalid record. That is what the
// file of marks is for (marks.go). It can't tell either that batches are gone which were committed after the last completed Flush:
// the log still has those. Nor can it if the newer slot of the marks and the MANIFEST's last Flush are both damaged.
package blocks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// Store is an open store. All methods are safe for concurrent use.
//
// Goroutines: Pebble's own (a flush, a compaction, deletions of files), which Close ends; and one
// that calls OnFailure. No lock of a Store is held during I/O but flushing.
type Store struct {
	opts     Options
	identity Identity
	health   *health
	lock     *dirLock
	cache    *pebble.Cache
	gate     *gate
	db       *pebble.DB
	marks    atomic.Pointer[marksFile] // nil while opened for reading only
	closing  chan struct{}             // closed when Close begins
	idle     chan struct{}             // closed when it has begun and nobody uses db any more
	found    Marks                     // at Open, if opened for reading only

	flushing   sync.Mutex // a Flush; guards the two below
	generation uint64     // of the last flush, completed or not
	flushed    uint64     // mu.commits at the last completed flush

	room struct {
		sync.Mutex
		commits uint64          // batches committed
		filled  int             // bytes in the memtable, more or less
		pending <-chan struct{} // closed when the memtable before it is in tables; nil: there was none
	}

	users struct {
		sync.Mutex
		n       int       // calls and cursors at work on db
		closed  bool      // no new ones
		paused  bool      // new ones wait for resumed, until db is another
		resumed sync.Cond // of users
	}
}

// acquire lets a call use db until release, or says why it can't.
func (s *Store) acquire() error {
	s.users.Lock()
	defer s.users.Unlock()
	for s.users.paused {
		s.users.resumed.Wait()
	}
	if err := s.health.failure(); err != nil {
		return err
	}
	if s.users.closed {
		return ErrClosed
	}
	s.users.n++
	return nil
}

func (s *Store) release() {
	s.users.Lock()
	defer s.users.Unlock()
	s.users.n--
	if s.users.n > 0 {
		return
	}
	if s.users.closed {
		close(s.idle)
	}
	s.users.resumed.Broadcast()
}

// Close waits until all cursors are closed and all calls have returned, and gives the directory back. What was
// committed after the last Flush is not kept. It must not be called beside MakeWritable. After a failure it returns the failure, and may leave memory and
// idle goroutines of Pebble behind (see health); the process is expected to end.
func (s *Store) Close() error {
	s.users.Lock()
	if s.users.closed {
		s.users.Unlock()
		return ErrClosed
	}
	s.users.closed = true
	if s.users.n == 0 {
		close(s.idle)
	}
	s.users.Unlock()
	close(s.closing)
	<-s.idle
	err := s.closeAll()
	if failure := s.health.failure(); failure != nil {
		return failure
	}
	return err
}

// closeAll closes what is open.
func (s *Store) closeAll() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.closeDB())
	}
	if s.marks.Load() != nil {
		errs = append(errs, s.marks.Load().f.Close())
	}
	if s.cache != nil {
		s.cache.Unref()
	}
	return errors.Join(append(errs, s.lock.release())...)
}

// closeDB closes Pebble, unless the store has failed, even meanwhile: then it would wait for ever.
func (s *Store) closeDB() error {
	if s.health.failure() == nil {
		closed := make(chan error, 1)
		go func() { closed <- s.db.Close() }()
		select {
		case err := <-closed:
			return err
		case <-s.health.failed:
		}
	}
	s.gate.settle()
	return s.lock.abandon()
}

// Failure returns the error that made the store fail, wrapped in ErrFailed, or nil.
func (s *Store) Failure() error { return s.health.failure() }

// Writable returns nil if commits are taken now, ErrNoSpace while the disk is full, or why the store failed.
func (s *Store) Writable() error { return s.health.writable() }

// Marks returns the marks that are durable.
func (s *Store) Marks() Marks {
	if m := s.marks.Load(); m != nil {
		return m.last().Marks
	}
	return s.found
}

// Mark makes marks durable that are larger than those before. It costs a sync of a few bytes.
func (s *Store) Mark(m Marks) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	return s.raise(0, m)
}

func (s *Store) raise(generation uint64, m Marks) error {
	if s.marks.Load() == nil {
		return errReadOnly
	}
	if err := s.marks.Load().raise(generation, m); err != nil {
		return s.health.fail(fmt.Errorf("%s: %w", marksName, err))
	}
	return nil
}

// Flush makes durable all that was committed before the call, then raises the marks. With ErrNoSpace,
// what was committed stays in memory and is tried again in the background; Flush again to know.
func (s *Store) Flush(m Marks) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	return s.flush(m)
}

func (s *Store) flush(m Marks) error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	s.room.Lock()
	commits := s.room.commits
	s.room.Unlock()
	if commits == s.flushed {
		return s.raise(0, m)
	}
	if err := s.health.writable(); err != nil {
		return err
	}
	s.generation++
	err := s.db.Set(generationKey, binary.BigEndian.AppendUint64(nil, s.generation), pebble.NoSync)
	if err != nil {
		return s.health.fail(err)
	}
	s.room.Lock()
	flushed, err := s.rotateLocked()
	s.room.Unlock()
	if err != nil {
		return err
	}
	if err := s.health.await(flushed); err != nil {
		return err
	}
	s.flushed = commits
	return s.raise(s.generation, m)
}

// rotateLocked begins a new memtable and returns what is closed when all before it is in tables.
func (s *Store) rotateLocked() (<-chan struct{}, error) {
	flushed, err := s.db.AsyncFlush()
	if err != nil {
		return nil, s.health.fail(err)
	}
	s.room.pending, s.room.filled = flushed, 0
	return flushed, nil
}

// makeRoom waits until there is room for size bytes, so that at most two memtables are in use, and counts them.
// Pebble would do this as well, but would not return when the store fails or the disk is full.
func (s *Store) makeRoom(size int) error {
	for {
		if err := s.health.writable(); err != nil {
			return err
		}
		wait, err := s.tryRoom(size)
		if wait == nil || err != nil {
			return err
		}
		if err := s.health.await(wait); err != nil {
			return err
		}
	}
}

// tryRoom returns what to wait for, or nil.
func (s *Store) tryRoom(size int) (wait <-chan struct{}, err error) {
	s.room.Lock()
	defer s.room.Unlock()
	// A quarter is left for what the sum misses, so that Pebble does not begin a memtable before.
	if s.room.filled > 0 && s.room.filled+size > s.opts.memTable*3/4 {
		if s.room.pending != nil && !isClosed(s.room.pending) {
			return s.room.pending, nil
		}
		if _, err := s.rotateLocked(); err != nil {
			return nil, err
		}
	}
	s.room.filled += size
	s.room.commits++
	return nil, nil
}
