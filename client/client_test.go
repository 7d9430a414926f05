package client

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// dial connects with opts, quick to try again, and closes at the end of the test.
func dial(t *testing.T, addr string, opts Options) *Client {
	t.Helper()
	setDefault(&opts.MinBackoff, time.Millisecond)
	c, err := Dial(t.Context(), addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func at(sec int64) time.Time { return time.Unix(sec, 0).UTC() }

// wantErr checks that err is target.
func wantErr(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("got error %v, want %v", err, target)
	}
}

func TestRequestsAndReplies(t *testing.T) {
	addr := listen(t, func(n int, p *peer) {
		if n > 0 {
			t.Error("a second connection")
		}
		p.want("put test_key 12.0 1503319740")
		p.say("ok\n\n")
		p.want("put x nan -1")
		p.say("error\ndisk full: delete something\n\n")
		p.want("put ключ;a=b -0.0 9000000000000000")
		p.say("ok\n\n")
		p.want("get test_key")
		p.say("ok\ntest_key 13.0 1503319739\ntest_key 1e-05 1503319740\n\n")
		p.want("get nothing")
		p.say("ok\n\n")
		p.want("get odd")
		p.say("error\nwrong command\n\n")
		p.untilClosed()
	})
	c := dial(t, addr, Options{})
	ctx := t.Context()
	if err := c.Put(ctx, "test_key", 12, at(1503319740).Add(999*time.Millisecond)); err != nil {
		t.Error(err)
	}
	err := c.Put(ctx, "x", math.NaN(), time.Unix(0, -1))
	var said *ServerError
	if !errors.As(err, &said) || said.Text != "disk full: delete something" {
		t.Errorf("got error %v, want the server's words", err)
	}
	if errors.Is(err, ErrWrongCommand) || errors.Is(err, ErrTooManyConnections) {
		t.Errorf("%v matches a sentinel of something else", err)
	}
	if err := c.Put(ctx, "ключ;a=b", math.Copysign(0, -1), at(9e15)); err != nil {
		t.Error(err)
	}
	got, err := c.Get(ctx, "test_key")
	if want := []Sample{{at(1503319739), 13}, {at(1503319740), 1e-5}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := c.Get(ctx, "nothing"); err != nil || len(got) > 0 {
		t.Errorf("got %v, %v, want nothing", got, err)
	}
	_, err = c.Get(ctx, "odd")
	wantErr(t, err, ErrWrongCommand)
}

func TestInvalidIsNotSent(t *testing.T) {
	c := dial(t, listen(t, func(_ int, p *peer) {
		if line := p.line(); line != "" {
			t.Errorf("sent %q", line)
		}
	}), Options{})
	for _, key := range []string{"", "*", "a b", "a\tb", "a\nb", "a\r", "\x00", "\x7f", "\u0085", "\xff", "ü x", strings.Repeat("k", 64<<10+1)} {
		wantErr(t, c.Put(t.Context(), key, 1, at(1)), ErrInvalid)
		_, err := c.Get(t.Context(), key)
		wantErr(t, err, ErrInvalid)
		for _, err := range c.GetRows(t.Context(), key) {
			wantErr(t, err, ErrInvalid)
		}
	}
	for _, sec := range []int64{9e15 + 1, -9e15 - 1} {
		wantErr(t, c.Put(t.Context(), "k", 1, at(sec)), ErrInvalid)
	}
}

// TestResend loses the connection in each way before a reply is whole.
func TestResend(t *testing.T) {
	for name, fail := range map[string]func(p *peer){
		"close":                func(p *peer) { p.line() },
		"reset":                func(p *peer) { p.line(); p.reset() },
		"reset before reading": func(p *peer) { p.in.Peek(1); p.reset() }, //nolint:errcheck
		"cut status":           func(p *peer) { p.line(); p.say("o") },
		"cut empty line":       func(p *peer) { p.line(); p.say("ok\n") },
		"cut error":            func(p *peer) { p.line(); p.say("error\nwrong command\n") },
		"too many connections": func(p *peer) { p.say("error\ntoo many connections\n\n") },
		"silent":               func(p *peer) { p.line(); p.untilClosed() },
	} {
		t.Run(name, func(t *testing.T) {
			addr := listen(t, func(n int, p *peer) {
				if n < 2 {
					fail(p)
					return
				}
				p.want("put k 1.0 7")
				p.say("ok\n\n")
				p.untilClosed()
			})
			c := dial(t, addr, Options{Timeout: 50 * time.Millisecond})
			if err := c.Put(t.Context(), "k", 1, at(7)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNoResend(t *testing.T) {
	addr := listen(t, func(n int, p *peer) {
		p.want("put k 1.0 7")
		if n > 0 {
			p.say("ok\n\n")
			p.untilClosed()
		}
	})
	c := dial(t, addr, Options{NoResend: true})
	wantErr(t, c.Put(t.Context(), "k", 1, at(7)), ErrNotAcknowledged)
	if err := c.Put(t.Context(), "k", 1, at(7)); err != nil {
		t.Error(err)
	}
}

func TestTooManyConnectionsInTheEnd(t *testing.T) {
	addr := listen(t, func(_ int, p *peer) { p.say("error\ntoo many connections\n\n"); p.untilClosed() })
	c := dial(t, addr, Options{RetryFor: 20 * time.Millisecond})
	err := c.Put(t.Context(), "k", 1, at(7))
	wantErr(t, err, ErrTooManyConnections)
	var said *ServerError
	if !errors.As(err, &said) {
		t.Errorf("got %v, want a *ServerError", err)
	}
}

func TestGetAgainIsWhole(t *testing.T) {
	addr := listen(t, func(n int, p *peer) {
		p.want("get k")
		p.say("ok\nk 1.0 1\nk 2.0 2\n")
		if n > 0 {
			p.say("\n")
			p.untilClosed()
		}
	})
	c := dial(t, addr, Options{NoResend: true})
	got, err := c.Get(t.Context(), "k")
	if want := []Sample{{at(1), 1}, {at(2), 2}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestProtocolViolations(t *testing.T) {
	for _, reply := range []string{
		"HTTP/1.1 400 Bad Request\r\n\r\n", "\n", "ok\nk 1.0 1\n\n", "ok\r\n\r\n", "error\none\ntwo\n\n", strings.Repeat("x", 4096),
	} {
		t.Run(fmt.Sprintf("%.12q", reply), func(t *testing.T) {
			addr := listen(t, func(n int, p *peer) {
				if n > 0 {
					t.Error("tried again")
				}
				p.line()
				p.say(reply)
				p.untilClosed()
			})
			c := dial(t, addr, Options{MaxReplyLine: 1024})
			wantErr(t, c.Put(t.Context(), "k", 1, at(1)), ErrProtocol)
		})
	}
	t.Run("rows of another key", func(t *testing.T) {
		c := dial(t, listen(t, func(_ int, p *peer) { p.line(); p.say("ok\nother 1.0 1\n\n"); p.untilClosed() }), Options{})
		_, err := c.Get(t.Context(), "k")
		wantErr(t, err, ErrProtocol)
	})
}

// TestCancelInReply cancels in the middle of a reply: the call ends at once, and the next one
// does not see the rest.
func TestCancelInReply(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	addr := listen(t, func(n int, p *peer) {
		p.want("get k")
		p.say("ok\nk 1.0 1\nk ")
		if n == 0 {
			cancel()
			p.untilClosed()
			return
		}
		p.say("5.0 2\n\n")
		p.untilClosed()
	})
	c := dial(t, addr, Options{})
	_, err := c.Get(ctx, "k")
	wantErr(t, err, context.Canceled)
	if got, err := c.Get(t.Context(), "k"); err != nil || len(got) != 2 || got[1].Value != 5 {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = c.Get(ctx, "k")
	wantErr(t, err, context.Canceled)
}

func TestDeadline(t *testing.T) {
	c := dial(t, listen(t, func(_ int, p *peer) { p.untilClosed() }), Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	wantErr(t, c.Put(ctx, "k", 1, at(1)), context.DeadlineExceeded)
}

// TestCancelInTurn cancels a call that waits for its turn.
func TestCancelInTurn(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	c := dial(t, listen(t, func(_ int, p *peer) {
		p.want("get a")
		close(asked)
		<-answer
		p.say("ok\n\n")
		p.untilClosed()
	}), Options{})
	first := make(chan error)
	go func() { _, err := c.Get(t.Context(), "a"); first <- err }()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	wantErr(t, c.Put(ctx, "b", 1, at(1)), context.DeadlineExceeded)
	close(answer)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	asked := make(chan struct{})
	c := dial(t, listen(t, func(_ int, p *peer) { p.line(); close(asked); p.untilClosed() }), Options{})
	got := make(chan error)
	go func() { got <- c.Put(t.Context(), "a", 1, at(1)) }()
	<-asked
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	wantErr(t, <-got, ErrClosed)
	wantErr(t, c.Put(t.Context(), "a", 1, at(1)), ErrClosed)
	for _, err := range c.GetAll(t.Context()) {
		wantErr(t, err, ErrClosed)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestCloseInBackoff closes while a call pauses for an hour.
func TestCloseInBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := Options{MinBackoff: time.Hour, MaxBackoff: time.Hour, RetryFor: 24 * time.Hour}
		begin := time.Now()
		c := dial(t, "pipe", pipe(opts, nil))
		got := make(chan error)
		go func() { got <- c.Put(t.Context(), "a", 1, at(1)) }()
		synctest.Wait()
		c.Close()
		wantErr(t, <-got, ErrClosed)
		if d := time.Since(begin); d > 0 {
			t.Errorf("took %v", d)
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	addr := listen(t, func(n int, p *peer) {
		for line := p.line(); line != ""; line = p.line() {
			if key, ok := strings.CutPrefix(line, "get "); ok {
				p.say("ok\n" + key + " 1.0 1\n\n")
			} else {
				p.say("ok\n\n")
			}
		}
	})
	c := dial(t, addr, Options{})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			key := fmt.Sprintf("k%d", g)
			for range 100 {
				if err := c.Put(t.Context(), key, 1, at(1)); err != nil {
					t.Error(err)
				}
				if got, err := c.Get(t.Context(), key); err != nil || len(got) != 1 {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	all.Wait()
}
