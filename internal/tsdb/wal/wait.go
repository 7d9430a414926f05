package wal

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// waiters are those who wait for a sync. They are in two groups: one for the sync that is under
// way, one for the next; each group is woken at once, by closing a channel, when its sync is done,
// so nobody is woken in vain. One sync is under way at a time.
//
// A group knows how many wait in it. Those just woken are likely to come back with another record,
// so the syncer gives them a moment before it begins the next sync (linger): a sync costs about as
// much processor time as twenty puts, and one for a hundred is better than five for twenty. It begins
// when half of all are there: the processor works for one half while the other is being synced.
type waiters struct {
	// durable is the watermark. It is raised before those who wait for it are woken.
	durable atomic.Uint64

	// full is sent to, without blocking, when as many as are expected are in the open group.
	full chan struct{}

	mu struct {
		sync.Mutex
		open   *group    // for the next sync
		sealed *group    // for the one under way; nil: there is none
		upTo   uint64    // highest sequence of sealed
		want   int       // how many are expected in open, until lingering is over
		woken  time.Time // when the last group was
		ended  bool      // all were woken for good
	}
}

// group is a set of waiters; done is closed when they are to look again.
type group struct {
	done chan struct{}
	n    int
}

func (w *waiters) init() {
	w.full = make(chan struct{}, 1)
	w.mu.open = newGroup()
}

func newGroup() *group { return &group{done: make(chan struct{})} }

// join returns what to wait for until seq may be durable; nil if it is.
func (w *waiters) join(seq uint64) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.durable.Load() >= seq { // meanwhile; its group is gone
		return nil
	}
	if w.mu.sealed != nil && seq <= w.mu.upTo {
		w.mu.sealed.n++
		return w.mu.sealed.done
	}
	w.mu.open.n++
	if w.mu.open.n == w.mu.want {
		select {
		case w.full <- struct{}{}:
		default:
		}
	}
	return w.mu.open.done
}

// change returns what to wait for until anything becomes durable.
func (w *waiters) change() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.sealed != nil {
		return w.mu.sealed.done
	}
	return w.mu.open.done
}

// seal closes the open group: a sync for all up to seq is about to begin.
func (w *waiters) seal(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.ended {
		return
	}
	w.mu.sealed, w.mu.open, w.mu.upTo = w.mu.open, newGroup(), seq
}

// release wakes the sealed group: the watermark covers it.
func (w *waiters) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if g := w.mu.sealed; g != nil {
		w.mu.sealed = nil
		w.mu.want = (w.mu.open.n + g.n + 1) / 2
		w.mu.woken = time.Now()
		close(g.done)
	}
}

// end wakes all, now and for ever: the log's end was set before.
func (w *waiters) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.ended {
		return
	}
	w.mu.ended = true
	if w.mu.sealed != nil {
		close(w.mu.sealed.done)
		w.mu.sealed = nil
	}
	close(w.mu.open.done)
}

// missing returns until when to wait for those that are expected; zero: not at all.
func (w *waiters) missing(patience time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.open.n >= w.mu.want {
		return 0
	}
	return patience - time.Since(w.mu.woken)
}

// linger waits until as many as are expected are there, but no longer than patience after the
// last group was woken.
func (w *waiters) linger(timer *time.Timer, patience time.Duration) {
	for {
		rest := w.missing(patience)
		if rest <= 0 {
			return
		}
		timer.Reset(rest)
		select {
		case <-w.full: // or was, for an earlier group
		case <-timer.C:
			return
		}
	}
}

// Wait returns nil when all records up to seq are durable; at once if they are, even if ctx is done
// or the log has failed. Else it waits, and returns ctx's error when ctx is done, an error that
// wraps ErrFailed when the log fails, and ErrClosed when it is closed before there was such a
// record.
func (l *Log) Wait(ctx context.Context, seq uint64) error {
	for {
		// The end is read first: what became durable before it counts.
		end := l.ended()
		if l.waiters.durable.Load() >= seq {
			return nil
		}
		if end != nil {
			return end
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		done := l.waiters.join(seq)
		if done == nil {
			return nil
		}
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
}

// Throttle returns when no more than Options.MaxUnsynced bytes are appended and not yet durable. Callers of
// Append call it first, before they take locks, so that memory is bounded. Its errors are those of Wait.
func (l *Log) Throttle(ctx context.Context) error {
	for {
		queued := l.Queued()
		if end := l.ended(); end != nil {
			return end
		}
		if queued <= l.opts.MaxUnsynced {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		changed := l.waiters.change()
		if l.Queued() <= l.opts.MaxUnsynced {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}
