package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"metricd/internal/lineproto"
)

// replies reads the replies to gets, one at a time, however long. It is for one goroutine.
type replies struct {
	conn    net.Conn
	r       *bufio.Reader
	timeout time.Duration
}

func newReplies(c net.Conn, timeout time.Duration) *replies {
	p := &replies{conn: c, timeout: timeout}
	p.r = bufio.NewReaderSize(p, 4*readSize)
	return p
}

// dialReplies opens a connection for gets. It ends with ctx; hangUp must be called.
func dialReplies(ctx context.Context, cfg Config) (p *replies, hangUp func(), err error) {
	conns, err := dial(ctx, cfg, 1)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { closeAll(conns) })
	return newReplies(conns[0], cfg.Timeout), func() { stop(); closeAll(conns) }, nil
}

// Read reads from the connection, no longer than the timeout.
func (p *replies) Read(b []byte) (int, error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	n, err := p.conn.Read(b)
	return n, notEOF(err)
}

// ask sends get key and reads the status line of its reply; the server's error is an error.
func (p *replies) ask(key []byte) error {
	if err := p.conn.SetWriteDeadline(time.Now().Add(p.timeout)); err != nil {
		return err
	}
	if _, err := p.conn.Write(fmt.Appendf(nil, "get %s\n", key)); err != nil {
		return err
	}
	line, err := p.line()
	if err != nil {
		return err
	}
	switch string(line) {
	case lineproto.GetHead:
		return nil
	case "error\n":
		if line, err = p.line(); err != nil {
			return err
		}
	}
	return fmt.Errorf("get %s: the server answered %q", key, bytes.TrimSpace(line))
}

// holds says whether the server has a sample of key.
func (p *replies) holds(key []byte) (bool, error) {
	if err := p.ask(key); err != nil {
		return false, err
	}
	for rows := 0; ; rows++ {
		line, err := p.line()
		if err != nil || string(line) == lineproto.GetTail {
			return rows > 0, err
		}
	}
}

// line reads a line with its end, which stays unchanged until the next read.
func (p *replies) line() ([]byte, error) {
	line, err := p.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("a row of more than %d bytes", p.r.Size())
	}
	return line, err
}

// match reads as many bytes as want has and returns an error that names the row in which
// they first differ.
func (p *replies) match(want []byte) error {
	for rest := want; len(rest) > 0; {
		if _, err := p.r.Peek(1); err != nil {
			return err
		}
		chunk, _ := p.r.Peek(min(p.r.Buffered(), len(rest)))
		if bytes.Equal(chunk, rest[:len(chunk)]) {
			rest = rest[len(chunk):]
			_, _ = p.r.Discard(len(chunk)) // of what Peek gave
			continue
		}
		at := len(want) - len(rest)
		for want[at] == chunk[0] {
			at, chunk = at+1, chunk[1:]
			_, _ = p.r.Discard(1)
		}
		row := bytes.LastIndexByte(want[:at], '\n') + 1
		tail, err := p.line()
		if err != nil {
			return err
		}
		got := string(want[row:at]) + string(tail)
		end := row + bytes.IndexByte(want[row:], '\n') + 1
		return fmt.Errorf("read back %q, want %q", got, want[row:end])
	}
	return nil
}

// appendReply appends the whole reply to a get of series s.
func (l *load) appendReply(dst []byte, s int) []byte {
	dst = append(dst, lineproto.GetHead...)
	dst = l.appendRows(dst, s, 0, l.samples)
	return append(dst, lineproto.GetTail...)
}

// appendRows appends the samples from (inclusive) to to (exclusive) of series s as rows of
// a reply.
func (l *load) appendRows(dst []byte, s, from, to int) []byte {
	var end []byte
	var time lineproto.TimePrinter
	for i := from; i < to; i++ {
		end = l.appendTail(end[:0], &time, i)
		dst = l.appendRow(dst, s, i, end)
	}
	return dst
}

// rowsAtOnce is how many rows are rendered before they are compared.
const rowsAtOnce = 1000

// readBack gets some series over a new connection, whole, and returns an error if a
// sample is not as it was put.
func (r *run) readBack(ctx context.Context) error {
	l := r.load
	if r.cfg.ReadBack < 0 {
		return nil
	}
	p, hangUp, err := dialReplies(ctx, r.cfg)
	if err != nil {
		return err
	}
	defer hangUp()
	pick := newCursor(&load{series: l.series, samples: 1, seed: l.seed, order: shuffled}, 0, l.series)
	for range min(r.cfg.ReadBack, l.series) {
		s, _ := pick.next()
		if err := p.ask(l.appendKey(nil, s)); err != nil {
			return err
		}
		if err := r.match(p, s); err != nil {
			return err
		}
	}
	return nil
}

// match compares the reply to a get of series s, behind its status line, with what was put.
func (r *run) match(p *replies, s int) error {
	l := r.load
	for from := 0; from < l.samples; from += rowsAtOnce {
		r.want = l.appendRows(r.want[:0], s, from, min(from+rowsAtOnce, l.samples))
		if err := p.match(r.want); err != nil {
			return fmt.Errorf("samples of %s from number %d on: %w", l.appendKey(nil, s), from, err)
		}
	}
	if err := p.match([]byte(lineproto.GetTail)); err != nil {
		return fmt.Errorf("after the last sample of %s: %w", l.appendKey(nil, s), err)
	}
	r.result.ReadBack += int64(l.samples)
	return nil
}

// freshPrefix returns cfg.Prefix, with a number behind it if the server holds the load's
// first key under that already.
func freshPrefix(ctx context.Context, cfg Config, w Workload) (string, error) {
	if w.Name == "redis" {
		return cfg.Prefix, nil
	}
	p, hangUp, err := dialReplies(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer hangUp()
	prefix := cfg.Prefix
	for n := 2; ; n++ {
		taken, err := p.holds(newNames(prefix, cfg.Series).appendKey(nil, 0))
		if err != nil {
			return "", err
		}
		if !taken {
			return prefix, nil
		}
		prefix = cfg.Prefix + "r" + strconv.Itoa(n) + "."
	}
}
