package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"

	psnet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"

	"metricd"
)

// listenError says what to do about err, with which the server could not be opened to listen on addr, which flag gives. all are
// the addresses that it is to listen on, some of them empty.
func listenError(ctx context.Context, err error, flag, addr string, all ...string) error {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case !errors.As(err, &op) || op.Op != "listen":
		return err
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken by %s: stop that, or listen elsewhere with %s %s", addr, holder(ctx, addr), flag, elsewhere(addr, all))
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s is not for this user (ports below 1024 need privileges): listen elsewhere with %s, for example %[2]s %[3]s", addr, flag, elsewhere("127.0.0.1:8887", all))
	case errors.Is(err, syscall.EADDRNOTAVAIL) || errors.As(err, &dns):
		return fmt.Errorf("%s is no address of this machine (%w): give one of its own with %s, or 0.0.0.0 for all of them", addr, op.Err, flag)
	}
	return usagef("%s %s: %w; want host:port, for example 127.0.0.1:8888", flag, addr, op.Err)
}

// elsewhere returns addr with one of the next ports that is free, and neither one of not nor one where a server listens
// unless told otherwise. If there is none, it has port 0, which takes any.
func elsewhere(addr string, not []string) string {
	const most = 100 // ports looked at
	host, port, err := net.SplitHostPort(addr)
	first, _ := strconv.Atoi(port)
	if err != nil || first < 1 {
		return "127.0.0.1:0"
	}
	var ports []string // those not to be named
	for _, known := range append([]string{metricd.DefaultListen, metricd.DefaultHTTP}, not...) {
		if _, port, err := net.SplitHostPort(known); err == nil {
			ports = append(ports, port)
		}
	}
	for n := first + 1; n < min(first+most, 1<<16); n++ {
		next := net.JoinHostPort(host, strconv.Itoa(n))
		if slices.Contains(ports, strconv.Itoa(n)) {
			continue
		}
		if ln, err := net.Listen("tcp", next); err == nil {
			ln.Close()
			return next
		}
	}
	return net.JoinHostPort(host, "0")
}

// holder names the process that listens on the port of addr, as far as this user may know: the
// operating system shows the sockets of other users to root alone.
func holder(ctx context.Context, addr string) string {
	const unknown = "another process (of another user, or it would be named here)"
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return unknown
	}
	conns, err := psnet.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return unknown
	}
	for _, c := range conns {
		ip := net.ParseIP(c.Laddr.IP)
		same := ip.Equal(tcp.IP) || ip.IsUnspecified() || tcp.IP == nil || tcp.IP.IsUnspecified()
		if c.Status != "LISTEN" || c.Laddr.Port != uint32(tcp.Port) || !same || c.Pid == 0 {
			continue
		}
		if p, err := process.NewProcessWithContext(ctx, c.Pid); err == nil {
			if name, err := p.NameWithContext(ctx); err == nil {
				return fmt.Sprintf("%s (pid %d)", name, c.Pid)
			}
		}
		return fmt.Sprintf("pid %d", c.Pid)
	}
	return unknown
}
