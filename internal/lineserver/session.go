package lineserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"metricd/internal/lineorder"
	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

const (
	// maxPending is how many bytes of replies other than ok are held for a client that does not
	// read them; above, its requests are not read any more until half is written.
	maxPending = 1 << 20
	// maxAhead is the same for the rows of one reply: there are more where they come from.
	maxAhead = 128 << 10
	// maxBatch is how many puts are appended at once.
	maxBatch = 1024
	// readSize is the least room for one read. Larger ones are fewer system calls and wake the
	// client less often; beyond this they no longer gain, and the buffer leaves the cache.
	readSize = 256 << 10
	// maxHeld is for how many reads, one after the other, replies may be held.
	maxHeld = 8
	// beforeKey is what a put begins with.
	beforeKey = "put "
	// keepPartial is the largest memory kept for the unfinished line of an idle connection.
	keepPartial = 512
)

// work is the memory that a session needs while it is at work, and an idle one does not
// have.
type work struct {
	in      []byte
	req     lineproto.Request
	learned []lineorder.Learned
	batch   storage.Batch
	out     outbox
	scratch []byte
	prefix  []byte // of the rows of a series
	recv    receiver
	times   lineproto.TimePrinter
	it      storage.Iterator
}

func newWork(maxLine int) *work {
	return &work{
		in:    make([]byte, max(readSize, maxLine+1)),
		batch: storage.Batch{Rows: make([]storage.Row, 0, maxBatch)},
	}
}

// session is one connection. Its goroutine (run) owns all fields but did and those in mu; the
// writer, which exists while mu.writing, shares those and calls app.Wait, beside the Appends of run. Server.stop and Server.Serve set a deadline
// or close conn from outside, to which both answer by finishing.
type session struct {
	srv     *Server
	running *sync.WaitGroup
	ctx     context.Context
	conn    net.Conn
	did     counts // read by Server.Watch
	raw     syscall.RawConn
	app     storage.Appender
	parser  lineproto.Parser
	order   lineorder.Order

	partial    []byte    // the unfinished line between two reads
	spoken     bool      // the first line has come
	wrote      bool      // the last read led to a write that went well
	deferred   bool      // mu.pending holds replies for deliver
	draining   bool      // the server stops: end when there is no more to read
	drainUntil time.Time // when to end even if there is more
	end        error     // why the session ends; io.EOF: the client ended its input
	broken     bool      // nothing can be written any more

	// For the callbacks of raw, which are made once.
	onReadable, onWritable func(fd uintptr) bool
	wp                     []byte // to be written
	wn                     int    // bytes written
	werr                   error

	progress chan struct{} // the writer wrote something; capacity 1

	mu struct {
		sync.Mutex
		pending outbox
		writing bool  // the writer is running and owns the order of output
		syncing bool  // the writer, or deliver, waits for the store
		err     error // writing failed
	}
}

func newSession(srv *Server, ctx context.Context, running *sync.WaitGroup, conn net.Conn) (*session, error) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("listener gives %T, want sockets", conn)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	tellRest(raw)
	s := &session{srv: srv, running: running, ctx: ctx, conn: conn, raw: raw, app: srv.cfg.Store.Appender(), order: lineorder.New(beforeKey, &srv.orders)}
	s.parser.MaxLine, s.parser.MaxKey = srv.cfg.MaxLine, srv.cfg.MaxKey
	s.onReadable, s.onWritable = s.readable, s.writable
	srv.mu.Lock()
	srv.mu.sessions[s] = struct{}{}
	srv.mu.Unlock()
	if srv.stopping.Load() {
		conn.SetReadDeadline(time.Unix(1, 0))
	}
	return s, nil
}

// run serves the connection to its end.
func (s *session) run() {
	defer s.leave()
	defer s.survive()
	err := s.raw.Read(s.onReadable)
	for errors.Is(err, os.ErrDeadlineExceeded) && s.srv.stopping.Load() && !s.draining {
		s.drain()
		s.conn.SetReadDeadline(time.Time{})
		err = s.raw.Read(s.onReadable)
	}
	if err != nil && s.end == nil {
		s.end = err
	}
	s.finish()
}

// survive, deferred, keeps a panic from ending more than this session.
func (s *session) survive() {
	if p := recover(); p != nil {
		s.srv.panics.Add(1)
		s.srv.log.Error("BUG: panic in a session; it was closed", "client", s.conn.RemoteAddr().String(), "panic", p, "stack", string(debug.Stack()))
		s.conn.Close()
	}
}

// drain begins the end of a session that the server stops: what was received is answered.
func (s *session) drain() {
	s.draining = true
	s.drainUntil = time.Now().Add(stopReading)
}

// leave closes the connection and takes the session off the list.
func (s *session) leave() {
	s.conn.Close()
	s.srv.mu.Lock()
	delete(s.srv.mu.sessions, s)
	s.srv.mu.Unlock()
	s.order.Forget()
	s.srv.conns.Add(-1)
}

// finish writes what is still to be written and closes.
func (s *session) finish() {
	if s.broken {
		return
	}
	s.deliver()
	if s.settle(0) && s.end != io.EOF {
		linger(s.conn)
	}
}

var (
	errHTTP    = errors.New("the client speaks HTTP or TLS")
	errStalled = errors.New("the client makes no progress")
)

// readable is called by raw.Read whenever there may be something to read. It returns
// true when the session is to end.
func (s *session) readable(fd uintptr) (end bool) {
	for !s.read(fd) {
		if s.deferred {
			s.deliver()
			if s.end == nil && !s.wrote { // see read
				continue
			}
		}
		if t := s.srv.cfg.IdleTimeout; t > 0 && !s.srv.stopping.Load() {
			s.conn.SetReadDeadline(time.Now().Add(t))
			if s.srv.stopping.Load() { // the deadline of the stop may just have been overwritten
				s.conn.SetReadDeadline(time.Unix(1, 0))
			}
		}
		return s.end != nil
	}
	return true
}

// read reads and carries out requests until there are none for now, or (end) for good. Replies are sent when there
// is no more to read, enough to write, or at last after maxHeld reads: a client that sends much is not woken
// for every part of it. Where nothing was written, a read that finds nothing is the last one (see receiver.receive).
func (s *session) read(fd uintptr) (end bool) {
	w := s.srv.work.Get().(*work)
	n := copy(w.in, s.partial)
	for reads := 1; ; reads++ {
		m, dry, err := w.recv.receive(int(fd), w.in[n:])
		if err == syscall.EINTR {
			continue
		}
		if err == syscall.EAGAIN && !s.draining {
			break
		}
		if err != nil || m <= 0 {
			s.endOfInput(w, w.in[:n], err)
			s.rest(w, nil)
			return true
		}
		s.srv.received.Add(int64(m))
		s.did.received.Add(int64(m))
		full := m == len(w.in)-n
		s.wrote = false
		n += m
		used := s.requests(w, w.in[:n])
		n = copy(w.in, w.in[used:n])
		if dry || w.out.bytes() >= writeSize || reads%maxHeld == 0 {
			s.send(w, !dry)
		}
		if s.srv.stopping.Load() && !s.draining {
			s.drain()
		}
		if s.end != nil || s.draining && time.Now().After(s.drainUntil) {
			s.rest(w, nil)
			return true
		}
		if dry && (s.wrote || s.deferred) && !s.draining {
			break
		}
		if full { // there may be no end to this client's requests: let others in
			runtime.Gosched()
		}
	}
	s.rest(w, w.in[:n])
	return false
}

// rest sends what is not sent yet, gives w back and keeps the unfinished line until there is more
// to read.
func (s *session) rest(w *work, line []byte) {
	if !s.broken {
		s.send(w, false)
	}
	if cap(s.partial) > keepPartial {
		s.partial = nil
	}
	s.partial = append(s.partial[:0], line...)
	s.srv.work.Put(w)
}

// endOfInput is told how the input ended (nil: at its end, in order), with the unfinished line.
func (s *session) endOfInput(w *work, line []byte, err error) {
	switch {
	case err == syscall.EAGAIN: // all that was received is answered, and the server stops
		s.end = net.ErrClosed
		return
	case err != nil:
		s.end = err
		s.broken = true
		return
	}
	s.end = io.EOF
	if s.parser.Unanswered(line) {
		s.srv.malformed.Add(1)
		w.out.addString(lineproto.WrongCommand)
	}
}
