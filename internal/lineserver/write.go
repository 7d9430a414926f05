package lineserver

import (
	"errors"
	"syscall"
	"time"
)

// Writing. Replies are written by the session itself, without waiting. Only what the socket
// does not take at once, or may not leave yet since a put is not durable, goes to mu.pending, and a
// writer goroutine is started that waits until it is durable and taken. While it runs all replies go through
// mu.pending; it ends when that is empty. When pending is too large the session waits for it, and so does not
// read requests.
// What waits for the store is in durable.go.

// send sends the replies in w.out, which is empty afterwards. If that is not possible s.end says
// why. more says that there is, or may be, more to do than to wait for these replies; without it they may be
// left for deliver.
func (s *session) send(w *work, more bool) {
	if w.out.empty() {
		return
	}
	full, err := s.sendNow(w, more)
	w.out.reset()
	switch {
	case err != nil:
		s.fail(err)
	case full:
		s.settle(maxPending / 2)
	}
}

// sendNow writes what may leave of w.out and the socket takes, and leaves the rest to the writer or to deliver. full
// says that there is too much of that.
func (s *session) sendNow(w *work, more bool) (full bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.writing && s.mu.pending.empty() && s.mu.err == nil {
		s.ripen(&w.out)
		more = s.pushLocked(&w.out, &w.scratch) || more
	}
	if s.mu.err != nil || w.out.empty() {
		return false, s.mu.err
	}
	out := &s.mu.pending
	out.move(&w.out)
	s.ripen(out)
	if s.deferred = !s.mu.writing && !more && out.held() < maxInline && out.size() < writeSize; !s.deferred {
		s.startWriterLocked()
	}
	return out.size() > maxPending, nil
}

// pushLocked writes from o what may leave and the socket takes. full says that the socket is full. buf is as in
// outbox.next. If writing fails mu.err is set.
func (s *session) pushLocked(o *outbox, buf *[]byte) (full bool) {
	for !o.empty() {
		var p []byte
		if p, *buf = o.next(*buf); len(p) == 0 {
			break
		}
		n, err := s.tryWrite(p)
		if s.mu.err = err; err != nil {
			break
		}
		s.wrote = true
		s.srv.sent.Add(int64(n))
		s.did.sent.Add(int64(n))
		o.consume(n)
		if n < len(p) {
			return true
		}
	}
	return false
}

// fail ends the session: its output is broken.
func (s *session) fail(err error) {
	if s.end == nil {
		s.end = err
	}
	s.broken = true
}

// tryWrite writes what the socket takes of p at once.
func (s *session) tryWrite(p []byte) (n int, err error) {
	s.wp, s.wn, s.werr = p, 0, nil
	err = s.raw.Write(s.onWritable)
	s.wp = nil
	if err == nil {
		err = s.werr
	}
	return s.wn, err
}

// writable is called by raw.Write; it never asks to wait.
func (s *session) writable(fd uintptr) bool {
	s.wn, s.werr = writeOnce(fd, s.wp)
	return true
}

// writeOnce writes what the socket takes of p at once; 0 if it takes nothing now.
func writeOnce(fd uintptr, p []byte) (n int, err error) {
	for {
		n, err = syscall.Write(int(fd), p)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, err
		}
	}
}

// startWriterLocked starts the writer unless it runs.
func (s *session) startWriterLocked() {
	if s.mu.writing {
		return
	}
	s.mu.writing = true
	if s.progress == nil {
		s.progress = make(chan struct{}, 1)
	}
	s.running.Go(s.writer)
}

// writer writes mu.pending until it is empty, or writing fails. It waits for what is not durable.
func (s *session) writer() {
	defer s.survive()
	ended := false
	defer s.writerEnds(&ended)
	var buf, p []byte
	var n int
	var werr error
	write := func(fd uintptr) bool {
		n, werr = writeOnce(fd, p)
		return n > 0 || werr != nil
	}
	for {
		if p, buf, ended = s.written(n, werr, buf); ended {
			return
		}
		n, werr = 0, nil
		if len(p) == 0 {
			werr = s.sync()
			continue
		}
		if err := s.raw.Write(write); err != nil {
			werr = err
		}
		s.srv.sent.Add(int64(n))
		s.did.sent.Add(int64(n))
	}
}

// written takes n bytes off mu.pending, which were written, and returns what to write next; nothing
// if that is to be waited for. The writer is at its end when nothing is left, and after an error. buf is as
// in outbox.next.
func (s *session) written(n int, err error, buf []byte) (p, newBuf []byte, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.tellProgress()
	if s.mu.err = err; err == nil {
		s.mu.pending.consume(n)
	}
	if err != nil || s.mu.pending.empty() {
		s.mu.pending.shrink()
		s.mu.writing = false
		return nil, buf, true
	}
	p, buf = s.mu.pending.next(buf)
	return p, buf, false
}

// writerEnds, deferred, sees to it that nobody waits for a writer that a panic ended.
func (s *session) writerEnds(asItShould *bool) {
	if *asItShould {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.writing = false
	s.mu.err = errors.New("BUG: panic in the writer")
	s.tellProgress()
}

// tellProgress wakes settle.
func (s *session) tellProgress() {
	select {
	case s.progress <- struct{}{}:
	default:
	}
}

// settle waits until the pending replies take at most size bytes, and for size 0 until all is
// written. It returns false if that fails, or if the client takes nothing for the write timeout; then
// s.end is set.
func (s *session) settle(size int) bool {
	var timer *time.Timer
	var seen queues
	for {
		s.mu.Lock()
		err := s.mu.err
		done := s.mu.pending.size() <= size && (size > 0 || !s.mu.writing)
		s.mu.Unlock()
		if err != nil {
			s.fail(err)
			return false
		}
		if done {
			return true
		}
		if timer == nil {
			timer = time.NewTimer(s.srv.cfg.WriteTimeout)
			defer timer.Stop()
			seen = queuesOf(s.raw)
		}
		select {
		case <-s.progress:
			seen = queuesOf(s.raw)
		case <-timer.C:
			if s.moving() { // it was not for the client to make progress
				seen = queuesOf(s.raw)
				break
			}
			// The socket reports room only when a third of its buffer is free, and what the client
			// sends is not read meanwhile: a slow client may be alive and show it only here.
			before := seen
			if seen = queuesOf(s.raw); seen.unacked >= before.unacked && seen.unread <= before.unread {
				s.srv.stalled.Add(1)
				s.srv.log.Warn("closed a client that does not read its replies", "client", s.conn.RemoteAddr().String(), "timeout", s.srv.cfg.WriteTimeout)
				s.fail(errStalled)
				return false
			}
		}
		timer.Reset(s.srv.cfg.WriteTimeout)
	}
}

// moving says whether the store is waited for, or there was progress since settle last looked.
func (s *session) moving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.progress:
		return true
	default:
		return s.mu.syncing
	}
}

// queues says how full the buffers of a socket are, in bytes; 0 where that can't be told.
type queues struct {
	unacked int // written, and not yet acknowledged by the peer
	unread  int // received, and not yet read
}
