package collect

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"metricd/internal/storage"
)

// DefaultInterval is the time between two readings, unless told otherwise.
const DefaultInterval = 10 * time.Second

const (
	// mostInterval bounds the interval: with a longer one, a percentage stands for nothing anybody asks for.
	mostInterval = 24 * time.Hour
	// mostPatience bounds what a round waits for a probe; it waits for half an interval at most.
	mostPatience = 5 * time.Second
	// settling is the least time before the first round: a percentage of less would be that of starting this program. It is
	// half an interval at most.
	settling = time.Second
)

// Config says what to collect, how often, and under which names.
type Config struct {
	// Interval is the time between readings; see CheckInterval.
	Interval time.Duration
	// Tags says how keys are spelled: cpu_user;host=NAME, otherwise HOST.cpu.user.
	Tags bool
	// Host is the name of this machine in keys; see CheckHost. Empty: "host", with Tags what the machine calls itself.
	Host string
	// Logger is told which probes fail, once; nil: nothing is.
	Logger *slog.Logger

	probes func(context.Context) []probe // what is read, for tests; nil: this machine
}

// CheckInterval says what is wrong with an interval: it is to be whole seconds, since the line protocol has no less, from 1 s to a day.
func CheckInterval(d time.Duration) error {
	if d < time.Second || d > mostInterval || d%time.Second != 0 {
		return errors.New("want whole seconds, from 1s to 24h")
	}
	return nil
}

// CheckHost says what is wrong with the name of a machine: it is to be one word, without what would make tags of a key.
func CheckHost(name string) error {
	if !storage.ValidKey([]byte(name)) || strings.ContainsAny(name, ";=%") {
		return errors.New("want one word, without ; = and %")
	}
	return nil
}

// Round is what was read of the machine at one time.
type Round struct {
	At      time.Time // a whole multiple of the interval
	Samples []Sample  // no key twice
}

// Sample is one figure of a Round.
type Sample struct {
	Key   string // valid by storage.ValidKey
	Value float64
}

// Run reads this machine at each whole multiple of the interval (time.Time.Truncate says of what: all that divide a day are those of
// the clock), and calls take with what it read, until ctx is done. The Round is take's. cfg must be as CheckInterval and
// CheckHost want it.
//
// Times never drift. What comes late by more than half an interval, because take or the machine was busy, is left out, and
// the next one is on time again. Nothing is read while take runs.
func Run(ctx context.Context, cfg Config, take func(context.Context, Round)) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.probes == nil {
		cfg.probes = newMachine().probes
	}
	keys := newSpeller(cfg.Host, cfg.Tags)
	from := newReader(cfg.probes, min(mostPatience, cfg.Interval/2), cfg.Logger)
	from.read(ctx) // percentages are of the time since
	sleep(ctx, min(settling, cfg.Interval/2))
	var at time.Time
	for ctx.Err() == nil {
		if at = next(ctx, cfg.Interval, at); ctx.Err() != nil {
			return
		}
		figures := from.read(ctx)
		if ctx.Err() != nil {
			return
		}
		take(ctx, Round{at, keys.spell(figures)})
	}
}

// next waits until a multiple of interval that is not last, and returns it; at once when ctx is done.
func next(ctx context.Context, interval time.Duration, last time.Time) time.Time {
	for {
		now := time.Now()
		sleep(ctx, now.Truncate(interval).Add(interval).Sub(now))
		now = time.Now() // a timer can be early by the wall clock, which may have been set
		if at, ok := due(now, interval, last); ok || ctx.Err() != nil {
			return at
		}
	}
}

// due returns the multiple of interval that now stands for, and whether a round may be read for it.
func due(now time.Time, interval time.Duration, last time.Time) (at time.Time, ok bool) {
	at = now.Truncate(interval)
	return at, !at.Equal(last) && now.Sub(at) <= interval/2
}

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
