package client

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// collect returns all that rows gives out.
func collect(rows func(func(Row, error) bool)) (got []Row, err error) {
	for row, e := range rows {
		if e != nil {
			err = e
			continue
		}
		got = append(got, row)
	}
	return got, err
}

func TestGetAll(t *testing.T) {
	c := dial(t, listen(t, func(n int, p *peer) {
		if n == 0 {
			p.untilClosed()
			return
		}
		p.want("get *")
		p.say("ok\na 1.0 1\na -inf 2\nü;x=y 0.5 -3\n\n")
		p.untilClosed()
	}), Options{})
	for range 2 { // the sequence can be used again
		got, err := collect(c.GetAll(t.Context()))
		want := []Row{{"a", at(1), 1}, {"a", at(2), math.Inf(-1)}, {"ü;x=y", at(-3), 0.5}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
}

// TestRowsStream holds that a row is given out before the server sends the next, that the loop may use
// the Client, and that break ends the connection.
func TestRowsStream(t *testing.T) {
	more, broken := make(chan struct{}), make(chan struct{})
	c := dial(t, listen(t, func(n int, p *peer) {
		if n == 0 {
			p.want("put seen 1.0 1")
			p.say("ok\n\n")
			p.untilClosed()
			return
		}
		p.want("get k")
		p.say("ok\nk 1.0 1\n")
		<-more
		p.say("k 2.0 2\n")
		p.untilClosed()
		close(broken)
	}), Options{})
	for row, err := range c.GetRows(t.Context(), "k") {
		if err != nil {
			t.Fatal(err)
		}
		if row.Value == 2 {
			break
		}
		if err := c.Put(t.Context(), "seen", row.Value, row.Time); err != nil {
			t.Error(err)
		}
		close(more)
	}
	<-broken
}

func TestRowsLost(t *testing.T) {
	c := dial(t, listen(t, func(n int, p *peer) {
		switch p.line() {
		case "get *":
			if n > 2 { // before that, nothing was given out
				p.say("ok\nk 1.0 1\nk 2.")
			}
		case "get refused":
			p.say("error\nstore failed\n\n")
		case "":
		}
	}), Options{})
	got, err := collect(c.GetAll(t.Context()))
	wantErr(t, err, io.ErrUnexpectedEOF)
	if want := []Row{{"k", at(1), 1}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got, err = collect(c.GetRows(t.Context(), "refused"))
	if len(got) > 0 || err == nil || !strings.Contains(err.Error(), "store failed") {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestRowsMemory reads a reply of 10 MB with a buffer that stays small.
func TestRowsMemory(t *testing.T) {
	const rows = 400_000
	c := dial(t, listen(t, func(n int, p *peer) {
		if p.line() == "" {
			return
		}
		p.say("ok\n")
		text := bytes.Repeat([]byte("some.key 1.25 1700000000\n"), 1000)
		for range rows / 1000 {
			if _, err := p.Write(text); err != nil {
				t.Error(err)
			}
		}
		p.say("\n")
	}), Options{})
	n := 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	allocs := testing.AllocsPerRun(1, func() {
		for _, err := range c.GetAll(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	})
	runtime.ReadMemStats(&after)
	if n != 2*rows || allocs > 200 {
		t.Errorf("%d rows with %v allocations, want %d with few", n, allocs, 2*rows)
	}
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 2<<20 {
		t.Errorf("allocated %d bytes, want less than 2 MiB", bytes)
	}
}

func BenchmarkGetAll(b *testing.B) {
	row := 0
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, "host_%04d.cpu.usage_user %d.25 %d\n", i/100, i%100, 1_700_000_000+i)
	}
	addr := serveOnce(b, func(p net.Conn) {
		io.WriteString(p, "ok\n") //nolint:errcheck
		for {
			if _, err := io.WriteString(p, text.String()); err != nil {
				return
			}
		}
	})
	c := &Client{dialer: dialer{addr, Options{}.withDefaults()}, ctx: b.Context()}
	b.ReportAllocs()
	begin := time.Now()
	for _, err := range c.GetAll(b.Context()) {
		if err != nil {
			b.Fatal(err)
		}
		if row++; row == b.N {
			break
		}
	}
	b.ReportMetric(float64(row)/time.Since(begin).Seconds(), "rows/s")
}
