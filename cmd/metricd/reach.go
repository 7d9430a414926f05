package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"metricd/client"
)

const (
	// longestLine is the longest request line sent, in bytes. What the server takes is for it to say.
	longestLine = 1<<20 - 1
	// retryFor is how long a lost connection is tried again: long enough for a restart, short enough for
	// someone who waits.
	retryFor = 10 * time.Second
)

// clientOptions returns the options of the connections that commands make.
func clientOptions() client.Options {
	return client.Options{MaxLine: longestLine, MaxReplyLine: 2 * longestLine, RetryFor: retryFor}
}

// serverError says what to do about err, which came of talking to the server.
func (s *server) serverError(err error) error {
	var said *client.ServerError
	if unreachable := s.unreachable(err); unreachable != nil {
		return unreachable
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, client.ErrTooManyConnections):
		return fmt.Errorf("%s has too many connections: try again later, or raise its --max-connections", s.Addr)
	case errors.As(err, &said):
		return fmt.Errorf("%s refused it: %s", s.Addr, said.Text)
	case errors.Is(err, client.ErrProtocol):
		return fmt.Errorf("what answers at %s is no metricd (%w): name another server with --addr", s.Addr, err)
	}
	return fmt.Errorf("talking to %s: %w: see whether the server still runs", s.Addr, err)
}

// unreachable says what to do about err if no connection came about, and returns nil otherwise.
func (s *server) unreachable(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server at %s (connection refused): start one with `metricd serve`, or name another with --addr", s.Addr)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("no way to %s (%w): name another server with --addr HOST:PORT", s.Addr, op.Err)
	}
	return nil
}
