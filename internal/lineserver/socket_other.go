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

// unackedBytes returns 0: it can't be told here, and progress shows only in large steps.
func unackedBytes(syscall.RawConn) int { return 0 }
