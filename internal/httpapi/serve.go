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

	"github.com/prometheus/exporter-toolkit/web"
)

// MaxConns is how many connections each listener may have open at once; one more is closed.
const MaxConns = 2048

const (
	// maxAtWork is how many requests are carried out at once, those of health and metrics apart; others wait for their turn. What
	// requests hold is bounded by it.
	maxAtWork = 256
	// headerTimeout bounds the time from the first byte of a request to the end of its headers, and that of a TLS handshake;
	// maxHeader is the size of the headers in bytes.
	headerTimeout = 10 * time.Second
	maxHeader     = 64 << 10
	// idleTimeout is how long a connection may wait for its next request.
	idleTimeout = 2 * time.Minute
	// stopTime is how long after the stop requests may take to end; it keeps the whole stop under ten seconds.
	stopTime = 7 * time.Second
	// quietTime is how long after the stop a connection that has sent nothing yet may send a request.
	quietTime = 200 * time.Millisecond
)

// Serve answers the requests that come through ln until ctx is done. Then it closes ln, ends imports behind what it has read
// of them, lets the other requests end, and returns nil, in less than ten seconds. Any other end is returned as an
// error. With Config.WebConfig it speaks TLS and asks for passwords, as that file says. A Server that was stopped can't be used again.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return s.serve(ctx, ln, &s.web, s.guard(&s.mux, s.authenticates), s.cfg.WebConfig)
}

// ServeAdmin is as Serve, for those who watch the server, on a listener that strangers can't reach: there are no passwords and no TLS, and nothing but
// adminPaths. Both may run at once, and are to be stopped together.
func (s *Server) ServeAdmin(ctx context.Context, ln net.Listener) error {
	few := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !adminPaths[r.URL.Path] {
			writeError(w, &apiError{http.StatusNotFound, "not_found", "the admin address has /-/healthy, /-/ready and /metrics only"})
			return
		}
		s.mux.ServeHTTP(w, r)
	})
	return s.serve(ctx, ln, new(connections), s.guard(few, func() bool { return false }), "")
}

// adminPaths are those of the admin listener, where they are mounted.
var adminPaths = map[string]bool{"/-/healthy": true, "/-/ready": true, "/metrics": true}

func (s *Server) serve(ctx context.Context, ln net.Listener, conns *connections, h http.Handler, webConfig string) error {
	if s.metrics != nil {
		h = s.metrics.count(h)
	}
	h = s.bounded(h)
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	hs := &http.Server{
		Handler:           h,
		Protocols:         new(http.Protocols),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnState:         conns.changed,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	hs.Protocols.SetHTTP1(true) // HTTP/2 has many requests at once on a connection, and those that wait are bounded by connections
	served := make(chan error, 1)
	go func() { served <- s.accept(hs, ln, webConfig) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	s.endSoon()
	conns.hurry()
	limit, done := context.WithTimeout(context.WithoutCancel(ctx), s.stopTime)
	defer done()
	if hs.Shutdown(limit) != nil { // there are requests that do not end
		cancel()
		hs.Close()
	}
	s.mu.Lock()
	s.mu.stopping = true
	s.mu.Unlock()
	s.running.Wait()
	if err == nil {
		err = <-served
	}
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// bounded gives a client as long as it may stall to send its body and to read the answer. Who reads and writes more gives more
// (newBody, reply); it is there for what is refused, whose body nobody reads.
func (s *Server) bounded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control, until := http.NewResponseController(w), time.Now().Add(s.cfg.Stall)
		if r.ContentLength != 0 { // else net/http reads on to learn whether the client goes, for which there is time
			_ = control.SetReadDeadline(until) // sockets have deadlines
		}
		_ = control.SetWriteDeadline(until) // as above
		h.ServeHTTP(w, r)
	})
}

// accept serves ln until it ends. The toolkit reads its file anew for each connection and request.
func (s *Server) accept(hs *http.Server, ln net.Listener, webConfig string) error {
	if webConfig == "" {
		return hs.Serve(ln)
	}
	defer ln.Close() // the toolkit may not come to serve it
	return web.Serve(ln, hs, &web.FlagConfig{WebConfigFile: &webConfig}, slog.New(warnings{s.log.Handler()}))
}

// warnings is a handler of logs without what is not worth a warning: the toolkit tells where it listens.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// connections are those of one listener. Safe for concurrent use.
type connections struct {
	open  atomic.Int64
	quiet sync.Map // of net.Conn: those that have sent nothing yet
}

// changed keeps the limit on connections, and takes note of those that have sent nothing: Shutdown would wait five
// seconds for them.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.quiet.Store(conn, nil)
		if c.open.Add(1) > MaxConns {
			conn.Close()
		}
		return
	case http.StateClosed, http.StateHijacked:
		c.open.Add(-1)
	}
	c.quiet.Delete(conn)
}

// hurry gives those that have sent nothing little time to begin.
func (c *connections) hurry() {
	c.quiet.Range(func(conn, _ any) bool {
		_ = conn.(net.Conn).SetReadDeadline(time.Now().Add(quietTime)) // it is closed in the end
		return true
	})
}
