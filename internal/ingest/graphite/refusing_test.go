package graphite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// refusing is a store that, while full is set, takes only some rows, and while failed is set fails.
type refusing struct {
	storage.Store
	full, failed atomic.Bool
	asked        atomic.Int64 // how often it refused
}

func (s *refusing) Appender() storage.Appender { return refusingAppender{s.Store.Appender(), s} }

type refusingAppender struct {
	storage.Appender
	s *refusing
}

func (a refusingAppender) Append(b *storage.Batch) (storage.Seq, error) {
	switch {
	case strings.HasPrefix(string(b.Rows[0].Key), "panic"):
		panic("BUG: a test")
	case a.s.failed.Load():
		return 0, fmt.Errorf("%w: the disk is on fire", storage.ErrFailed)
	case !a.s.full.Load():
		return a.Appender.Append(b)
	}
	// A row whose key begins with x is taken all the same: stores may refuse some rows only.
	all := b.Rows
	defer func() { b.Rows = all }()
	var refused []storage.Refusal
	var seq storage.Seq
	for i := range all {
		if all[i].Key[0] != 'x' {
			refused = append(refused, storage.Refusal{Row: i, Err: fmt.Errorf("%w: no space", storage.ErrReadOnly)})
			continue
		}
		b.Rows = all[i : i+1]
		var err error
		if seq, err = a.Appender.Append(b); err != nil {
			return 0, err
		}
	}
	b.Refused = refused
	a.s.asked.Add(1)
	return seq, nil
}

// TestHold: while the store takes nothing nothing is read, on any connection; and then everything is stored, in its order.
func TestHold(t *testing.T) {
	store := &refusing{Store: openStore(t, tsdb.Options{})}
	r := start(t, Config{Store: store})
	store.full.Store(true)
	c := r.dial()
	c.SetWriteBuffer(16 << 10)
	const lines = 400_000
	sent := make(chan error, 1)
	var written atomic.Int64
	go func() {
		var b []byte
		for i := range lines {
			b = fmt.Appendf(b, "a %d %d\nx%d 1 1\n", i, 1_700_000_000+i, i%7)
			if len(b) > 8<<10 || i == lines-1 {
				n, err := c.Write(b)
				written.Add(int64(n))
				if err != nil {
					sent <- err
					return
				}
				b = b[:0]
			}
		}
		sent <- c.CloseWrite()
	}()
	until(t, "held", func() bool { return r.srv.Stats().Held == 1 })
	bytes := r.srv.Stats().Bytes
	other := r.dial()
	io.WriteString(other, "b 1 1\n")
	asked := store.asked.Load()
	until(t, "tried again", func() bool { return store.asked.Load() >= asked+2 })
	if st := r.srv.Stats(); st.Bytes != bytes || st.Held != 1 || st.Dropped != 0 {
		t.Errorf("while the store takes nothing: %+v; %d bytes had been read", st, bytes)
	}
	select {
	case err := <-sent:
		t.Fatalf("everything was sent: %v", err)
	default:
	}

	store.full.Store(false)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	io.ReadAll(c)
	other.CloseWrite()
	io.ReadAll(other)
	st := r.srv.Stats()
	if st.Samples != 2*lines+1 || st.Dropped+st.Refused+st.Wrong+st.Held != 0 {
		t.Errorf("stats %+v", st)
	}
	all, err := store.Stats()
	if err != nil || all.Samples != lines+7+1 {
		t.Errorf("%d samples are stored (%v)", all.Samples, err)
	}
}

// TestStopWhileHeld: the stop does not wait for room, and what is lost is counted.
func TestStopWhileHeld(t *testing.T) {
	store := &refusing{Store: openStore(t, tsdb.Options{})}
	r := start(t, Config{Store: store})
	store.full.Store(true)
	c := r.dial()
	io.WriteString(c, "a 1 1\nx 1 1\nb 1 1\n")
	until(t, "held", func() bool { return r.srv.Stats().Held == 1 })
	waiting := r.dial()
	io.WriteString(waiting, "c 1 1\n")
	until(t, "accepted", func() bool { return r.srv.Stats().Accepted == 2 })
	begin := time.Now()
	r.stop()
	r.wait()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if st := r.srv.Stats(); st.Samples != 1 || st.Dropped != 3 {
		t.Errorf("stats %+v", st)
	}
	if log := r.log.String(); !strings.Contains(log, "no space") {
		t.Errorf("logged %s", log)
	}
}

func TestUDPDrops(t *testing.T) {
	store := &refusing{Store: openStore(t, tsdb.Options{})}
	r := start(t, Config{Store: store})
	store.full.Store(true)
	c, err := net.Dial("udp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "a 1 1\nx 1 1\nb 1 1\n")
	until(t, "dropped", func() bool { return r.srv.Stats().Dropped == 2 })
	store.full.Store(false)
	io.WriteString(c, "a 2 2")
	until(t, "taken", func() bool { return r.srv.Stats().Samples == 2 })
	if got := dump(t, r.store); got != "x 1000 1.0\na 2000 2.0\n" {
		t.Errorf("got %q", got)
	}
}

// TestFailedStore: connections end, and what is lost is counted. Serve goes on: whoever owns the store ends it.
func TestFailedStore(t *testing.T) {
	store := &refusing{Store: openStore(t, tsdb.Options{})}
	r := start(t, Config{Store: store})
	store.failed.Store(true)
	r.send("a 1 1\nb 1 1\n")
	c, err := net.Dial("udp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for want := range int64(2) { // one after the other: the socket is read on
		io.WriteString(c, "c 1 1\n")
		until(t, "dropped", func() bool { return r.srv.Stats().Dropped == 3+want })
	}
	if st := r.srv.Stats(); st.Dropped != 4 || st.Samples != 0 {
		t.Errorf("stats %+v", st)
	}
	if log := r.log.String(); !strings.Contains(log, "on fire") {
		t.Errorf("logged %s", log)
	}
}

// TestPanic: what a panic ends is one connection, or the taking of some datagrams.
func TestPanic(t *testing.T) {
	r := start(t, Config{Store: &refusing{Store: openStore(t, tsdb.Options{})}})
	c, err := net.Dial("udp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r.send("panic 1 1\n")
	io.WriteString(c, "panic 1 1\n")
	until(t, "two panics", func() bool { return r.srv.Stats().Panics == 2 })
	io.WriteString(c, "a 1 1\n")
	r.send("b 1 1\n")
	until(t, "two samples", func() bool { return r.srv.Stats().Samples == 2 })
	if log := r.log.String(); !strings.Contains(log, "BUG: a test") || !strings.Contains(log, "store.go") {
		t.Errorf("logged %s", log)
	}
}

// late is a store of which nothing becomes durable until synced is closed.
type late struct {
	storage.Store
	asked, synced chan struct{}
}

func (s *late) Appender() storage.Appender { return lateAppender{s.Store.Appender(), s} }

type lateAppender struct {
	storage.Appender
	s *late
}

func (a lateAppender) Wait(ctx context.Context, seq storage.Seq) error {
	if seq > 0 {
		close(a.s.asked)
		<-a.s.synced
	}
	return a.Appender.Wait(ctx, seq)
}

// TestEndMeansDurable: the server closes a connection whose sender has ended it when all is durable, not before.
func TestEndMeansDurable(t *testing.T) {
	store := &late{openStore(t, tsdb.Options{}), make(chan struct{}), make(chan struct{})}
	r := start(t, Config{Store: store})
	c := r.dial()
	io.WriteString(c, "a 1 1\n")
	c.CloseWrite()
	<-store.asked
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection ended (%v) before all was durable", err)
	}
	close(store.synced)
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
}
