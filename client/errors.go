package client

import (
	"errors"
	"fmt"

	"metricd/internal/lineproto"
)

// The errors on which callers branch, with errors.Is.
var (
	// ErrClosed: the Client or Writer was closed.
	ErrClosed = errors.New("client is closed")
	// ErrInvalid: the request was not sent: no request can be made of that key, time or line.
	ErrInvalid = errors.New("cannot be sent")
	// ErrNotAcknowledged: the connection was lost before the reply came. The sample may
	// have been stored or not.
	ErrNotAcknowledged = errors.New("not acknowledged")
	// ErrWrongCommand: the server takes the request for malformed. The error is a *ServerError.
	ErrWrongCommand = errors.New(wrongCommand)
	// ErrTooManyConnections: the server has as many connections as it serves. It was tried
	// again until Options.RetryFor was over. The error is a *ServerError.
	ErrTooManyConnections = errors.New(lineproto.TooManyConnections)
	// ErrProtocol: the bytes that came are no reply of the line protocol.
	ErrProtocol = lineproto.ErrReply
)

// wrongCommand is the reason in lineproto.WrongCommand.
const wrongCommand = "wrong command"

// ServerError is a reply that refuses a request, or the whole connection.
type ServerError struct {
	Text string // the server's words, one line
}

// Error returns the server's words.
func (e *ServerError) Error() string { return "server: " + e.Text }

// Is matches the sentinels ErrWrongCommand and ErrTooManyConnections.
func (e *ServerError) Is(target error) bool {
	return target == ErrWrongCommand && e.Text == wrongCommand ||
		target == ErrTooManyConnections && e.Text == lineproto.TooManyConnections
}

// PutError says why a line given to a Writer was not stored, or may not have been.
type PutError struct {
	Line   string // the request as it was sent, without its line end
	Number int64  // which call of Put or PutLine it was, from 1
	Err    error  // a *ServerError, or wraps ErrNotAcknowledged
}

// Error names the line and the reason.
func (e *PutError) Error() string { return fmt.Sprintf("line %d: %q: %v", e.Number, e.Line, e.Err) }

// Unwrap returns e.Err.
func (e *PutError) Unwrap() error { return e.Err }

// refusal says whether err is a reply that refuses one request, after which the connection
// goes on.
func refusal(err error) bool {
	var s *ServerError
	return errors.As(err, &s) && s.Text != lineproto.TooManyConnections
}
