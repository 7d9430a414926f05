package client

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is the far end of one connection. Its methods fail the test of the server it is of.
type peer struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

// line reads one request line, without its line end; "" at the end of input.
func (p *peer) line() string {
	s, err := p.in.ReadString('\n')
	if err != nil {
		return ""
	}
	return s[:len(s)-1]
}

// want reads the given lines.
func (p *peer) want(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		if got := p.line(); got != want {
			p.t.Errorf("server read %q, want %q", got, want)
		}
	}
}

// say writes bytes. That the client has gone is for the client's side of a test to judge.
func (p *peer) say(text string) { io.WriteString(p, text) } //nolint:errcheck

// reset closes the connection with a reset instead of an orderly end.
func (p *peer) reset() {
	p.Conn.(*net.TCPConn).SetLinger(0) //nolint:errcheck
	p.Close()
}

// untilClosed waits until the client has closed the connection.
func (p *peer) untilClosed() { io.Copy(io.Discard, p.in) } //nolint:errcheck

// listen serves connections on loopback: the n-th, from 0, by script, in a goroutine of its own,
// and closes it when script returns. The test's end waits for all scripts.
func listen(t *testing.T, script func(n int, p *peer)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var scripts sync.WaitGroup
	scripts.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			scripts.Go(func() {
				defer c.Close()
				script(n, &peer{t, c, bufio.NewReader(c)})
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		scripts.Wait()
	})
	return l.Addr().String()
}

// acknowledge answers every line that c sends with ok, until the end of input.
func acknowledge(c net.Conn) {
	oks := bytes.Repeat([]byte("ok\n\n"), 64<<10)
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(oks[:4*bytes.Count(buf[:n], []byte{'\n'})]); err != nil {
			return
		}
	}
}
