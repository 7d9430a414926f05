package client

import (
	"bufio"
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipe lets opts connect to script by a net.Pipe, which works in the time of a synctest
// bubble: the n-th connection, from 0, is served by script, in a goroutine of its own, and
// closed when it returns. With no script, the first connection is closed at once and all
// others are refused.
func pipe(opts Options, script func(n int, p *peer)) Options {
	n := -1
	opts.DialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		n++
		switch {
		case script == nil && n > 0:
			return nil, errRefused
		case script == nil:
			far.Close()
		default:
			go func(n int) {
				defer far.Close()
				script(n, &peer{nil, far, bufio.NewReader(far)})
			}(n)
		}
		return near, nil
	}
	return opts
}

var errRefused = errors.New("refused in a test")

// TestBackoff holds the pauses: doubling, within [half, whole], capped, over in time.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := Options{MinBackoff: 100 * time.Millisecond, MaxBackoff: time.Second, RetryFor: 20 * time.Second}.withDefaults()
		for range 50 {
			r := retry{opts: &opts}
			begin := time.Now()
			for i := 0; ; i++ {
				before := time.Now()
				err := r.wait(t.Context(), errRefused)
				whole := min(time.Second, 100*time.Millisecond<<min(i, 10))
				if err != nil {
					wantErr(t, err, errRefused)
					break
				}
				if d := time.Since(before); d < whole/2 || d > whole {
					t.Fatalf("pause %d is %v, want %v to %v", i, d, whole/2, whole)
				}
			}
			if d := time.Since(begin); d < 19*time.Second || d > 20*time.Second {
				t.Fatalf("gave up after %v, want about 20s", d)
			}
			r.progress()
			if r.wait(t.Context(), errRefused) != nil {
				t.Fatal("gave up at the first failure after progress")
			}
		}
	})
}

func TestBackoffEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, "pipe", pipe(Options{MinBackoff: time.Minute, RetryFor: time.Hour, MaxBackoff: time.Hour}, nil))
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := c.Put(ctx, "k", 1, at(1))
		wantErr(t, err, context.DeadlineExceeded)
		if d := time.Since(begin); d != 10*time.Second {
			t.Errorf("took %v", d)
		}
		c.Close()
	})
}

func TestNeverRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, "pipe", pipe(Options{RetryFor: -1}, nil))
		begin := time.Now()
		if err := c.Put(t.Context(), "k", 1, at(1)); err == nil || errors.Is(err, errRefused) {
			t.Errorf("got error %v, want that of the closed pipe", err)
		}
		wantErr(t, c.Put(t.Context(), "k", 1, at(1)), errRefused)
		if d := time.Since(begin); d != 0 {
			t.Errorf("took %v", d)
		}
		c.Close()
	})
}

func TestDialIsOneAttempt(t *testing.T) {
	refuse := Options{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errRefused }}
	_, err := Dial(t.Context(), "nowhere", refuse)
	wantErr(t, err, errRefused)
	_, err = DialWriter(t.Context(), "nowhere", WriterOptions{Options: refuse})
	wantErr(t, err, errRefused)
}
