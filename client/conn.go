package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"metricd/internal/lineproto"
)

// dialer makes connections to one server.
type dialer struct {
	addr string
	opts Options // with defaults
}

// connect makes one attempt.
func (d *dialer) connect(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.DialTimeout)
	defer cancel()
	nc, err := d.opts.DialContext(ctx, "tcp", d.addr)
	if err != nil {
		return nil, err
	}
	return &conn{nc: nc, opts: &d.opts}, nil
}

// conn is a connection and the bytes of replies that were read from it. Reading and
// writing may go on at the same time, each in one goroutine; close may be called by any.
type conn struct {
	nc     net.Conn
	opts   *Options
	parser lineproto.ReplyParser
	buf    []byte // unread bytes are buf[r:w]
	r, w   int
	filled bool // the last read filled buf: there is more where that came from
}

// The buffer of a connection begins with minRead bytes and grows with what comes, up to
// maxRead; beyond that only for a line that needs it.
const (
	minRead = 4 << 10
	maxRead = 64 << 10
)

// close ends the connection and whatever waits on it.
func (c *conn) close() { c.nc.Close() } //nolint:errcheck // nothing was promised about what is on its way

// write sends request.
func (c *conn) write(request []byte) error {
	if err := c.nc.SetWriteDeadline(time.Now().Add(c.opts.Timeout)); err != nil {
		return err
	}
	_, err := c.nc.Write(request)
	return err
}

// unread returns the bytes that were read from the network and not yet taken.
func (c *conn) unread() []byte { return c.buf[c.r:c.w] }

// take drops the first n unread bytes. They stay in place until the next fill.
func (c *conn) take(n int) { c.r += n }

// fill reads more bytes behind the unread ones, which hold no whole part, until the deadline. An error means that there are no
// new ones; the end of input is io.ErrUnexpectedEOF.
func (c *conn) fill(deadline time.Time) error {
	if c.r > 0 {
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	if c.w > c.opts.MaxReplyLine {
		return fmt.Errorf("%w: a line of more than %d bytes: %.80q", ErrProtocol, c.opts.MaxReplyLine, c.buf[:c.w])
	}
	if c.w == len(c.buf) || c.filled && len(c.buf) < maxRead {
		c.buf = append(c.buf, make([]byte, max(len(c.buf), minRead))...)
	}
	if err := c.nc.SetReadDeadline(deadline); err != nil {
		return err
	}
	n, err := c.nc.Read(c.buf[c.w:])
	c.w += n
	c.filled = c.w == len(c.buf)
	switch {
	case n > 0:
		return nil
	case err == io.EOF:
		return fmt.Errorf("connection closed by the server: %w", io.ErrUnexpectedEOF)
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// next reads the next part of a reply. Its slices hold until the next call. A refusal is
// returned as *ServerError; after any other error the connection is of no use.
func (c *conn) next(part *lineproto.Part) error {
	for {
		n, err := c.parser.Next(c.unread(), part)
		if err != nil {
			return err
		}
		c.take(n)
		switch part.Kind {
		case lineproto.ReplyError:
			return &ServerError{Text: string(part.Reason)}
		case lineproto.ReplyIncomplete:
			if err := c.fill(time.Now().Add(c.opts.Timeout)); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// rows reads a reply whole and calls row for each of its rows.
func (c *conn) rows(row func(*lineproto.Part) error) error {
	var part lineproto.Part
	for {
		if err := c.next(&part); err != nil {
			return err
		}
		switch part.Kind {
		case lineproto.ReplyEnd:
			return nil
		case lineproto.ReplyRow:
			if err := row(&part); err != nil {
				return err
			}
		}
	}
}
