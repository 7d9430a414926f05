package lineserver

import (
	"context"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"metricd/internal/tsdb"
)

// pipeListener gives out one end of socket pairs.
type pipeListener struct{ conns chan net.Conn }

func (l *pipeListener) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *pipeListener) Close() error {
	select {
	case <-l.conns: // closed already
	default:
		close(l.conns)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pair", Net: "unix"} }

func socketPair(t testing.TB) (client, server *net.UnixConn) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = c.(*net.UnixConn)
	}
	return conns[0], conns[1]
}

// replies sends the pieces, each after the one before was read, and returns all replies.
func replies(t testing.TB, pieces ...[]byte) string {
	db := openStore(tsdb.Options{MaxSeries: 4})
	defer db.Close()
	srv := New(Config{Store: db, MaxLine: 100, MaxKey: 12})
	ln := &pipeListener{conns: make(chan net.Conn, 1)}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		srv.Serve(ctx, ln)
		close(ended)
	}()
	client, server := socketPair(t)
	defer client.Close()
	raw, err := server.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	ln.conns <- server
	got := make(chan string)
	go func() {
		b, _ := io.ReadAll(client)
		got <- string(b)
	}()
	for _, p := range pieces {
		if _, err := client.Write(p); err != nil {
			break // closed: an HTTP request
		}
		for unread := 1; unread > 0; runtime.Gosched() {
			if err := raw.Control(func(fd uintptr) {
				unread, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ)
			}); err != nil {
				break
			}
		}
	}
	client.CloseWrite()
	text := <-got
	stop()
	<-ended
	return text
}

// FuzzCuts: any bytes, cut into reads at any places, give the same replies as the whole at once.
func FuzzCuts(f *testing.F) {
	requests, _ := whole(transcript)
	f.Add([]byte(requests), []byte{1, 2, 3, 50})
	f.Add([]byte(strings.Repeat("put a 1 1\nput b 2 1\nput c;x=1;y=2 3 1\n", 5)+"get *\nget c;y=2;x=1\n"), []byte{5, 5, 5, 40})
	f.Add([]byte("put e 1 1\nput a 1 1\nput b 1 1\nput c 1 1\nput d 1 1\nget *\n"+strings.Repeat("x", 150)+"\nget a"), []byte{100})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\nput a 1 1\n"), []byte{3})
	f.Add([]byte(strings.Repeat("put a 1 1700000000\r\n", 12)+"put a 2 1700000000\nput a 1 170000\nput a 1 17000000000000000\n"), []byte{7, 7, 7})
	f.Add([]byte(strings.Repeat("put a 1 1700000000\n", 12)+strings.Repeat("x", 150)+"put a 2 1700000000\nget a\n"), []byte{227, 149})
	f.Add([]byte(strings.Repeat("put a 1 1000000000000000\n", 12)+"put a 1 \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\n"), []byte{20})
	f.Fuzz(func(t *testing.T, input, cuts []byte) {
		if len(input) > 2000 || len(cuts) > 20 {
			return
		}
		want := replies(t, input)
		var pieces [][]byte
		rest := input
		for _, c := range cuts {
			n := min(int(c)+1, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		if got := replies(t, append(pieces, rest)...); got != want {
			t.Errorf("cut at %v: got %q, want %q", cuts, got, want)
		}
	})
}
