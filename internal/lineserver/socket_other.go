//go:build !linux

package lineserver

import "syscall"

// See socket_linux.go for what these do where they can.

func tellRest(syscall.RawConn) {}

type receiver struct{}

func (*receiver) receive(fd int, p []byte) (n int, dry bool, err error) {
	n, err = syscall.Read(fd, p)
	return n, false, err
}

func queuesOf(syscall.RawConn) queues { return queues{} }
