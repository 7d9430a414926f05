package graphite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// udpBuffer is how much the kernel is asked to hold of datagrams that are not read yet; it may give less.
const udpBuffer = 4 << 20

// Listen opens both sockets at addr, HOST:PORT. With port 0, both get the same free one.
func Listen(addr string) (net.Listener, *net.UDPConn, error) {
	const tries = 10 // a port that is free for TCP may be taken for UDP
	for i := 1; ; i++ {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, nil, err
		}
		at := ln.Addr().(*net.TCPAddr)
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
		if err == nil {
			_ = udp.SetReadBuffer(udpBuffer) // what is there will do
			return ln, udp, nil
		}
		err = errors.Join(err, ln.Close())
		if _, port, _ := net.SplitHostPort(addr); port != "0" || i == tries {
			return nil, nil, err
		}
	}
}

// accept starts a conn for each connection until ctx is done or ln fails for good. base ends when they must.
func (s *Server) accept(ctx, base context.Context, ln net.Listener, running *sync.WaitGroup) error {
	const longestPause = time.Second
	pause := time.Millisecond
	for {
		nc, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				nc.Close()
			}
			return nil
		case permanent(err):
			return fmt.Errorf("accept on %s: %w", ln.Addr(), err)
		case err != nil:
			s.log.Warn("cannot accept Graphite connections for now; if it is for open files, raise their limit (ulimit -n)", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, longestPause)
			continue
		}
		pause = time.Millisecond
		if s.conns.Load() >= int64(s.cfg.MaxConns) {
			s.rejected.Add(1)
			s.crowd.tell(s.log, "a Graphite connection over the limit was closed", "client", nc.RemoteAddr().String(), "limit", s.cfg.MaxConns)
			nc.Close()
			continue
		}
		c, err := newConn(ctx, base, s, nc)
		if err != nil {
			nc.Close()
			return err
		}
		s.accepted.Add(1)
		s.conns.Add(1)
		running.Go(c.run)
	}
}

// permanent says whether no Accept will ever work again: there is no listener any more. All else may pass (accept(2)).
func permanent(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSOCK)
}
