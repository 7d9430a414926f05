package lineserver

import (
	"bytes"
	"context"
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

// start runs a server with cfg, in memory unless cfg has a store, until the test ends.
func start(t testing.TB, cfg Config) *running {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = openStore(tsdb.Options{})
		t.Cleanup(func() { cfg.Store.Close() })
	}
	r := &running{t: t, log: &lockedBuffer{}, ended: make(chan error, 1)}
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.srv = New(cfg)
	r.addr = ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- r.srv.Serve(ctx, ln) }()
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
	if n := r.srv.Stats().Conns; n != 0 {
		r.t.Errorf("%d connections after the stop", n)
	}
}

// dial connects; the connection fails reads and writes after 20 s and is closed when the test ends.
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

// expect reads as many bytes as want has and compares.
func expect(t testing.TB, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c, got)
	if string(got[:n]) != want {
		t.Fatalf("got %.300q (%v), want %.300q", got[:n], err, want)
	}
}

// expectEnd reads to the end of the connection and compares.
func expectEnd(t testing.TB, c net.Conn, want string) {
	t.Helper()
	got, err := io.ReadAll(c)
	if err != nil || string(got) != want {
		t.Fatalf("got %.300q (%v), want %.300q and the end", got, err, want)
	}
}

func send(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// talk sends input on a new connection, ends the input, and returns all that comes back.
func (r *running) talk(input string) string {
	r.t.Helper()
	c := r.dial()
	go func() {
		io.WriteString(c, input)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(got)
}

const wrong = "error\nwrong command\n\n"

// transcript is the one of the protocol: requests and their replies.
var transcript = [][2]string{
	{"get test_key\n", "ok\n\n"},
	{"got test_key\n", wrong},
	{"put test_key 12.0 1503319740\n", "ok\n\n"},
	{"put test_key 13.0 1503319739\n", "ok\n\n"},
	{"get test_key \n", "ok\ntest_key 13.0 1503319739\ntest_key 12.0 1503319740\n\n"},
	{"put another_key 10 1503319739\n", "ok\n\n"},
	{"get *\n", "ok\ntest_key 13.0 1503319739\ntest_key 12.0 1503319740\nanother_key 10.0 1503319739\n\n"},
}

func whole(pairs [][2]string) (requests, replies string) {
	for _, p := range pairs {
		requests += p[0]
		replies += p[1]
	}
	return requests, replies
}

func TestTranscript(t *testing.T) {
	r := start(t, Config{})
	c := r.dial()
	for _, p := range transcript {
		send(t, c, p[0])
		expect(t, c, p[1])
	}
	// Pipelined, over another connection, with what the first one stored in place.
	requests, _ := whole(transcript[4:])
	_, replies := whole(transcript[4:])
	if got := r.talk(requests); got != replies {
		t.Errorf("got %q, want %q", got, replies)
	}
}

func TestRequestsCutAtEveryByte(t *testing.T) {
	requests, replies := whole(transcript)
	for cut := 1; cut < len(requests); cut++ {
		r := start(t, Config{})
		c := r.dial()
		c.SetNoDelay(true)
		send(t, c, requests[:cut])
		// The replies to the whole lines before the cut show that the first part was read.
		before := 0
		for _, p := range transcript[:strings.Count(requests[:cut], "\n")] {
			before += len(p[1])
		}
		expect(t, c, replies[:before])
		send(t, c, requests[cut:])
		c.CloseWrite()
		expectEnd(t, c, replies[before:])
		r.stop()
		r.wait()
	}
}

func TestReplies(t *testing.T) {
	long := strings.Repeat("k", 4096)
	tests := []struct{ name, input, want string }{
		{"nothing", "", ""},
		{"blank lines have no reply", "\n  \t\n\r\nget x\n\n", "ok\n\n"},
		{"unfinished line", "put a 1 1\nput a 2 2", "ok\n\n" + wrong},
		{"unfinished blank line", "put a 1 1\n  ", "ok\n\n"},
		{"line ends of Windows", "put a 1 1\r\nget a\r\n", "ok\n\nok\na 1.0 1\n\n"},
		{"errors do not close", "x\ny\nput\nput a\nget\nget a b\nput a 1 1 1\nPUT a 1 1\nget *\n", strings.Repeat(wrong, 8) + "ok\n\n"},
		{"key as long as allowed", "put " + long + " 1 1\nget " + long + "\n", "ok\n\nok\n" + long + " 1.0 1\n\n"},
		{"key too long", "put " + long + "k 1 1\nget *\n", wrong + "ok\n\n"},
		{"line too long", "put a 1 " + strings.Repeat(" ", 1<<16) + "1\nput b 1 1\n", wrong + "ok\n\n"},
		{"last line too long", strings.Repeat("x", 1<<20), wrong},
		{"refused among stored", "put a 1 1\nput a x 1\nput a 2 2\nput * 1 1\nput a 3 9000000000000001\nget a\n", "ok\n\n" + wrong + "ok\n\n" + wrong + wrong + "ok\na 1.0 1\na 2.0 2\n\n"},
		{"extremes of time", "put a 1 9000000000000000\nput a 2 -9000000000000000\nput a 3 0\nget a\n", strings.Repeat("ok\n\n", 3) + "ok\na 2.0 -9000000000000000\na 3.0 0\na 1.0 9000000000000000\n\n"},
		{"values", "put a 1e400 1\nput a -inf 2\nput a nan 3\nput a -0 4\nput a 1e16 5\nput a 1e-5 6\nput a 51.846000000000004 7\nget a\n", strings.Repeat("ok\n\n", 7) + "ok\na inf 1\na -inf 2\na nan 3\na -0.0 4\na 1e+16 5\na 1e-05 6\na 51.846000000000004 7\n\n"},
		{"last write wins", "put a 1 5\nput a 2 3\nput a 3 5\nput a 4 3\nget a\n", strings.Repeat("ok\n\n", 4) + "ok\na 4.0 3\na 3.0 5\n\n"},
		{"spellings of tags", "put c;b=1;a=2 1 1\nput c;a=2;b=1 2 2\nget c;a=2;b=1\nget *\n", "ok\n\nok\n\nok\nc;a=2;b=1 1.0 1\nc;a=2;b=1 2.0 2\n\nok\nc;b=1;a=2 1.0 1\nc;b=1;a=2 2.0 2\n\n"},
		{"UTF-8", "put größe 1 1\nput gr\xff 1 1\nget größe\n", "ok\n\n" + wrong + "ok\ngröße 1.0 1\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := start(t, Config{}).talk(tt.input); got != tt.want {
				t.Errorf("got %.300q, want %.300q", got, tt.want)
			}
		})
	}
}

// TestSeconds: samples within a second are shown once.
func TestSeconds(t *testing.T) {
	store := openStore(tsdb.Options{})
	defer store.Close()
	r := start(t, Config{Store: store})
	var b storage.Batch
	for _, ms := range []int64{-1001, -1000, -500, -1, 0, 1, 999, 1001, 1999, 3000, 3500, 5999} {
		b.Rows = append(b.Rows, storage.Row{Key: []byte("a"), T: ms, V: float64(ms)})
	}
	if _, err := store.Appender().Append(&b); err != nil || len(b.Refused) > 0 {
		t.Fatal(err, b.Refused)
	}
	want := "ok\na -1001.0 -2\na -1000.0 -1\na 0.0 0\na 1999.0 1\na 3000.0 3\na 5999.0 5\n\n"
	if got := r.talk("get a\n"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOneWrite: the replies to what came in one packet leave in one.
func TestOneWrite(t *testing.T) {
	r := start(t, Config{})
	c := r.dial()
	var input, want strings.Builder
	for range 50 {
		input.WriteString("put a 1 1\nget a\nnonsense\n")
		want.WriteString("ok\n\nok\na 1.0 1\n\n" + wrong)
	}
	for range 20 {
		send(t, c, input.String())
		got := make([]byte, 2*want.Len())
		n, err := c.Read(got)
		if err != nil || string(got[:n]) != want.String() {
			t.Fatalf("one read gave %d bytes (%v), want all %d", n, err, want.Len())
		}
	}
}

// openStore opens a store in memory.
func openStore(o tsdb.Options) *tsdb.DB {
	db, err := tsdb.Open(o)
	if err != nil {
		panic("BUG: a store in memory has nothing that could fail: " + err.Error())
	}
	return db
}
