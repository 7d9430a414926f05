// Package client speaks the line protocol of metricd: put, get and a pipelining Writer,
// over TCP.
//
// A Client does one request at a time on one connection and is safe for concurrent use;
// a Writer sends puts without waiting for their replies, millions a second. Both
// connect again, with exponential backoff and jitter, when the connection is lost.
//
// # Sending again
//
// A put whose reply was lost may have been stored or not. By default it is sent again on
// the next connection, in its order. That is harmless where one client alone writes that
// (key, second): the last write wins, and both say the same. Where two clients write the
// same key and second, the repetition can overwrite the newer value of the other one.
// With Options.NoResend such a put is reported with ErrNotAcknowledged instead, and what
// to do is for the caller to decide.
//
// # Time
//
// The protocol has whole Unix seconds: the part of a time.Time below a second is
// dropped, towards the past. Times that come back are in UTC.
//
// # Errors
//
// A *ServerError has the server's words and means that the request was not carried out; the
// connection stays good. ErrWrongCommand and ErrTooManyConnections, tested with
// errors.Is, are the two that matter to programs. ErrInvalid: not sent, since it could not be a request.
// ErrProtocol: what answered is not metricd. Everything else is about the network, and has
// been tried again for as long as Options.RetryFor and the context allowed.
package client
