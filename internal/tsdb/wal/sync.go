package wal

import (
	"fmt"
	"runtime"
	"time"

	"github.com/cockroachdb/pebble/v2/record"
)

// run is the syncer. It ends when the log is closed or has failed.
func (l *Log) run() {
	defer l.stopped.Done()
	defer close(l.stopTick)
	for l.ended() == nil {
		var err error
		switch work, broken := l.nextWork(); {
		case broken != nil:
			err = broken
		case work == workNone:
			<-l.wake
		case work == workSync:
			err = l.syncGroup()
		case work == workFinish:
			err = l.finishOldest()
		case work == workClose:
			if err = l.finishLast(); err == nil {
				l.stop(ErrClosed)
			}
		}
		if err != nil {
			l.fail(err)
		}
	}
	l.abandon()
}

type work int

const (
	workNone   work = iota
	workSync        // there are records that are not durable, all in the current segment
	workFinish      // there is a segment before the current one
	workClose       // all is durable, and Close was called
)

// nextWork says what the syncer has to do next. Old segments come first: nothing in a newer one may
// become durable before they are finished.
func (l *Log) nextWork() (work, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.mu.broken != nil:
		return workNone, l.mu.broken
	case len(l.mu.active) > 1:
		return workFinish, nil
	case l.mu.last > l.Durable():
		return workSync, nil
	case l.mu.closing:
		return workClose, nil
	}
	l.mu.awake = false
	return workNone, nil
}

// oldest returns the segment that the syncer is at, which it begins if that was not done.
func (l *Log) oldest() (*activeSegment, error) {
	l.mu.Lock()
	s := l.mu.active[0]
	l.mu.Unlock()
	if s.begun() {
		return s, nil
	}
	return s, s.begin(&l.opts, l.dir)
}

// syncGroup makes all that is appended durable, with one sync for all who come while it waits for others.
func (l *Log) syncGroup() error {
	seg, err := l.oldest()
	if err != nil {
		return err
	}
	l.gather()
	if asked, err := l.requestSync(seg); err != nil || !asked {
		return err
	}
	if err := <-l.synced; err != nil {
		return fmt.Errorf("write or sync %s: %w", seg.path, err)
	}
	return nil
}

// gather waits for those who are about to append: in mode Always for those who were woken by the
// last sync, no longer than two syncs take; then for goroutines that could run but have no
// processor. Without the latter, if there is only one processor, each would get a sync of its own.
// The constants were found by measuring, with 50 to 1,000 connections.
func (l *Log) gather() {
	const maxPatience = 2 * time.Millisecond
	const maxYields = 16
	if l.opts.Mode == Always {
		l.waiters.linger(l.timer, min(2*time.Duration(l.stats.recent.Load()), maxPatience))
	}
	for range maxYields {
		before := l.appended.Load()
		runtime.Gosched()
		if l.appended.Load() == before {
			return
		}
	}
}

// syncRequest is what is on its way to be durable.
type syncRequest struct {
	seg *activeSegment
	seq uint64
	end int64 // of the file
}

// requestSync asks the flush loop of seg to write and sync all there is; flushed hears of it. If
// seg is no longer the current segment it asks for nothing: it has to be finished instead.
func (l *Log) requestSync(seg *activeSegment) (asked bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.active) > 1 {
		return false, nil
	}
	l.waiters.seal(l.mu.last)
	l.request = syncRequest{seg, l.mu.last, seg.sizeLocked()}
	l.count.groups.Add(1)
	// Only a record can ask for a sync: this is a marker.
	l.mu.buf = prefix{promise: seg.promiseLocked()}.append(l.mu.buf[:0])
	_, err = seg.w.SyncRecordGeneralized(l.mu.buf, &record.PendingSyncIndex{Index: 0})
	return err == nil, err
}

// flushed is called by the flush loop once for each request.
func (l *Log) flushed(err error) {
	if err == nil {
		l.settle(l.request)
	}
	l.synced <- err // has room: there is one request at a time
}

// settle raises the watermark.
func (l *Log) settle(r syncRequest) {
	if l.opts.Mode == Always {
		l.stable(r)
	} else {
		l.written.Lock()
		l.written.syncRequest = r
		l.written.Unlock()
	}
	l.settled.Store(r.seg.start + r.end)
	l.waiters.durable.Store(r.seq)
	l.waiters.release()
}

// stable takes note of what is on stable storage.
func (l *Log) stable(r syncRequest) {
	l.written.Lock()
	defer l.written.Unlock()
	if r.seq >= l.fsynced.Load() {
		r.seg.synced.Store(r.end)
		l.fsynced.Store(r.seq)
	}
}

// finishOldest ends the segment before the current one: all of it becomes durable, and is on stable storage.
func (l *Log) finishOldest() error {
	seg, err := l.oldest()
	if err != nil {
		return err
	}
	l.waiters.seal(seg.last)
	return l.finish(seg, seg.last, seg.end)
}

// finishLast ends the current segment, all of which is durable, with a promise for all of it.
func (l *Log) finishLast() error {
	l.mu.Lock()
	seg := l.mu.active[0]
	last := l.mu.last
	l.mu.Unlock()
	if !seg.begun() {
		return nil // abandon does the rest
	}
	if err := l.syncWritten(); err != nil {
		return err
	}
	l.mu.Lock()
	end := seg.sizeLocked()
	_, err := seg.w.WriteRecord(prefix{promise: seg.promiseLocked()}.append(nil))
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return l.finish(seg, last, end)
}

// finish closes a segment that gets no more records.
func (l *Log) finish(seg *activeSegment, last uint64, end int64) error {
	if err := seg.w.Close(); err != nil { // writes, and in mode Always syncs
		return fmt.Errorf("write or sync %s: %w", seg.path, err)
	}
	r := syncRequest{seg, last, end}
	l.settle(r)
	if l.opts.Mode == Interval {
		if err := seg.out.sync(seg.out.file); err != nil {
			return fmt.Errorf("sync %s: %w", seg.path, err)
		}
		l.stable(r)
	}
	if err := seg.out.close(); err != nil {
		return fmt.Errorf("close %s: %w", seg.path, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.active = l.mu.active[1:]
	l.mu.finished = append(l.mu.finished, Segment{
		Number: seg.head.number, Path: seg.path, Base: seg.head.base, Last: last, Bytes: seg.sizeLocked(),
	})
	l.changed.Broadcast()
	return nil
}

// tick is the ticker of mode Interval.
func (l *Log) tick() {
	defer l.stopped.Done()
	ticker := time.NewTicker(l.opts.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-l.stopTick:
			return
		case <-ticker.C:
		}
		if err := l.syncWritten(); err != nil {
			l.fail(err)
			return
		}
	}
}

// syncWritten puts on stable storage what is written, in mode Interval; in mode Always it is there.
func (l *Log) syncWritten() error {
	l.written.Lock()
	r := l.written.syncRequest
	l.written.Unlock()
	if r.seg == nil || r.seq <= l.fsynced.Load() {
		return nil
	}
	done, err := r.seg.out.syncSecond()
	if err != nil {
		return fmt.Errorf("sync %s: %w", r.seg.path, err)
	}
	if done {
		l.stable(r)
	}
	return nil
}

// fail makes the log failed.
func (l *Log) fail(cause error) {
	if !l.stop(failed(cause)) {
		return
	}
	if l.opts.OnFailure != nil {
		l.opts.OnFailure(l.ended())
	}
}

// stop ends the log for good and tells all waiters, and the syncer. It returns false if it had ended.
func (l *Log) stop(end error) bool {
	if !l.end.CompareAndSwap(nil, &end) {
		return false
	}
	l.waiters.end()
	l.mu.Lock()
	l.wakeLocked()
	l.changed.Broadcast()
	l.mu.Unlock()
	return true
}

// abandon lets go of the segments that are not finished. The log has ended.
func (l *Log) abandon() {
	l.mu.Lock()
	active := l.mu.active
	l.mu.active = nil
	l.mu.Unlock()
	for _, s := range active {
		s.abandon()
	}
}
