package lineserver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unackedBytes returns how many written bytes the peer has not acknowledged yet (SIOCOUTQ,
// tcp(7)), 0 if that can't be told.
func unackedBytes(raw syscall.RawConn) (n int) {
	raw.Control(func(fd uintptr) {
		n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	})
	return n
}
