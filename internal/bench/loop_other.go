//go:build !linux

package bench

import (
	"context"
	"net"
	"time"
)

// converse drives each dialog over the connection of the same index, which it takes over
// and may close, and adds what was answered to t.
func converse(ctx context.Context, conns []net.Conn, dialogs []*dialog, timeout time.Duration, t *tally) error {
	return talk(ctx, conns, dialogs, timeout, t)
}
