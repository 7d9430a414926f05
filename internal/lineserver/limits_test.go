package lineserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

func TestHTTPIsRefused(t *testing.T) {
	for _, first := range []string{
		"GET / HTTP/1.1\r\n",
		"POST /x HTTP/1.1\r\nHost: localhost\r\n",
		"\r\n\nGET / HTTP/1.0\n",
		"GET /" + strings.Repeat("a", 70_000) + " HTTP/1.1\r\n", // too long to be taken whole
		"\x16\x03\x01\x02\x00 a TLS handshake\n",
	} {
		r := start(t, Config{})
		c := r.dial()
		send(t, c, first+"\r\nput a 1 1\n")
		expectEnd(t, c, wrong)
		if got := r.talk("get *\n"); got != "ok\n\n" {
			t.Errorf("%.30q stored %q", first, got)
		}
	}
	// Not the first line: an error like any other.
	if got := start(t, Config{}).talk("get a\nGET / HTTP/1.1\nget a\n"); got != "ok\n\n"+wrong+"ok\n\n" {
		t.Errorf("got %q", got)
	}
}

func TestTooManyConnections(t *testing.T) {
	r := start(t, Config{MaxConns: 2})
	a, b := r.dial(), r.dial()
	for _, c := range []net.Conn{a, b} {
		send(t, c, "get x\n")
		expect(t, c, "ok\n\n")
	}
	c := r.dial()
	send(t, c, "put x 1 1\n")
	expectEnd(t, c, "error\ntoo many connections\n\n")
	if st := r.srv.Stats(); st.Rejected != 1 || st.Conns != 2 || st.Accepted != 2 {
		t.Errorf("stats %+v", st)
	}
	a.Close()
	for { // the server sees the close a little later
		c := r.dial()
		send(t, c, "get x\n")
		got := make([]byte, 4)
		io.ReadFull(c, got)
		if string(got) == "ok\n\n" {
			return
		}
	}
}

// TestPutsWithoutReading: a client that sends puts and reads no reply is never stopped, and its
// replies take no memory to speak of.
func TestPutsWithoutReading(t *testing.T) {
	const puts = 3_000_000
	r := start(t, Config{})
	c := r.dial()
	block := bytes.Repeat([]byte("put a 1 1\n"), 10_000)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range puts / 10_000 {
		if _, err := c.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	send(t, c, "get b\n")
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("heap grew by %d bytes", grown)
	}
	c.CloseWrite()
	replies, err := io.ReadAll(c)
	if err != nil || len(replies) != 4*(puts+1) || !bytes.Equal(replies, bytes.Repeat([]byte("ok\n\n"), puts+1)) {
		t.Errorf("%d bytes of replies, err %v", len(replies), err)
	}
}

// TestStalledClient: a client whose replies pile up and who reads none is stopped, then closed;
// others are served meanwhile.
func TestStalledClient(t *testing.T) {
	r := start(t, Config{WriteTimeout: 200 * time.Millisecond})
	key := strings.Repeat("k", 200) // long replies pile up with fewer gets
	if got := r.talk("put " + key + " 1 1\nput a 1 1\n"); got != "ok\n\nok\n\n" {
		t.Fatal(got)
	}
	c := r.dial()
	block := bytes.Repeat([]byte("get "+key+"\n"), 1000)
	for {
		if _, err := c.Write(block); err != nil {
			break // closed by the server
		}
	}
	if st := r.srv.Stats(); st.Stalled != 1 {
		t.Errorf("stats %+v, want 1 stalled", st)
	}
	if got := r.talk("get a\n"); got != "ok\na 1.0 1\n\n" {
		t.Errorf("another client got %q", got)
	}
}

// TestGetAllStreams: `get *` of much more than fits anywhere, read slowly, holds little memory, and
// writers go on.
func TestGetAllStreams(t *testing.T) {
	const series, samples = 200, 5000
	store := openStore(tsdb.Options{})
	defer store.Close()
	a := store.Appender()
	for i := range series {
		var b storage.Batch
		key := fmt.Appendf(nil, "key%03d", i)
		for ts := range samples {
			b.Rows = append(b.Rows, storage.Row{Key: key, T: int64(ts) * 1000, V: float64(i)})
		}
		if _, err := a.Append(&b); err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, Config{Store: store})
	c := r.dial()
	c.SetReadBuffer(64 << 10)
	send(t, c, "get *\n")
	expect(t, c, "ok\nkey000 0.0 0\n")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if got := r.talk("put key000 7 99999\nput key199 7 99999\nput new 7 1\nget new\n"); got != "ok\n\nok\n\nok\n\nok\nnew 7.0 1\n\n" {
		t.Fatalf("beside a slow reader: %q", got)
	}
	rest, err := io.ReadAll(io.LimitReader(c, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("heap grew by %d bytes", grown)
	}
	c.CloseWrite()
	more, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	text := string(rest) + string(more)
	if n := strings.Count(text, "\n"); n < series*samples || !strings.HasSuffix(text, "\nnew 7.0 1\n\n") && !strings.HasSuffix(text, "\nkey199 7.0 99999\n\n") {
		t.Errorf("%d rows, ending %q", n, text[len(text)-40:])
	}
}

func TestIdleTimeout(t *testing.T) {
	r := start(t, Config{IdleTimeout: 50 * time.Millisecond})
	c := r.dial()
	send(t, c, "get a\nget")
	expectEnd(t, c, "ok\n\n")
}

// TestStop: what was received is answered, and Serve returns, with clients that are idle, that
// keep sending, and that read nothing.
func TestStop(t *testing.T) {
	r := start(t, Config{})
	idle := r.dial()
	send(t, idle, "put a 1 1\n")
	expect(t, idle, "ok\n\n")
	sender := r.dial()
	var sending sync.WaitGroup
	sending.Go(func() {
		for {
			if _, err := io.WriteString(sender, "put b 1 1\nget b\n"); err != nil {
				return
			}
		}
	})
	expect(t, sender, "ok\n\nok\nb 1.0 1\n\n")
	begun := time.Now()
	r.stop()
	expectEnd(t, idle, "")
	replies, err := io.ReadAll(sender)
	const pair = "ok\n\nok\nb 1.0 1\n\n"
	if rest := strings.ReplaceAll(string(replies), pair, ""); err != nil || rest != "" && rest != "ok\n\n" {
		t.Errorf("the sender got %q beside whole replies, err %v", rest, err)
	}
	sender.Close()
	sending.Wait()
	r.wait()
	if d := time.Since(begun); d > 10*time.Second {
		t.Errorf("the stop took %v", d)
	}
}

// TestStopAnswersReceived: requests that are in the socket when the stop comes are answered.
func TestStopAnswersReceived(t *testing.T) {
	for range 20 {
		r := start(t, Config{})
		c := r.dial()
		send(t, c, "get x\n")
		expect(t, c, "ok\n\n")
		send(t, c, strings.Repeat("put a 1 1\n", 1000))
		r.stop()
		expectEnd(t, c, strings.Repeat("ok\n\n", 1000))
		c.Close()
		r.wait()
	}
}

// faultyStore answers Selects from a DB and then fails or panics.
type faultyStore struct {
	storage.Store
	rows  int // samples before the fault
	panic bool
}

type faultySet struct {
	storage.SeriesSet
	f    *faultyStore
	left int
}

type faultySeries struct {
	storage.Series
	set *faultySet
}

type faultyIterator struct {
	storage.Iterator
	set *faultySet
}

var errDisk = errors.New("disk\nbroke")

func (f *faultyStore) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	return &faultySet{f.Store.Select(ctx, q), f, f.rows}
}

func (s *faultySet) At() storage.Series { return &faultySeries{s.SeriesSet.At(), s} }

func (s *faultySeries) Iterator(storage.Iterator) storage.Iterator {
	return &faultyIterator{s.Series.Iterator(nil), s.set}
}

func (it *faultyIterator) Next() bool {
	if it.set.left--; it.set.left < 0 {
		if it.set.f.panic {
			panic("out of order")
		}
		return false
	}
	return it.Iterator.Next()
}

func (it *faultyIterator) Err() error {
	if it.set.left < 0 {
		return errDisk
	}
	return it.Iterator.Err()
}

func filled(t *testing.T, samples int) *tsdb.DB {
	db := openStore(tsdb.Options{})
	t.Cleanup(func() { db.Close() })
	var b storage.Batch
	for ts := range samples {
		b.Rows = append(b.Rows, storage.Row{Key: []byte("a"), T: int64(ts) * 1000, V: 1})
	}
	if _, err := db.Appender().Append(&b); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestStoreFails: before a part of the reply has left, the reason is the reply; after
// that the connection closes without the last line, and all replies before are there.
func TestStoreFails(t *testing.T) {
	r := start(t, Config{Store: &faultyStore{Store: filled(t, 10), rows: 3}})
	if got, want := r.talk("put b 1 1\nget a\nget b\n"), "ok\n\nerror\ndisk broke\n\nok\nb 1.0 1\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r = start(t, Config{Store: &faultyStore{Store: filled(t, 50_000), rows: 20_000}})
	c := r.dial()
	send(t, c, "put b 1 1\nget a\nput b 1 1\n")
	got, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(got), "ok\n\nok\na 1.0 0\n") || bytes.HasSuffix(got, []byte("\n\n")) || bytes.Count(got, []byte("\na 1.0 ")) != 20_000 {
		t.Errorf("got %d rows ending %q, err %v; want 20,000 and no empty line", bytes.Count(got, []byte("\na 1.0 ")), got[len(got)-20:], err)
	}
}

// TestPanic: it ends its session, is logged with its stack, and no other session notices.
func TestPanic(t *testing.T) {
	r := start(t, Config{Store: &faultyStore{Store: filled(t, 10), rows: 3, panic: true}})
	other := r.dial()
	send(t, other, "put b 1 1\n")
	expect(t, other, "ok\n\n")
	c := r.dial()
	send(t, c, "get a\n")
	expectEnd(t, c, "")
	send(t, other, "put b 1 1\n")
	expect(t, other, "ok\n\n")
	if log := r.log.String(); !strings.Contains(log, "out of order") || !strings.Contains(log, "get.go") {
		t.Errorf("the log says %q", log)
	}
	if st := r.srv.Stats(); st.Panics != 1 {
		t.Errorf("stats %+v", st)
	}
}

// TestRefusals: a row that the store refuses is answered in its place.
func TestRefusals(t *testing.T) {
	db := openStore(tsdb.Options{MaxSeries: 1})
	r := start(t, Config{Store: db})
	const refused = "error\nseries limit reached: 1 series is the most allowed (--max-series)\n\n"
	if got, want := r.talk("put a 1 1\nput b 1 1\nput a 2 2\nput c 1 1\nget *\n"), "ok\n\n"+refused+"ok\n\n"+refused+"ok\na 1.0 1\na 2.0 2\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	db.Close()
	if got, want := r.talk("put a 1 1\nget a\nx\n"), "error\nstore is closed\n\nerror\nstore is closed\n\n"+wrong; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestResets: clients that reset in the middle of everything leave nothing behind.
func TestResets(t *testing.T) {
	r := start(t, Config{Store: filled(t, 100_000)})
	for i := range 300 {
		c := r.dial()
		send(t, c, strings.Repeat("put b 1 1\nget a\n", i%4)+"put b 1")
		c.SetLinger(0)
		c.Close()
	}
	for r.srv.Stats().Conns > 0 {
		runtime.Gosched()
	}
	if got := r.talk("put b 3 1\nget b\n"); got != "ok\n\nok\nb 3.0 1\n\n" {
		t.Errorf("got %q", got)
	}
}
