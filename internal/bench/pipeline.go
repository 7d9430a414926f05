package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"metricd/internal/lineproto"
)

// maxUnread is how many pipelined writes of a connection may wait for their replies. What
// the sockets hold usually bounds it earlier.
const maxUnread = 64

// putPipelined is the workload that puts all samples and never waits for a reply before
// it sends on.
func (r *run) putPipelined(ctx context.Context) error {
	cursors := split(r.load, r.cfg.Connections)
	conns, err := dial(ctx, r.cfg, len(cursors))
	if err != nil {
		return err
	}
	defer closeAll(conns)
	err = r.measure(ctx, func() error { return pipeline(ctx, r.cfg, conns, cursors, r.tally) })
	if err != nil || r.tally.errors > 0 {
		return err
	}
	return r.readBack(ctx)
}

// pipeline puts what each cursor gives over the connection of the same index and adds
// what was answered to t. When one connection fails, all do.
func pipeline(ctx context.Context, cfg Config, conns []net.Conn, cursors []*cursor, t *tally) error {
	jobs := make([]func(context.Context) error, 0, 2*len(conns))
	readers := make([]*ackReader, len(conns))
	start := time.Now()
	for k, c := range conns {
		marks := make(chan mark, maxUnread)
		reader := &ackReader{marks: marks, start: start, tally: newTally(), timeout: cfg.Timeout}
		readers[k] = reader
		want := cursors[k].left
		jobs = append(jobs,
			func(ctx context.Context) error { return send(ctx, c, cursors[k], cfg.Batch, start, marks) },
			func(context.Context) error { return reader.read(c, want) })
	}
	err := together(ctx, conns, jobs)
	for _, reader := range readers {
		t.add(reader.tally)
	}
	return err
}

// mark is put beside each write, for the latency of the last put in it.
type mark struct {
	end int64         // how many puts were sent with it and before
	at  time.Duration // just before the write, since the start
}

// send writes the puts of cur in batches. It returns nil if ctx ends first.
func send(ctx context.Context, w io.Writer, cur *cursor, batch int, start time.Time, marks chan<- mark) error {
	buf := make([]byte, 0, max(batch, cur.l.maxLine))
	var sent int64
	for cur.left > 0 {
		text, n := cur.fill(buf, len(buf)+cap(buf))
		sent += int64(n)
		select {
		case marks <- mark{sent, time.Since(start)}:
		case <-ctx.Done():
			return nil
		}
		if _, err := w.Write(text); err != nil {
			return fmt.Errorf("put %d and before: %w", sent, err)
		}
	}
	return nil
}

// acks is replies to puts, as many as fit a read, and some bytes more so that a read may
// begin anywhere in a reply.
var acks = bytes.Repeat([]byte(lineproto.OK), 1+readSize/len(lineproto.OK))

const readSize = 64 << 10

// ackReader reads the replies to the puts of one connection. While all are ok it only
// compares bytes; from the first other one on it parses.
type ackReader struct {
	marks   <-chan mark
	start   time.Time
	timeout time.Duration
	tally   *tally

	replies int64
	part    int  // bytes of an unfinished ok
	current mark // the oldest one whose replies are not complete; end 0: not yet taken from marks

	parsing bool
	parser  lineproto.ReplyParser
	pending []byte // not yet parsed
}

// read reads want replies.
func (a *ackReader) read(c net.Conn, want int64) error {
	buf := make([]byte, readSize)
	for a.replies < want {
		if err := c.SetReadDeadline(time.Now().Add(a.timeout)); err != nil {
			return err
		}
		n, err := c.Read(buf)
		if takeErr := a.take(buf[:n]); takeErr != nil {
			return takeErr
		}
		a.settle()
		if err != nil && a.replies < want {
			return fmt.Errorf("after %d of %d replies: %w", a.replies, want, notEOF(err))
		}
	}
	if a.replies > want || a.part > 0 || len(a.pending) > 0 {
		return fmt.Errorf("the server sent more than one reply a put")
	}
	return nil
}

// take counts the replies in chunk.
func (a *ackReader) take(chunk []byte) error {
	if !a.parsing && bytes.Equal(chunk, acks[a.part:a.part+len(chunk)]) {
		a.part += len(chunk)
		whole := a.part / len(lineproto.OK)
		a.part %= len(lineproto.OK)
		a.replies += int64(whole)
		a.tally.acked += int64(whole)
		return nil
	}
	if !a.parsing {
		a.parsing = true
		a.pending = append(a.pending, acks[:a.part]...)
		a.part = 0
	}
	a.pending = append(a.pending, chunk...)
	return a.parse()
}

// parse counts the whole replies in a.pending and drops them from it.
func (a *ackReader) parse() error {
	rest := a.pending
	for {
		var part lineproto.Part
		n, err := a.parser.Next(rest, &part)
		if err != nil {
			return err
		}
		rest = rest[n:]
		switch part.Kind {
		case lineproto.ReplyEnd:
			a.replies++
			a.tally.acked++
		case lineproto.ReplyError:
			a.replies++
			a.tally.refuse(string(part.Reason))
		case lineproto.ReplyRow:
			return fmt.Errorf("a put was answered with a row of %q", part.Key)
		case lineproto.ReplyIncomplete:
			a.pending = append(a.pending[:0], rest...)
			return nil
		}
	}
}

// settle records the latency of every mark whose replies are complete.
func (a *ackReader) settle() {
	now := time.Since(a.start)
	for {
		if a.current.end == 0 {
			select {
			case a.current = <-a.marks:
			default:
				return
			}
		}
		if a.current.end > a.replies {
			return
		}
		a.tally.took(now - a.current.at)
		a.current.end = 0
	}
}

// notEOF returns err, or what an end of input means in the middle of replies.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the server closed the connection")
	}
	return err
}
