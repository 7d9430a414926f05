// Package lineserver serves the line protocol over TCP: it accepts connections, keeps
// their limits, and runs one session for each, which reads requests, appends to and
// selects from a storage.Store, and replies in order.
//
// # Goroutines
//
// Serve runs in its caller's goroutine and accepts. Every connection has one goroutine that
// reads, carries out and replies (session.go). Only while a client does not take its
// replies as fast as they are made, or many of them wait for the store (durable.go), has it a second
// one, which writes (write.go). All of them have ended when Serve returns.
//
// # What closes a connection
//
// The client; a shutdown; the idle timeout; a client that was stopped because it does not read its
// replies and makes no progress for the write timeout; a store that fails in the
// middle of a reply; and a first line that is an HTTP request or a TLS handshake, so that no web page can make a
// browser speak here. An error reply never does.
package lineserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"metricd/internal/lineorder"
	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// Defaults of Config.
const (
	DefaultMaxConns     = 10_000
	DefaultWriteTimeout = time.Minute
)

const (
	// stopReading is how long after the stop requests that keep coming are still read.
	stopReading = time.Second
	// stopWriting is how long after the stop replies may take to be written; together with
	// lingering it keeps the whole stop under ten seconds.
	stopWriting = 7 * time.Second
)

// Config says how a Server is to be. Store is needed; zero values elsewhere stand for the
// defaults.
type Config struct {
	Store storage.Store

	MaxLine      int           // bytes of a request line; 64 KiB
	MaxKey       int           // bytes of a key; 4,096
	MaxConns     int           // connections at once; 10,000
	IdleTimeout  time.Duration // a connection that sends nothing for so long is closed; 0: never
	WriteTimeout time.Duration // a stopped connection without progress for so long is closed; 1 minute

	// OnGet is told how long each get took, but for what the client then takes to read the end of the reply; nil: that
	// is not measured. It is called by many goroutines at once.
	OnGet func(time.Duration)

	Logger *slog.Logger // nil: nothing is logged
}

// Stats counts what a Server did since it was made.
type Stats struct {
	Conns     int64 // open connections
	MaxConns  int64 // how many there may be
	Accepted  int64 // connections served
	Rejected  int64 // connections over the limit
	Stalled   int64 // connections closed because they made no progress
	Panics    int64 // sessions ended by a panic
	Puts      int64 // puts answered, refused ones included
	Gets      int64 // gets answered
	Malformed int64 // requests answered with "wrong command"
	Received  int64 // bytes read
	Sent      int64 // bytes written

	// Refused counts puts and gets that the store did not carry out, by reason: too_old, time_range, series_limit, memory_limit, key,
	// read_only, failed. All reasons are there.
	Refused map[string]int64
}

// Server serves any number of listeners. Its methods are safe for concurrent use.
type Server struct {
	cfg  Config
	log  *slog.Logger
	work sync.Pool // of *work

	stopping atomic.Bool // set once the context of a Serve is done

	mu struct {
		sync.Mutex
		sessions map[*session]struct{}
	}

	conns, accepted, rejected, stalled, panics, puts, gets, malformed atomic.Int64
	received, sent                                                    atomic.Int64
	refused                                                           [reasons]atomic.Int64

	orders    atomic.Int64 // bytes left for what connections remember; see lineorder
	lingering atomic.Int64 // rejected connections that are still being told so
}

// New returns a Server that has no listener yet.
func New(cfg Config) *Server {
	if cfg.MaxLine <= 0 {
		cfg.MaxLine = lineproto.DefaultMaxLine
	}
	if cfg.MaxKey <= 0 {
		cfg.MaxKey = lineproto.DefaultMaxKey
	}
	if cfg.MaxConns <= 0 {
		cfg.MaxConns = DefaultMaxConns
	}
	if cfg.WriteTimeout <= 0 {
		cfg.WriteTimeout = DefaultWriteTimeout
	}
	s := &Server{cfg: cfg, log: cfg.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.orders.Store(lineorder.Budget)
	s.mu.sessions = make(map[*session]struct{})
	s.work.New = func() any { return newWork(cfg.MaxLine) }
	return s
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	st := Stats{
		Conns:     s.conns.Load(),
		MaxConns:  int64(s.cfg.MaxConns),
		Accepted:  s.accepted.Load(),
		Rejected:  s.rejected.Load(),
		Stalled:   s.stalled.Load(),
		Panics:    s.panics.Load(),
		Puts:      s.puts.Load(),
		Gets:      s.gets.Load(),
		Malformed: s.malformed.Load(),
		Received:  s.received.Load(),
		Sent:      s.sent.Load(),
		Refused:   make(map[string]int64, reasons),
	}
	for why := range reasons {
		st.Refused[slugs[why]] = s.refused[why].Load()
	}
	return st
}

// Serve accepts connections from ln, whose connections must be sockets, until ctx is done.
// Then it closes ln, answers what was received, closes the connections and returns nil, in less than ten
// seconds. Any other end is returned as an error. A Server that was stopped can't
// be used again.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var running sync.WaitGroup
	defer running.Wait()
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	unhook := context.AfterFunc(ctx, func() {
		s.stop()
		ln.Close()
	})
	defer unhook()

	err := s.accept(ctx, base, ln, &running)
	ln.Close()
	s.stop()
	force := time.AfterFunc(stopWriting, func() {
		cancel()
		s.each(func(c *session) { c.conn.Close() })
	})
	running.Wait()
	force.Stop()
	return err
}

// accept starts a session for each connection until ctx is done or ln fails for good.
func (s *Server) accept(ctx, base context.Context, ln net.Listener, running *sync.WaitGroup) error {
	const longestPause = time.Second
	pause := time.Millisecond
	for {
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case permanent(err):
			return fmt.Errorf("accept on %s: %w", ln.Addr(), err)
		case err != nil:
			s.log.Warn("cannot accept connections for now; if it is for open files, raise their limit (ulimit -n)", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, longestPause)
			continue
		}
		pause = time.Millisecond
		if s.conns.Load() >= int64(s.cfg.MaxConns) {
			s.reject(conn, running)
			continue
		}
		c, err := newSession(s, base, running, conn)
		if err != nil {
			conn.Close()
			return err
		}
		s.accepted.Add(1)
		s.conns.Add(1)
		running.Go(c.run)
	}
}

// permanent says whether no Accept will ever work again: there is no listener any more. All else may
// pass: too many open files, a connection that went away while it waited, errors of the network
// (accept(2) says to treat them like that).
func permanent(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSOCK)
}

// reject tells a connection over the limit so and closes it. It does that beside the
// accepting for a bounded number of connections, and drops the others.
func (s *Server) reject(conn net.Conn, running *sync.WaitGroup) {
	const most = 256
	s.rejected.Add(1)
	if s.lingering.Add(1) > most || s.stopping.Load() {
		s.lingering.Add(-1)
		conn.Close()
		return
	}
	running.Go(func() {
		defer s.lingering.Add(-1)
		conn.SetWriteDeadline(time.Now().Add(lingerTime))
		conn.Write(lineproto.AppendError(nil, lineproto.TooManyConnections))
		linger(conn)
	})
}

// stop makes all sessions finish: they answer what was received, then close. Those that begin
// later see stopping.
func (s *Server) stop() {
	if s.stopping.Swap(true) {
		return // a session that is finishing must not be interrupted again
	}
	s.each(func(c *session) { c.conn.SetReadDeadline(time.Unix(1, 0)) })
}

// each calls f for every session there is.
func (s *Server) each(f func(*session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.mu.sessions {
		f(c)
	}
}

const (
	// lingerTime and lingerBytes bound what is read and dropped after the last reply.
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 4 << 20
)

// linger closes conn so that the peer gets what was written: closing a socket that has
// unread input resets it, and the peer then loses replies it has not read yet. So it ends
// only the output, and drops input until the peer closes, for a bounded time and size.
func linger(conn net.Conn) {
	defer conn.Close()
	if c, ok := conn.(interface{ CloseWrite() error }); !ok || c.CloseWrite() != nil {
		return
	}
	conn.SetReadDeadline(time.Now().Add(lingerTime))
	buf := make([]byte, 4096)
	for total := 0; total < lingerBytes; {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		total += n
	}
}
