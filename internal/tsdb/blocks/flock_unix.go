//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package blocks

import (
	"errors"
	"syscall"
)

// flock locks what a descriptor has open, until that is closed: for itself, or shared with others that share. A file system that has no
// such locks (some network ones) is let pass. An error is that somebody else has it.
func flock(fd uintptr, shared bool) error {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	if err := syscall.Flock(int(fd), how|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return err
	}
	return nil
}
