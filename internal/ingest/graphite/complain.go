package graphite

import (
	"log/slog"
	"sync"
	"time"
)

// complainEvery is the time between two messages of one kind.
const complainEvery = 10 * time.Second

// complaints are messages of one kind, of which there may be one for each line that comes: one in complainEvery is
// logged, with how many were not since. The zero value is ready; tell is safe for concurrent use.
type complaints struct {
	mu struct {
		sync.Mutex
		next   time.Time // when one may be logged again
		silent int64     // since the last one
	}
}

func (c *complaints) tell(log *slog.Logger, msg string, args ...any) {
	now := time.Now()
	c.mu.Lock()
	if now.Before(c.mu.next) {
		c.mu.silent++
		c.mu.Unlock()
		return
	}
	silent := c.mu.silent
	c.mu.silent, c.mu.next = 0, now.Add(complainEvery)
	c.mu.Unlock()
	if silent > 0 {
		args = append(args, "not_logged_before", silent)
	}
	log.Warn(msg, args...)
}
