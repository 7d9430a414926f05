package lineserver

import (
	"errors"
	"syscall"
	"time"
)

// Writing. Replies are written by the session itself, without waiting. Only what the socket
// does not take at once goes to mu.pending, and a writer goroutine is started that waits
// until it is taken. While it runs all replies go through mu.pending; it ends when that is
// empty. When pending is too large the session waits for it, and so does not read requests.

// send sends the replies in w.out, which is empty afterwards. If that is not possible s.end says
// why.
func (s *session) send(w *work) {
	if w.out.empty() {
		return
	}
	full, err := s.sendNow(w)
	w.out.reset()
	switch {
	case err != nil:
		s.fail(err)
	case full:
		s.settle(maxPending / 2)
	}
}

// sendNow writes what the socket takes of w.out and leaves the rest to the writer. full says
// that there is too much of that.
func (s *session) sendNow(w *work) (full bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.mu.writing && s.mu.err == nil && !w.out.empty() {
		var p []byte
		p, w.scratch = w.out.next(w.scratch)
		n, err := s.tryWrite(p)
		if s.mu.err = err; err != nil {
			break
		}
		s.wrote = true
		w.out.consume(n)
		if n < len(p) {
			s.startWriter()
		}
	}
	if s.mu.err == nil && !w.out.empty() {
		s.mu.pending.move(&w.out)
	}
	return s.mu.pending.size() > maxPending, s.mu.err
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

// startWriter starts the writer. mu is held.
func (s *session) startWriter() {
	s.mu.writing = true
	if s.progress == nil {
		s.progress = make(chan struct{}, 1)
	}
	s.running.Go(s.writer)
}

// writer writes mu.pending until it is empty, or writing fails.
func (s *session) writer() {
	defer s.survive()
	var buf, p []byte
	var n int
	var werr error
	write := func(fd uintptr) bool {
		n, werr = writeOnce(fd, p)
		return n > 0 || werr != nil
	}
	for {
		p, buf = s.written(n, werr, buf)
		if p == nil {
			return
		}
		n, werr = 0, nil
		if err := s.raw.Write(write); err != nil {
			werr = err
		}
	}
}

// written takes n bytes off mu.pending, which were written, and returns what to write next: nil
// at the end, which is also after an error. buf is as in outbox.next.
func (s *session) written(n int, err error, buf []byte) (p, newBuf []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if s.mu.writing = p != nil; !s.mu.writing && s.mu.err == nil && !s.mu.pending.empty() {
			s.mu.err = errors.New("BUG: panic in the writer")
		}
		select {
		case s.progress <- struct{}{}:
		default:
		}
	}()
	s.mu.err = err
	if err != nil {
		return nil, buf
	}
	s.mu.pending.consume(n)
	if s.mu.pending.empty() {
		s.mu.pending = outbox{} // it may have been large
		return nil, buf
	}
	return s.mu.pending.next(buf)
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

// queues says how full the buffers of a socket are, in bytes; 0 where that can't be told.
type queues struct {
	unacked int // written, and not yet acknowledged by the peer
	unread  int // received, and not yet read
}
