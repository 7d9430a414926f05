package promql

import (
	"context"
	"errors"

	prom "github.com/prometheus/prometheus/promql"
)

// slots bounds how many queries run at once: a channel with room for so many. It is the engine's QueryTracker, which asks twice a
// query: to parse it, and to run it.
type slots chan struct{}

// GetMaxConcurrent returns how many queries may run at once.
func (s slots) GetMaxConcurrent() int { return cap(s) }

// Insert waits until there is a slot, or ctx is done.
func (s slots) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case s <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return 0, prom.ErrQueryTimeout("query queue")
		}
		return 0, prom.ErrQueryCanceled("query queue")
	}
}

// Delete gives a slot back.
func (s slots) Delete(int) { <-s }

// Close does nothing.
func (s slots) Close() error { return nil }
