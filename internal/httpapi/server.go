// Package httpapi serves HTTP beside the line protocol: health, export and import of samples as text, and backups. It
// knows a storage.Store and no engine.
//
//	GET  /-/healthy               200 while the process serves
//	GET  /-/ready                 200 while the store works, else 503; on a full disk 200, with "reads only" and why
//	GET  /metrics                 the server's own figures, for Prometheus (metrics.go, package ownmetrics)
//	GET  /api/v1/export           samples as text (export.go)
//	POST /api/v1/import           samples from text (import.go)
//	GET  /api/v1/admin/backup     all files of the store as a tar (backup.go)
//	POST /api/v1/write            Prometheus' remote write (package remotewrite)
//	POST /write, /api/v2/write    InfluxDB's line protocol (package influx), with its /ping, /health and /query
//
// Errors are JSON, as Prometheus' HTTP API has it: {"status":"error","errorType":…,"error":…}. An answer that
// fails after its first byte was sent has no end: the connection is closed, and clients see that it is cut short.
//
// # Who may ask
//
// Whoever can connect, but no page of another web site: what a browser says is asked for by such a page below /api/, and what it
// sends across origins, is refused with 403. Where the connection is of this machine, a Host other than an IP address or
// localhost is answered with 421: the name of a web site, made to point here, must not let its pages read. HTTP/1.0 may leave it out: no browser does.
//
// # Goroutines
//
// Serve runs in its caller's goroutine and has net/http's: one that accepts, and one for each connection, and one more
// while a request is carried out. All requests have ended when Serve returns.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"metricd/internal/storage"
)

// MaxConns is how many connections may be open at once; one more is closed.
const MaxConns = 256

const (
	// headerTimeout bounds the time from the first byte of a request to the end of its headers, and maxHeader its size.
	headerTimeout = 10 * time.Second
	maxHeader     = 64 << 10
	// idleTimeout is how long a connection may wait for its next request.
	idleTimeout = 2 * time.Minute
	// stopTime is how long after the stop requests may take to end; it keeps the whole stop under ten seconds.
	stopTime = 7 * time.Second
	// quietTime is how long after the stop a connection that has sent nothing yet may send a request.
	quietTime = 200 * time.Millisecond
)

// Config says how a Server is to be. Store is needed; zero values elsewhere stand for the defaults.
type Config struct {
	Store storage.Store

	MaxLine int // bytes of a line of an import; 64 KiB
	MaxKey  int // bytes of a key of an import; 4,096

	// Stall is how long a request waits for its client to send or to read something; a minute.
	Stall time.Duration

	Version string // of metricd, for those who ask

	// Metrics is where what the server counts is registered, and what /metrics shows; nil: a registry of its own.
	Metrics *prometheus.Registry
	// Own is the store of the server's own figures, which queries see beside Store; nil: there is none.
	Own storage.Store

	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // the clock, for what is dated; nil: time.Now
}

// Server answers HTTP requests. Its methods are safe for concurrent use.
type Server struct {
	cfg Config
	log *slog.Logger
	mux *http.ServeMux

	metadata *metadata
	metrics  *metrics

	stop    chan struct{} // closed when requests under way are to end soon
	endSoon func()        // closes it, once
	conns   atomic.Int64  // open connections
	quiet   sync.Map      // of net.Conn: connections that have sent nothing yet

	mu struct {
		sync.Mutex
		stopping bool // no more requests
	}
	copying sync.Mutex     // held for a backup: each pins files that are no longer needed
	running sync.WaitGroup // requests; grows with mu held only, while stopping is not set
}

// New returns a Server that has no listener yet.
func New(cfg Config) *Server {
	if cfg.Stall <= 0 {
		cfg.Stall = time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	s := &Server{cfg: cfg, log: cfg.Logger, mux: http.NewServeMux(), metadata: newMetadata(), stop: make(chan struct{})}
	s.endSoon = sync.OnceFunc(func() { close(s.stop) })
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.mux.Handle("GET /-/healthy", s.answer(s.healthy))
	s.mux.Handle("GET /-/ready", s.answer(s.ready))
	s.mux.Handle("GET /api/v1/export", s.answer(s.export))
	s.mux.Handle("POST /api/v1/import", s.answer(s.importSamples))
	s.mux.Handle("GET /api/v1/admin/backup", s.answer(s.backup))
	s.metrics = s.newMetrics()
	s.mountIngest()
	return s
}

// Serve answers the requests that come through ln until ctx is done. Then it closes ln, ends imports behind what it has read
// of them, lets the other requests end, and returns nil, in less than ten seconds. Any other end is returned as an
// error. A Server that was stopped can't be used again.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	hs := &http.Server{
		Handler:           s.metrics.count(s.guard()),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnState:         s.connState,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(ln) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	s.endSoon()
	s.quiet.Range(func(conn, _ any) bool {
		_ = conn.(net.Conn).SetReadDeadline(time.Now().Add(quietTime)) // it is closed in the end
		return true
	})
	limit, done := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer done()
	if hs.Shutdown(limit) != nil { // there are requests that do not end
		cancel()
		hs.Close()
	}
	s.mu.Lock()
	s.mu.stopping = true
	s.mu.Unlock()
	s.running.Wait()
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// connState keeps the limit on connections, and takes note of those that have sent nothing: Shutdown would wait five
// seconds for them.
func (s *Server) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.quiet.Store(conn, nil)
		if s.conns.Add(1) > MaxConns {
			conn.Close()
		}
		return
	case http.StateClosed, http.StateHijacked:
		s.conns.Add(-1)
	}
	s.quiet.Delete(conn)
}

// enter counts a request, if it may begin.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.stopping {
		return false
	}
	s.running.Add(1)
	return true
}
