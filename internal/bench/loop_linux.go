package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// converse drives each dialog over the connection of the same index, which it takes over
// and closes, and adds what was answered to t. One thread drives all: with a goroutine a
// connection the generator would cost more than the server that it measures.
func converse(ctx context.Context, conns []net.Conn, dialogs []*dialog, timeout time.Duration, t *tally) error {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll_create1: %w", err)
	}
	l := &loop{epoll: epoll, dialogs: dialogs, timeout: timeout, tally: t, buf: make([]byte, 4*readSize)}
	defer l.close()
	for k, c := range conns {
		if err := l.takeOver(k, c); err != nil {
			return err
		}
	}
	l.start = time.Now()
	for k := range dialogs {
		if err := l.begin(k, time.Since(l.start)); err != nil {
			return err
		}
	}
	return l.run(ctx)
}

// loop waits for replies on many sockets at once. It owns epoll and fds.
type loop struct {
	epoll   int
	fds     []int // by dialog, non-blocking
	dialogs []*dialog
	open    int // dialogs that wait for a reply
	timeout time.Duration
	start   time.Time
	tally   *tally
	buf     []byte
}

// takeOver closes c and goes on with a duplicate of its socket, so that the
// runtime's own poller is not woken for it too.
func (l *loop) takeOver(k int, c net.Conn) error {
	defer c.Close()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	fd := -1
	controlErr := raw.Control(func(original uintptr) {
		fd, err = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(controlErr, err); err != nil {
		return fmt.Errorf("duplicate a socket: %w", err)
	}
	l.fds = append(l.fds, fd)
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(k)}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// run serves replies until all dialogs are over.
func (l *loop) run(ctx context.Context) error {
	const tick = 100 // ms between two looks at ctx
	// For so long it asks again and again before it sleeps: a generator that sleeps has to be
	// woken by the server, whose CPU time that is.
	const spin = time.Millisecond
	events := make([]unix.EpollEvent, 512)
	last := time.Now() // when something came
	for l.open > 0 {
		wait := tick
		if time.Since(last) < spin {
			wait = 0
		}
		n, err := unix.EpollWait(l.epoll, events, wait)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if n <= 0 {
			if time.Since(last) > l.timeout {
				return fmt.Errorf("no reply for %v; %d requests wait for one", l.timeout, l.open)
			}
			continue
		}
		for _, e := range events[:n] {
			if err := l.serve(int(e.Fd)); err != nil {
				return err
			}
		}
		last = time.Now()
	}
	return nil
}

// serve reads what came for dialog k, once.
func (l *loop) serve(k int) error {
	n, err := unix.Read(l.fds[k], l.buf)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil
	case err != nil:
		return fmt.Errorf("read a reply: %w", err)
	case n == 0:
		return errors.New("the server closed the connection")
	}
	d := l.dialogs[k]
	done, err := d.take(l.buf[:n])
	if err != nil || !done {
		return err
	}
	now := time.Since(l.start)
	d.finish(l.tally, now)
	l.open--
	return l.begin(k, now)
}

// begin sends the next request of dialog k, if there is one; else its socket is no longer
// looked at.
func (l *loop) begin(k int, now time.Duration) error {
	d := l.dialogs[k]
	if !d.advance() {
		return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, l.fds[k], nil)
	}
	l.open++
	d.sent = now
	for rest := d.request; len(rest) > 0; {
		n, err := unix.Write(l.fds[k], rest)
		switch err {
		case nil:
			rest = rest[n:]
		case unix.EAGAIN: // rare: the request before was answered, so its bytes are gone
			wait := []unix.PollFd{{Fd: int32(l.fds[k]), Events: unix.POLLOUT}}
			if n, err := unix.Poll(wait, int(l.timeout.Milliseconds())); n == 0 && err == nil {
				return fmt.Errorf("the server has read nothing for %v", l.timeout)
			}
		case unix.EINTR:
		default:
			return fmt.Errorf("send a request: %w", err)
		}
	}
	return nil
}

func (l *loop) close() {
	for _, fd := range l.fds {
		unix.Close(fd)
	}
	unix.Close(l.epoll)
}
