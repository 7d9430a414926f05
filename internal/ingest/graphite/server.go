// Package graphite takes samples in Graphite's plaintext protocol, over TCP and UDP, into a storage.Store:
//
//	path[;tag=value…] value timestamp\n
//
// There are no replies. The rules are those of carbon, Graphite's own receiver (lib/carbon/protocols.py and util.py of
// graphite-project/carbon), where they are not said to differ:
//
//   - Three tokens, separated by spaces or tabs; \r before the \n is dropped. A line without an end, when
//     the connection ends, may be cut short and is not taken; the end of a datagram ends its last line.
//   - The path is a key, as put takes it (storage/key.go): tags in another order spell the same series, and what is
//     not of tag form is a name, verbatim. Control characters and what is not UTF-8 are refused.
//   - The value is what Python's float() takes, as package decimal has it. nan is skipped (and counted).
//   - The timestamp is in seconds, a decimal number; what is finer than a millisecond is cut off (parse.go). -1 is now.
//   - A wrong line is counted, and logged at a limited rate. The lines beside it are taken.
//
// # What happens to what the store does not take
//
// Samples that are refused for good (too old, one series too many) are counted and logged, as wrong lines are. While
// the store takes no writes for now (storage.ErrReadOnly: the disk is full) a TCP connection keeps what it
// has read, tries again, and reads nothing more, so that the sender holds the rest (gate.go); a UDP socket can't do that: it drops and counts.
//
// A connection is closed when its sender has ended the stream and all that came is durable: for a sender who wants to
// know, that is the acknowledgement.
//
// # What closes a connection
//
// The sender; a stop; the idle timeout; a store that failed; and a first line that is an HTTP request or a TLS handshake, so that no web page
// can make a browser write here.
//
// # Goroutines
//
// Serve runs in its caller's goroutine and accepts. Every connection has one goroutine (conn.go), and so has the UDP
// socket (udp.go). All have ended when Serve returns.
package graphite

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"metricd/internal/lineorder"
	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// DefaultMaxConns is how many connections may be open at once unless Config says otherwise. One at work has a buffer of
// 256 KiB, an idle one has none.
const DefaultMaxConns = 1000

const (
	// maxBatch is how many samples are appended at once.
	maxBatch = 1024
	// readSize is the least room for one read: fewer system calls, and the buffer stays in the cache.
	readSize = 256 << 10
	// stopReading is how long after the stop what keeps coming is still read.
	stopReading = time.Second
	// stopWaiting is how long after the stop a connection may wait for what it sent to be durable.
	stopWaiting = 7 * time.Second
)

// Config says how a Server is to be. Store is needed; zero values elsewhere stand for the defaults.
type Config struct {
	Store storage.Store

	MaxLine     int           // bytes of a line without its end; 64 KiB
	MaxKey      int           // bytes of a path with its tags; 4,096
	MaxConns    int           // connections at once; DefaultMaxConns
	IdleTimeout time.Duration // a connection that sends nothing for so long is closed; 0: never

	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // the clock that -1 asks for; nil: time.Now
}

// Stats counts what a Server did since it was made. Every line that came and was not blank is in one of Samples, NaN, Wrong,
// Refused and Dropped, at the latest when its connection has ended (unless by a panic).
type Stats struct {
	Conns     int64 // open connections
	MaxConns  int64 // how many there may be
	Accepted  int64 // connections served
	Rejected  int64 // connections over the limit
	Browsers  int64 // connections closed since they began with HTTP or TLS
	Panics    int64 // connections, or reads of datagrams, ended by a panic
	Datagrams int64 // received
	Bytes     int64 // received, over TCP and UDP

	Samples int64 // taken by the store
	NaN     int64 // skipped
	Wrong   int64 // lines that are no sample, or too long, or cut short
	Refused int64 // samples refused for good
	Dropped int64 // samples lost: over UDP while the store took none, or since the store failed or the server stopped

	Held int64 // connections that now wait for the store to take writes again
}

// Server serves Graphite's plaintext protocol. Its methods are safe for concurrent use.
type Server struct {
	cfg  Config
	log  *slog.Logger
	work sync.Pool // of *work
	gate gate

	stopping atomic.Bool // set once the context of Serve is done

	mu struct {
		sync.Mutex
		conns map[*conn]struct{}
	}

	conns, accepted, rejected, browsers, panics, datagrams, bytes atomic.Int64
	samples, nan, wrong, refused, dropped                         atomic.Int64

	orders atomic.Int64 // bytes left for what connections remember; see lineorder

	crowd, badLines, refusals, losses complaints
}

// New returns a Server that has no sockets yet.
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
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, log: cfg.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.orders.Store(lineorder.Budget)
	s.mu.conns = make(map[*conn]struct{})
	s.work.New = func() any { return newWork(cfg.MaxLine) }
	return s
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	return Stats{
		Conns:     s.conns.Load(),
		MaxConns:  int64(s.cfg.MaxConns),
		Accepted:  s.accepted.Load(),
		Rejected:  s.rejected.Load(),
		Browsers:  s.browsers.Load(),
		Panics:    s.panics.Load(),
		Datagrams: s.datagrams.Load(),
		Bytes:     s.bytes.Load(),
		Samples:   s.samples.Load(),
		NaN:       s.nan.Load(),
		Wrong:     s.wrong.Load(),
		Refused:   s.refused.Load(),
		Dropped:   s.dropped.Load(),
		Held:      s.gate.held(),
	}
}

// Serve takes samples from ln, whose connections must be sockets, and from udp, until ctx is done; either may be nil. Then it
// closes both, takes what was received, waits until that is durable, and returns nil, in less than ten seconds. Any
// other end is returned as an error. A Server that was stopped can't be used again.
func (s *Server) Serve(ctx context.Context, ln net.Listener, udp *net.UDPConn) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	ctx, end := context.WithCancel(ctx)
	defer end()
	unhook := context.AfterFunc(ctx, func() {
		s.stop()
		time.AfterFunc(stopWaiting, cancel)
		if ln != nil {
			ln.Close()
		}
		if udp != nil {
			udp.SetReadDeadline(time.Unix(1, 0))
		}
	})
	defer unhook()

	var running sync.WaitGroup
	var errUDP error
	if udp != nil {
		running.Go(func() {
			defer end()
			errUDP = s.serveUDP(ctx, base, udp)
		})
	}
	var err error
	if ln != nil {
		err = s.accept(ctx, base, ln, &running)
		end()
	}
	running.Wait()
	if err == nil {
		err = errUDP
	}
	return err
}

// stop makes all connections finish: they take what was received, then close. Those that begin later see stopping.
func (s *Server) stop() {
	s.stopping.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.mu.conns {
		c.conn.SetReadDeadline(time.Unix(1, 0))
	}
}
