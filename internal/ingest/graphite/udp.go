package graphite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// maxDatagram is more than any datagram holds (its length field has 16 bits: RFC 768).
const maxDatagram = 64 << 10

// serveUDP takes samples from udp until ctx is done, and then what was received. It closes udp.
func (s *Server) serveUDP(ctx, base context.Context, udp *net.UDPConn) error {
	defer udp.Close()
	raw, err := udp.SyscallConn()
	if err != nil {
		return err
	}
	in := newIntake(ctx, s, "UDP")
	in.lossy = true
	defer in.order.Forget()
	var broken error
	readable := func(fd uintptr) bool {
		broken = s.takeDatagrams(fd, &in)
		return broken != nil
	}
	err = raw.Read(readable)
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		err = raw.Control(func(fd uintptr) { readable(fd) })
	}
	in.wait(base)
	if broken != nil {
		return fmt.Errorf("read from %s: %w", udp.LocalAddr(), broken)
	}
	return err
}

// takeDatagrams takes the datagrams that are there. An error means that no more can be read.
func (s *Server) takeDatagrams(fd uintptr, in *intake) error {
	for {
		w := s.work.Get().(*work)
		done, err := s.readDatagrams(fd, w, in)
		if done {
			s.work.Put(w) // not after a panic: nobody knows what is in it
			return err
		}
	}
}

// readDatagrams does that with the memory of w. It is not done if it ended with a panic.
func (s *Server) readDatagrams(fd uintptr, w *work, in *intake) (done bool, err error) {
	defer in.survive()
	for n := 0; ; {
		m, err := syscall.Read(int(fd), w.in[n:n+maxDatagram])
		if err == nil {
			s.datagrams.Add(1)
			s.bytes.Add(int64(m))
			n += m
			w.in[n] = '\n' // a blank line, if there was one already
			n++
		}
		if err == syscall.EAGAIN || len(w.in)-n <= maxDatagram {
			in.lines(w, w.in[:n])
			n = 0
			if in.late() {
				return true, nil
			}
		}
		switch err {
		case nil, syscall.EINTR, syscall.ECONNREFUSED:
		case syscall.EAGAIN:
			return true, nil
		default:
			return true, err
		}
	}
}
