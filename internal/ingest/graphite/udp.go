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
		broken = s.datagramsFrom(fd, &in)
		return broken != nil
	}
	err = raw.Read(readable)
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		err = raw.Control(func(fd uintptr) { readable(fd) })
	}
	in.wait(base)
	switch {
	case in.end != nil: // the store has failed, which whoever owns it tells
		return nil
	case broken != nil:
		return fmt.Errorf("read from %s: %w", udp.LocalAddr(), broken)
	}
	return err
}

// datagramsFrom takes the datagrams that are there. An error means that no more can be taken.
func (s *Server) datagramsFrom(fd uintptr, in *intake) error {
	w := s.work.Get().(*work)
	defer s.work.Put(w)
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
			if in.end != nil {
				return in.end
			}
			if in.late() {
				return nil
			}
		}
		switch err {
		case nil, syscall.EINTR, syscall.ECONNREFUSED:
		case syscall.EAGAIN:
			return nil
		default:
			return err
		}
	}
}
