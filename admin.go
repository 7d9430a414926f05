package metricd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// unixPrefix tells the path of a socket from a TCP address.
const unixPrefix = "unix:"

// listenAdmin listens where health is answered without a password: on loopback, or on a socket, whose permissions say who may connect.
func listenAdmin(addr string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		if path == "" {
			return nil, errors.New("unix: wants the path of a socket behind it")
		}
		if err := removeStale(path); err != nil {
			return nil, err
		}
		return net.Listen("unix", path)
	}
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	switch {
	case err != nil:
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	case !tcp.IP.IsLoopback():
		return nil, errors.New("there is no password here, so it has to be an address of this machine alone, such as 127.0.0.1:8890, or unix:/path/of/a/socket")
	}
	return net.ListenTCP("tcp", tcp)
}

// removeStale removes a socket that nobody listens on: a server that was killed leaves one. Any other file stays.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("%s is there, and is no socket: name another path", path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(&net.OpError{Op: "listen", Net: "unix", Err: syscall.EADDRINUSE}, conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
