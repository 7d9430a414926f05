package metricd

import (
	"context"
	"net"
	"sync"
	"time"

	"metricd/internal/httpapi"
)

// answerStarting answers HTTP until the returned function is called, for a store that is being opened. When that returns no goroutine is left, and the
// listeners are as they were.
func (l listeners) answerStarting(cfg httpapi.Config) (end func()) {
	api := httpapi.NewStarting(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	serve := func(ln net.Listener, serve func(context.Context, net.Listener) error) {
		if ln == nil {
			return
		}
		running.Go(func() {
			borrowed := lent{ln.(interruptible)}
			defer borrowed.SetDeadline(time.Time{})
			if err := serve(ctx, borrowed); err != nil && cfg.Logger != nil {
				cfg.Logger.Warn("HTTP could not be answered while the store was being opened", "err", err)
			}
		})
	}
	serve(l.web, api.Serve)
	serve(l.admin, api.ServeAdmin)
	return func() {
		cancel()
		running.Wait()
	}
}

// interruptible is what listeners of TCP and Unix sockets are.
type interruptible interface {
	net.Listener
	SetDeadline(time.Time) error
}

// lent is a listener that stays open when it is closed: Accept only ends.
type lent struct{ interruptible }

// Close ends Accept.
func (l lent) Close() error { return l.SetDeadline(time.Unix(1, 0)) }
