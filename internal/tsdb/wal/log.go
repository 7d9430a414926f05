package wal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Log is a log that can be appended to. Open makes one; all methods may be called concurrently.
//
// Goroutines: the syncer (run, in sync.go), which alone makes, syncs and closes segments, one thing
// after the other; in mode Interval the ticker (tick); and the flush loop of each segment's
// LogWriter, one a segment that is not finished. Close ends all of them and waits for them.
//
// Locks: mu orders what is appended, and is held for copying one record, or for changing the list
// of segments; never for I/O. waiters.mu may be taken while mu is held. removing is held by Remove
// alone, with I/O.
type Log struct {
	opts  Options
	where directory
	dir   vfs.File // the directory, for syncing it

	waiters waiters
	fsynced atomic.Uint64 // highest sequence on stable storage
	end     atomic.Pointer[error]

	// Positions: bytes of all segments since Open, queued or written.
	appended atomic.Int64 // of the last record
	settled  atomic.Int64 // of the last durable record

	mu struct {
		sync.Mutex
		last     uint64           // highest sequence appended
		active   []*activeSegment // not finished, oldest first; the last takes records
		finished []Segment        // on disk, oldest first; never the active ones
		buf      []byte           // a record with its prefix
		awake    bool             // the syncer is, or was sent to wake
		closing  bool
		broken   error // of the LogWriter; the syncer fails the log with it
	}
	changed  sync.Cond // of mu: a segment was finished, or the log has ended
	removing sync.Mutex

	wake    chan struct{} // to the syncer, when mu.awake becomes true
	synced  chan error    // from a flush loop to the syncer: the request is done
	request syncRequest   // the syncer's; the flush loop's from when it is asked until it sends to synced
	timer   *time.Timer   // the syncer's, for waiters.linger
	written struct {      // how far the current segment is written; mode Interval. Also orders changes of fsynced
		sync.Mutex
		syncRequest
	}
	stopTick chan struct{} // closed by the syncer when it ends
	stopped  sync.WaitGroup
	closed   atomic.Bool // Close was called

	stats syncStats
	count struct{ records, bytes, groups atomic.Int64 }
}

// Append adds a record with the given sequence, which has to be above that of every record before,
// and returns at once: it copies the record into a queue. It becomes durable in time without anyone
// waiting for it. Callers that append concurrently have to agree on the order; the log only checks
// it. The error wraps ErrFailed, or is ErrClosed; only a record over MaxRecord bytes is refused
// without harm to the log.
func (l *Log) Append(rec []byte, seq uint64) error {
	if len(rec) > MaxRecord {
		return fmt.Errorf("log: a record of %d bytes is over the limit of %d", len(rec), MaxRecord)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := l.ended(); end != nil {
		return end
	}
	if l.mu.closing {
		return ErrClosed
	}
	if seq <= l.mu.last {
		panic(fmt.Sprintf("BUG: sequence %d is appended to the log after %d", seq, l.mu.last))
	}
	s := l.mu.active[len(l.mu.active)-1]
	p := prefix{delta: seq - l.mu.last, seq: seq, promise: s.promiseLocked()}
	l.mu.buf = append(p.append(l.mu.buf[:0]), rec...)
	end, err := s.w.WriteRecord(l.mu.buf)
	if cap(l.mu.buf) > maxKeptBuffer {
		l.mu.buf = nil
	}
	if err != nil {
		l.mu.broken = err
		l.wakeLocked()
		return failed(err)
	}
	l.mu.last = seq
	l.appended.Store(s.start + headerLen + end)
	l.count.records.Add(1)
	l.count.bytes.Add(int64(len(rec)))
	l.wakeLocked()
	return nil
}

// maxKeptBuffer bounds what a large record leaves behind.
const maxKeptBuffer = 1 << 20

// promiseLocked returns what the next record is to promise; 0: nothing new. Log.mu is held.
func (s *activeSegment) promiseLocked() int64 {
	synced := s.synced.Load()
	if synced == s.promised {
		return 0
	}
	s.promised = synced
	return synced
}

// wakeLocked makes the syncer look for work.
func (l *Log) wakeLocked() {
	if !l.mu.awake {
		l.mu.awake = true
		l.wake <- struct{}{} // has room: the syncer took the last one before it cleared awake
	}
}

// Durable returns the watermark: all records up to it are durable.
func (l *Log) Durable() uint64 { return l.waiters.durable.Load() }

// Synced returns the sequence up to which all records are known to be on stable storage: in mode
// Always the same as Durable, in mode Interval less. Whatever happens to the machine, a later
// Recovery.Last is not below it, or the log is damaged.
func (l *Log) Synced() uint64 { return l.fsynced.Load() }

// WaitSynced returns when all records up to seq, which were appended, are on stable storage. In mode Interval it begins
// a new segment for that, so that it need not wait for the next sync. It looks every few milliseconds, so it is for those who
// are in no hurry. Its errors are those of Wait.
func (l *Log) WaitSynced(seq uint64) error {
	if err := l.Wait(context.Background(), seq); err != nil {
		return err
	}
	if l.Synced() < seq {
		if _, err := l.Rotate(); err != nil {
			return err
		}
	}
	for l.Synced() < seq {
		if end := l.end.Load(); end != nil {
			return *end
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// Rotate ends the current segment and begins another one. Records up to the returned sequence are
// in older segments, all later ones in newer ones. It does no I/O and waits for none: nothing in
// the new segment becomes durable before the old one is on stable storage. If the current segment
// has no records, it stays.
func (l *Log) Rotate() (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := l.ended(); end != nil {
		return 0, end
	}
	if l.mu.closing {
		return 0, ErrClosed
	}
	cur := l.mu.active[len(l.mu.active)-1]
	if l.mu.last == cur.head.base {
		return l.mu.last, nil
	}
	cur.last, cur.end = l.mu.last, cur.sizeLocked()
	head := header{id: cur.head.id, number: cur.head.number + 1, base: cur.last, prev: cur.end}
	l.mu.active = append(l.mu.active, l.newSegment(head, cur.start+cur.end))
	l.wakeLocked()
	return cur.last, nil
}

// newSegment returns a segment that begins at a position.
func (l *Log) newSegment(h header, start int64) *activeSegment {
	return newSegment(&l.opts, l.where.path(h.number), h, start, &l.stats, l.flushed)
}

// Remove deletes the segments, but the current one, all of whose records are at or below upTo,
// oldest first. It waits for those that Rotate ended just now. What it could not delete stays in
// the list, and the error says why; the log goes on.
func (l *Log) Remove(upTo uint64) error {
	l.removing.Lock()
	defer l.removing.Unlock()
	for {
		finished := l.finishedUpTo(upTo)
		if l.closed.Load() {
			return ErrClosed
		}
		if len(finished) == 0 || finished[0].Last > upTo {
			return nil
		}
		if err := l.opts.FS.Remove(finished[0].Path); err != nil {
			return fmt.Errorf("log: remove %s: %w", finished[0].Path, err)
		}
		l.mu.Lock()
		l.mu.finished = l.mu.finished[1:]
		l.mu.Unlock()
		// One by one: if a later one were gone and an earlier one not, it would seem to be missing.
		if err := l.dir.Sync(); err != nil {
			return fmt.Errorf("log: sync %s: %w", l.opts.Dir, err)
		}
	}
}

// finishedUpTo returns the finished segments, once all that end at or below upTo are among them.
func (l *Log) finishedUpTo(upTo uint64) []Segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.mu.active) > 1 && l.mu.active[0].last <= upTo && l.ended() == nil {
		l.changed.Wait()
	}
	return l.mu.finished
}

// Size returns the bytes in all segments, with what is still queued for them.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n int64
	for _, s := range l.mu.finished {
		n += s.Bytes
	}
	for i, s := range l.mu.active {
		if i < len(l.mu.active)-1 {
			n += s.end
		} else if l.mu.last > s.head.base {
			n += s.sizeLocked()
		}
	}
	return n
}

// Queued returns the bytes that were appended and are not known to be durable: at most so many are still to be written.
func (l *Log) Queued() int64 { return l.appended.Load() - l.settled.Load() }

// Close makes all that was appended durable, ends the last segment with a promise for it, and stops
// the log. It returns the failure, if the log failed. A second Close returns nil.
func (l *Log) Close() error {
	if !l.closed.CompareAndSwap(false, true) {
		return nil
	}
	l.mu.Lock()
	l.mu.closing = true
	l.wakeLocked()
	l.mu.Unlock()
	l.stopped.Wait()
	l.removing.Lock()
	defer l.removing.Unlock()
	err := l.dir.Close()
	if end := l.ended(); !errors.Is(end, ErrClosed) {
		return end
	}
	if err != nil {
		return fmt.Errorf("log: close %s: %w", l.opts.Dir, err)
	}
	return nil
}

// ended returns why there is nothing more to come: ErrClosed, or an error that wraps ErrFailed.
// Nil: there is.
func (l *Log) ended() error {
	if end := l.end.Load(); end != nil {
		return *end
	}
	return nil
}

// failed wraps the cause of a failure.
func failed(err error) error { return fmt.Errorf("%w: %w", ErrFailed, err) }
