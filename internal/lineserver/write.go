package lineserver

import (
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
	s.mu.Lock()
	for !s.mu.writing && s.mu.err == nil && !w.out.empty() {
		var p []byte
		p, w.scratch = w.out.next(w.scratch)
		n, err := s.tryWrite(p)
		if s.mu.err = err; err != nil {
			break
		}
		s.wrote = true
		if n == len(p) && len(w.out.runs) == 1 && w.out.runs[0].oks*okLen+w.out.runs[0].bytes == n {
			w.out.reset()
			break
		}
		w.out.consume(n)
		if n < len(p) {
			s.startWriter()
		}
	}
	if err := s.mu.err; err != nil {
		s.mu.Unlock()
		s.fail(err)
		w.out.reset()
		return
	}
	if !w.out.empty() {
		s.mu.pending.move(&w.out)
	}
	w.out.reset()
	full := s.mu.pending.size() > maxPending
	s.mu.Unlock()
	if full {
		s.settle(maxPending / 2)
	}
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
	var buf, p []byte
	var n int
	var werr error
	write := func(fd uintptr) bool {
		n, werr = writeOnce(fd, p)
		return n > 0 || werr != nil
	}
	for {
		s.mu.Lock()
		s.mu.pending.consume(n)
		done := s.mu.pending.empty() || s.mu.err != nil
		if !done {
			p, buf = s.mu.pending.next(buf)
		} else {
			s.mu.writing = false
		}
		s.mu.Unlock()
		select {
		case s.progress <- struct{}{}:
		default:
		}
		if done {
			return
		}
		n = 0
		err := s.raw.Write(write)
		if err == nil {
			err = werr
		}
		if err != nil {
			s.mu.Lock()
			s.mu.err = err
			s.mu.Unlock()
		}
	}
}

// settle waits until the pending replies take at most size bytes, and for size 0 until all is
// written. It returns false if that fails, or if the client takes nothing for the write timeout; then
// s.end is set.
func (s *session) settle(size int) bool {
	var timer *time.Timer
	unacked := 0
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
			unacked = unackedBytes(s.raw)
		}
		select {
		case <-s.progress:
			unacked = unackedBytes(s.raw)
		case <-timer.C:
			// The socket reports room only when a third of its buffer is free: a slow
			// reader may take long for that and still be reading.
			before := unacked
			if unacked = unackedBytes(s.raw); unacked >= before {
				s.srv.stalled.Add(1)
				s.srv.log.Warn("closed a client that does not read its replies", "client", s.conn.RemoteAddr(), "timeout", s.srv.cfg.WriteTimeout)
				s.fail(errStalled)
				return false
			}
		}
		timer.Reset(s.srv.cfg.WriteTimeout)
	}
}
