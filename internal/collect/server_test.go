package collect

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"metricd/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// far is the other end of a Sender: a server that comes and goes, over pipes, so that a test can live in a bubble of its own time. Its
// methods may be called concurrently.
type far struct {
	mu    sync.Mutex
	down  bool
	conns []net.Conn
	dials int
	got   []string // lines, those again that were sent again
	reply func(line string) string
}

// dial is for client.Options.
func (f *far) dial(context.Context, string, string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	if f.down {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, away := net.Pipe()
	f.conns = append(f.conns, away)
	go f.serve(away)
	return near, nil
}

func (f *far) serve(c net.Conn) {
	defer c.Close()
	for in := bufio.NewReader(c); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		f.mu.Lock()
		f.got = append(f.got, strings.TrimSuffix(line, "\n"))
		reply := "ok\n\n"
		if f.reply != nil {
			reply = f.reply(line)
		}
		f.mu.Unlock()
		if reply == "" { // it breaks down
			f.leave()
			return
		}
		if _, err := io.WriteString(c, reply); err != nil {
			return
		}
	}
}

// leave takes the server away.
func (f *far) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	for _, c := range f.conns {
		c.Close()
	}
	f.conns = nil
}

// come brings it back.
func (f *far) come() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = false
}

// lines returns what came since the last call.
func (f *far) lines() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	got := f.got
	f.got = nil
	return got
}

// sender returns a Sender to f that logs to log and keeps as much as n rounds of one sample are.
func (f *far) sender(log *bytes.Buffer, n int) *Sender {
	return NewSender("far:1", SenderOptions{
		Client:  client.Options{DialContext: f.dial},
		Buffer:  n * round(0, 1).size(),
		Explain: func(err error) error { return fmt.Errorf("explained: %w", err) },
		Logger:  logTo(log),
	})
}

// putLines are the lines of the rounds from first to last, of n samples each.
func putLines(first, last, n int) (lines []string) {
	for i := first; i <= last; i++ {
		for range n {
			lines = append(lines, fmt.Sprintf("put host.x %d.0 %d", i, 10*i))
		}
	}
	return lines
}
