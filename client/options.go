package client

import (
	"context"
	"net"
	"time"

	"metricd/internal/lineproto"
)

// Options of a Client or Writer. The zero value works.
type Options struct {
	// NoResend: a put whose reply was lost is reported with ErrNotAcknowledged and not
	// sent again. See the package comment.
	NoResend bool

	// DialTimeout is the time for one attempt to connect; 0 means 10 s.
	DialTimeout time.Duration
	// Timeout is how long the server may go without taking or sending a byte while a reply is due,
	// before the connection is given up; 0 means 30 s.
	Timeout time.Duration
	// RetryFor is how long a failing connection is tried again, counted from the first
	// failure since a reply last came; 0 means a minute, negative: never.
	RetryFor time.Duration
	// MinBackoff and MaxBackoff bound the pause between two attempts: it doubles from the
	// one to the other, and a random part of up to a half is taken off. 0 means 50 ms and 5 s.
	MinBackoff, MaxBackoff time.Duration

	// MaxLine is the longest request line in bytes, without its line end; 0 means 64 KiB.
	// A server that takes less refuses longer ones with ErrWrongCommand.
	MaxLine int
	// MaxReplyLine is the longest line of a reply in bytes; 0 means 128 KiB. A longer
	// one is taken for something else than metricd: ErrProtocol.
	MaxReplyLine int

	// DialContext makes the connection; nil means a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// withDefaults returns o with every zero replaced by what it stands for.
func (o Options) withDefaults() Options {
	setDefault(&o.DialTimeout, 10*time.Second)
	setDefault(&o.Timeout, 30*time.Second)
	setDefault(&o.RetryFor, time.Minute)
	setDefault(&o.MinBackoff, 50*time.Millisecond)
	setDefault(&o.MaxBackoff, 5*time.Second)
	setDefault(&o.MaxLine, lineproto.DefaultMaxLine)
	setDefault(&o.MaxReplyLine, 2*lineproto.DefaultMaxLine)
	if o.DialContext == nil {
		o.DialContext = new(net.Dialer).DialContext
	}
	return o
}

// setDefault sets *field to value if it is zero.
func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
