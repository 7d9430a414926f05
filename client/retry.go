package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// retry paces the attempts to reach a server: exponential backoff with jitter. Not for
// concurrent use.
type retry struct {
	opts  *Options
	tries int       // pauses since the last progress
	since time.Time // when the first of them began
}

// progress says that the server answered: the next failure is a first one.
func (r *retry) progress() { r.tries = 0 }

// wait pauses after a failure with the given cause. It returns nil when it is time to try
// again, or why not: it was tried for long enough, or ctx is done. Both wrap cause.
func (r *retry) wait(ctx context.Context, cause error) error {
	if r.opts.RetryFor < 0 {
		return cause
	}
	now := time.Now()
	if r.tries == 0 {
		r.since = now
	}
	pause := r.pause()
	r.tries++
	if tried := now.Sub(r.since); tried+pause > r.opts.RetryFor {
		return fmt.Errorf("tried for %v: %w", tried.Round(time.Millisecond), cause)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w, after: %w", ctx.Err(), cause)
	}
}

// pause returns the length of the next pause.
func (r *retry) pause() time.Duration {
	d := r.opts.MinBackoff
	for range r.tries {
		if d *= 2; d >= r.opts.MaxBackoff {
			break
		}
	}
	d = min(d, r.opts.MaxBackoff)
	return d - rand.N(d/2+1)
}
