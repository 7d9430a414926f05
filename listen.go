package metricd

import (
	"errors"
	"fmt"
	"net"

	"metricd/internal/ingest/graphite"
)

// listeners are the sockets of a Server. Those that were not asked for are nil.
type listeners struct {
	lines    net.Listener
	web      net.Listener
	admin    net.Listener
	graphite net.Listener
	udp      *net.UDPConn // Graphite's, at the same address
}

// listen opens all sockets that cfg asks for, or none. Its errors are of type *ListenError.
func listen(cfg Config) (l listeners, err error) {
	if l.lines, err = net.Listen("tcp", cfg.Listen); err != nil {
		return l, &ListenError{"Listen", cfg.Listen, err}
	}
	if cfg.HTTP != "" {
		if l.web, err = net.Listen("tcp", cfg.HTTP); err != nil {
			return l, &ListenError{"HTTP", cfg.HTTP, errors.Join(err, l.close())}
		}
	}
	if cfg.Admin != "" {
		if l.admin, err = listenAdmin(cfg.Admin); err != nil {
			return l, &ListenError{"Admin", cfg.Admin, errors.Join(err, l.close())}
		}
	}
	if cfg.Graphite != "" {
		if l.graphite, l.udp, err = graphite.Listen(cfg.Graphite); err != nil {
			return l, &ListenError{"Graphite", cfg.Graphite, errors.Join(err, l.close())}
		}
	}
	return l, nil
}

// close closes what is not closed yet.
func (l listeners) close() error {
	var errs []error
	if l.udp != nil {
		errs = append(errs, l.udp.Close())
	}
	for _, ln := range []net.Listener{l.lines, l.web, l.admin, l.graphite} {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	for i, err := range errs {
		if errors.Is(err, net.ErrClosed) {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

// ListenError says that an address can't be listened on.
type ListenError struct {
	Field string // of Config, that names the address: Listen, HTTP, Admin or Graphite
	Addr  string
	Err   error
}

func (e *ListenError) Error() string { return fmt.Sprintf("%s %s: %v", e.Field, e.Addr, e.Err) }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }
