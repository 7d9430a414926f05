package graphite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// running is a server under test.
type running struct {
	t     testing.TB
	srv   *Server
	addr  string
	store storage.Store
	log   *lockedBuffer
	stop  context.CancelFunc
	ended chan error
}

// lockedBuffer is a log that tests read while the server writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func openStore(t testing.TB, o tsdb.Options) storage.Store {
	t.Helper()
	db, err := tsdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// start runs a server with cfg, in memory unless cfg has a store, until the test ends.
func start(t testing.TB, cfg Config) *running {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = openStore(t, tsdb.Options{})
	}
	r := &running{t: t, store: cfg.Store, log: &lockedBuffer{}, ended: make(chan error, 1)}
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	cfg.Now = clock
	ln, udp, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	r.srv = New(cfg)
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- r.srv.Serve(ctx, ln, udp) }()
	t.Cleanup(func() {
		stop()
		r.wait()
	})
	return r
}

// wait waits until Serve has returned.
func (r *running) wait() {
	r.t.Helper()
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("Serve: %v", err)
		}
		r.ended <- nil
	case <-time.After(10 * time.Second):
		r.t.Error("Serve did not return within 10 s")
	}
	if st := r.srv.Stats(); st.Conns != 0 || st.Held != 0 {
		r.t.Errorf("after the stop: %+v", st)
	}
}

func (r *running) dial() *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	r.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// send sends the pieces on one connection, ends it, and waits until the server has closed it.
func (r *running) send(pieces ...string) {
	r.t.Helper()
	c := r.dial()
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			break // closed: HTTP
		}
	}
	c.CloseWrite()
	if got, _ := io.ReadAll(c); len(got) > 0 { // a reset is an end, too
		r.t.Errorf("the server said %q", got)
	}
}

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// dump returns all samples as `key ms value`, a line each.
func dump(t testing.TB, store storage.Store) string {
	t.Helper()
	set := store.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	var b strings.Builder
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() {
			ms, _ := it.At()
			fmt.Fprintf(&b, "%s %d %s\n", set.At().Key(), ms, it.AppendValue(nil))
		}
		if it.Err() != nil {
			t.Fatal(it.Err())
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	return b.String()
}

func TestSamples(t *testing.T) {
	const input = "palm.cpu 23.7 1150864247\n" +
		"wrong\n" +
		"cpu;host=a;core=1 1 1150864247.5\r\n" +
		"\n" +
		"cpu;core=1;host=a 2 1150864248\n" +
		"palm.cpu nan 1150864248\n" +
		"palm.cpu 24 -1\n" +
		"palm.cpu 25 1150864247\n"
	const want = "palm.cpu 1150864247000 25.0\n" +
		"palm.cpu 1700000000987 24.0\n" +
		"cpu;host=a;core=1 1150864247500 1.0\n" +
		"cpu;host=a;core=1 1150864248000 2.0\n"
	counts := Stats{MaxConns: DefaultMaxConns, Samples: 5, NaN: 1, Wrong: 1}
	t.Run("TCP", func(t *testing.T) {
		r := start(t, Config{})
		r.send(input, "palm.cpu 1 1")
		if got := dump(t, r.store); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		counts := counts
		counts.Wrong++ // the line that was cut short
		counts.Accepted, counts.Bytes = 1, int64(len(input)+len("palm.cpu 1 1"))
		until(t, "closed", func() bool { return r.srv.Stats().Conns == 0 })
		if st := r.srv.Stats(); st != counts {
			t.Errorf("got %+v, want %+v", st, counts)
		}
		if log := r.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "line=wrong") {
			t.Errorf("logged %s", log)
		}
	})
	t.Run("UDP", func(t *testing.T) {
		r := start(t, Config{})
		c, err := net.Dial("udp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, part := range []string{input[:31], input[31:]} { // cut behind the second line; without the last line end
			if _, err := io.WriteString(c, strings.TrimSuffix(part, "\n")); err != nil {
				t.Fatal(err)
			}
		}
		until(t, "two datagrams", func() bool { return r.srv.Stats().Samples == 5 })
		if got := dump(t, r.store); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		counts := counts
		counts.Datagrams, counts.Bytes = 2, int64(len(input)-2)
		if st := r.srv.Stats(); st != counts {
			t.Errorf("got %+v, want %+v", st, counts)
		}
	})
}

func TestRefusedForGood(t *testing.T) {
	r := start(t, Config{Store: openStore(t, tsdb.Options{MaxSeries: 1, Retention: time.Hour, Now: clock})})
	r.send("a 1 1700000000\nb 1 1700000000\na 2 1000000000\na 3 1700000001\n")
	if got := dump(t, r.store); got != "a 1700000000000 1.0\na 1700000001000 3.0\n" {
		t.Errorf("got %s", got)
	}
	if st := r.srv.Stats(); st.Samples != 2 || st.Refused != 2 || st.Dropped != 0 {
		t.Errorf("stats %+v", st)
	}
	if log := r.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "path=b") || !strings.Contains(log, "series limit") {
		t.Errorf("logged %s", log)
	}
}

func TestHTTPIsRefused(t *testing.T) {
	for _, first := range []string{
		"GET / HTTP/1.1\r\n",
		"POST /x HTTP/1.1\r\nHost: localhost\r\n",
		"\r\n\nGET / HTTP/1.0\n",
		"GET /" + strings.Repeat("a", 70_000) + " HTTP/1.1\r\n", // too long to be taken whole
		"\x16\x03\x01\x02\x00 a TLS handshake\n",
	} {
		r := start(t, Config{})
		r.send(first, "\r\n", "a 1 1\n")
		until(t, "closed", func() bool { return r.srv.Stats().Conns == 0 })
		if got := dump(t, r.store); got != "" {
			t.Errorf("%.30q stored %q", first, got)
		}
		if st := r.srv.Stats(); st.Browsers != 1 || st.Wrong != 0 {
			t.Errorf("%.30q: stats %+v", first, st)
		}
	}
	// Not the first line: a wrong line like any other.
	r := start(t, Config{})
	r.send("a 1 1\nGET / HTTP/1.1\nb 1 1\n")
	if got := dump(t, r.store); got != "a 1000 1.0\nb 1000 1.0\n" {
		t.Errorf("got %q", got)
	}
}

func TestLongLines(t *testing.T) {
	r := start(t, Config{MaxLine: 100})
	c := r.dial()
	long := strings.Repeat("x", 101)
	for range 10 { // until the order is known
		io.WriteString(c, "a 1 1700000000\n")
	}
	io.WriteString(c, long+" 1 1\n"+long[:95]+" 1 10\n"+long) // too long, just not, too long
	until(t, "the long line was seen", func() bool { return r.srv.Stats().Wrong == 2 })
	io.WriteString(c, "a 2 1700000000\nb 3 1700000000\n") // the first is the rest of the long line
	c.CloseWrite()
	io.ReadAll(c)
	if got, want := dump(t, r.store), "a 1700000000000 1.0\n"+long[:95]+" 10000 1.0\nb 1700000000000 3.0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTooManyConnections(t *testing.T) {
	r := start(t, Config{MaxConns: 1})
	c := r.dial()
	until(t, "connected", func() bool { return r.srv.Stats().Conns == 1 })
	r.send("a 1 1\n")
	if st := r.srv.Stats(); st.Rejected != 1 || st.Accepted != 1 {
		t.Errorf("stats %+v", st)
	}
	c.Close()
	until(t, "gone", func() bool { return r.srv.Stats().Conns == 0 })
	r.send("b 1 1\n")
	if got := dump(t, r.store); got != "b 1000 1.0\n" {
		t.Errorf("got %q", got)
	}
}

func TestIdleTimeout(t *testing.T) {
	r := start(t, Config{IdleTimeout: 50 * time.Millisecond})
	c := r.dial()
	io.WriteString(c, "a 1 1\nb 1")
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
	until(t, "counted", func() bool { return r.srv.Stats().Wrong == 1 })
	if got := dump(t, r.store); got != "a 1000 1.0\n" {
		t.Errorf("got %q", got)
	}
}

// TestStop: what was received before the stop is taken, and connections are closed.
func TestStop(t *testing.T) {
	r := start(t, Config{})
	c := r.dial()
	io.WriteString(c, "a 1 1\n")
	until(t, "taken", func() bool { return r.srv.Stats().Samples == 1 })
	io.WriteString(c, "a 2 2\na 3")
	r.stop()
	if got, err := io.ReadAll(c); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v", got, err)
	}
	r.wait()
	if st := r.srv.Stats(); st.Samples != 2 || st.Wrong != 1 {
		t.Errorf("stats %+v", st)
	}
}
