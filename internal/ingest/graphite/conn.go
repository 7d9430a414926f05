package graphite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"
)

// conn is one TCP connection. Its goroutine (run) owns all fields. Server.stop sets a deadline from outside, to
// which it answers by finishing.
type conn struct {
	srv  *Server
	ctx  context.Context // done when the server stops
	base context.Context // done when the connection must end
	conn net.Conn
	raw  syscall.RawConn
	in   intake

	partial  []byte // the unfinished line between two reads
	draining bool   // the server stops: end when there is no more to read
}

func newConn(ctx, base context.Context, srv *Server, nc net.Conn) (*conn, error) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("listener gives %T, want sockets", nc)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &conn{srv: srv, ctx: ctx, base: base, conn: nc, raw: raw, in: newIntake(ctx, srv, nc.RemoteAddr().String())}
	srv.mu.Lock()
	srv.mu.conns[c] = struct{}{}
	srv.mu.Unlock()
	if srv.stopping.Load() {
		nc.SetReadDeadline(time.Unix(1, 0))
	}
	return c, nil
}

// run serves the connection to its end.
func (c *conn) run() {
	defer c.leave()
	defer c.in.survive()
	err := c.raw.Read(c.readable)
	for errors.Is(err, os.ErrDeadlineExceeded) && c.srv.stopping.Load() && !c.draining {
		c.draining = true
		c.conn.SetReadDeadline(time.Time{})
		err = c.raw.Read(c.readable)
	}
	if err != nil { // else read has done that
		c.in.cut(c.partial)
	}
	c.in.wait(c.base)
}

// leave closes the connection and takes it off the list.
func (c *conn) leave() {
	c.conn.Close()
	c.srv.mu.Lock()
	delete(c.srv.mu.conns, c)
	c.srv.mu.Unlock()
	c.in.order.Forget()
	c.srv.conns.Add(-1)
}

// readable is called by raw.Read whenever there may be something to read. It returns true when the connection is to end.
func (c *conn) readable(fd uintptr) (end bool) {
	c.srv.gate.wait(c.ctx) // before there is a buffer
	w := c.srv.work.Get().(*work)
	end = c.read(fd, w)
	c.srv.work.Put(w) // not after a panic: nobody knows what is in it
	if end {
		return true
	}
	if t := c.srv.cfg.IdleTimeout; t > 0 && !c.srv.stopping.Load() {
		c.conn.SetReadDeadline(time.Now().Add(t))
		if c.srv.stopping.Load() { // the deadline of the stop may just have been overwritten
			c.conn.SetReadDeadline(time.Unix(1, 0))
		}
	}
	return false
}

// read takes lines until there are none for now, or (end) for good.
func (c *conn) read(fd uintptr, w *work) (end bool) {
	n := copy(w.in, c.partial)
	c.partial = c.partial[:0]
	for {
		m, err := syscall.Read(int(fd), w.in[n:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN && !c.draining:
			c.keep(w.in[:n])
			return false
		case err != nil || m <= 0:
			c.in.cut(w.in[:n])
			return true
		}
		full := m == len(w.in)-n
		c.srv.bytes.Add(int64(m))
		n += m
		used := c.in.lines(w, w.in[:n])
		n = copy(w.in, w.in[used:n])
		switch {
		case c.in.end != nil:
			return true
		case c.in.late():
			c.in.cut(w.in[:n])
			return true
		case full: // there may be no end to what this sender has: let others in
			runtime.Gosched()
		}
	}
}

// keep keeps the unfinished line until there is more to read.
func (c *conn) keep(line []byte) {
	const most = 512 // bytes of memory kept for an idle connection
	if cap(c.partial) > most {
		c.partial = nil
	}
	c.partial = append(c.partial[:0], line...)
}
