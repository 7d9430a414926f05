package lineserver

import (
	"encoding/binary"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tellRest asks the socket to tell with each read how much is left (TCP_INQ, Linux 4.18). Where
// that can't be had, receive does without.
func tellRest(raw syscall.RawConn) {
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_INQ, 1)
	})
}

// receiver is the memory for receive.
type receiver struct {
	msg unix.Msghdr
	iov unix.Iovec
	oob [oobSize]byte
}

// oobSize is the size of the control message: its length (8 bytes), level, type and an int.
const oobSize = 20

// receive reads what the socket has into p, which is not empty. dry says that nothing was left
// after that, not even the end of the input: the next event is sure to be reported. A
// connection that was reset may be dry, too; that shows when something is written to it.
//
// It saves the read that finds nothing, one system call in three for a client that waits for
// each reply. The end of the input counts as a byte (tcp_inq_hint in the kernel's net/ipv4/tcp.c).
//
// recvmsg is called by its number since unix.Recvmsg allocates an address each time. That is
// safe: the kernel keeps none of the pointers, they point to memory of the heap, which Go
// does not move, and r and p are in use until the call has returned.
func (r *receiver) receive(fd int, p []byte) (n int, dry bool, err error) {
	r.iov.Base = &p[0]
	r.iov.SetLen(len(p))
	r.msg = unix.Msghdr{Iov: &r.iov, Control: &r.oob[0]}
	r.msg.SetIovlen(1)
	r.msg.SetControllen(oobSize)
	got, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msg)), 0)
	runtime.KeepAlive(p)
	r.iov.Base = nil
	if errno != 0 {
		return 0, false, errno
	}
	tells := r.msg.Controllen == oobSize &&
		binary.NativeEndian.Uint32(r.oob[8:]) == unix.IPPROTO_TCP && binary.NativeEndian.Uint32(r.oob[12:]) == unix.TCP_INQ
	return int(got), tells && binary.NativeEndian.Uint32(r.oob[16:]) == 0, nil
}

// queuesOf asks the socket (SIOCOUTQ, SIOCINQ: tcp(7)).
func queuesOf(raw syscall.RawConn) (q queues) {
	raw.Control(func(fd uintptr) {
		q.unacked, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		q.unread, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ)
	})
	return q
}
