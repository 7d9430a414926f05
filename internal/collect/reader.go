package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"metricd/internal/storage"
)

// figure is one number that a probe read.
type figure struct {
	name  string        // words with dots between them: cpu.user
	of    storage.Label // which of several, such as the disk; no Name: there is one
	value float64
}

// probe is what is read together, and fails alone. read is never called before its last call has returned. It may return
// figures and an error: these figures are good.
type probe struct {
	name string // what the log calls it; no other probe has it
	read func(context.Context) ([]figure, error)
}

// errLate: a probe has not returned.
var errLate = errors.New("no answer")

// forgetting is how long a probe that failed must have been well before the log says that it fails, again.
const forgetting = time.Hour

// reader reads probes side by side. It is for one goroutine. Each read of a probe has a goroutine, which ends with it: one
// that never returns can't be ended, so there is no second one beside it.
type reader struct {
	probes   func(context.Context) []probe
	patience time.Duration // for all probes of a round together
	log      *slog.Logger

	late   map[string]<-chan reading // of probes that had not returned when their round was over
	failed map[string]time.Time      // when a probe last failed, for so long as forgetting
}

// reading is what a probe returned.
type reading struct {
	figures []figure
	err     error
}

func newReader(probes func(context.Context) []probe, patience time.Duration, log *slog.Logger) *reader {
	return &reader{probes: probes, patience: patience, log: log, late: map[string]<-chan reading{}, failed: map[string]time.Time{}}
}

// read returns what the probes give within patience, in their order. It returns early when ctx is done.
func (r *reader) read(ctx context.Context) []figure {
	r.forget()
	limited, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	var names []string
	var readings []<-chan reading
	for _, p := range r.probes(limited) {
		if _, running := r.late[p.name]; running {
			r.fail(p.name, errLate)
			continue
		}
		done := make(chan reading, 1)
		go func() {
			figures, err := p.read(limited)
			done <- reading{figures, err}
		}()
		names, readings = append(names, p.name), append(readings, done)
	}
	var all []figure
	for i, done := range readings {
		got, ok := await(limited, done)
		switch {
		case !ok && ctx.Err() != nil:
			return all
		case !ok:
			r.late[names[i]] = done
			r.fail(names[i], fmt.Errorf("%w within %v", errLate, r.patience))
			continue
		case got.err != nil:
			r.fail(names[i], got.err)
		}
		all = append(all, got.figures...)
	}
	return all
}

// await returns what comes from done before ctx is done; also what is there already.
func await(ctx context.Context, done <-chan reading) (got reading, ok bool) {
	select {
	case got = <-done:
		return got, true
	case <-ctx.Done():
	}
	select {
	case got = <-done:
		return got, true
	default:
		return got, false
	}
}

// forget drops what is over: late readings that have come, and failures of long ago.
func (r *reader) forget() {
	for name, done := range r.late {
		select {
		case <-done:
			delete(r.late, name)
		default:
		}
	}
	for name, when := range r.failed {
		if time.Since(when) > forgetting {
			delete(r.failed, name)
		}
	}
}

// fail notes that a probe failed, and logs it if that is new.
func (r *reader) fail(name string, err error) {
	if _, known := r.failed[name]; !known {
		r.log.Warn("a part of this machine can't be read: its figures are missing until it can, which is not said again", "part", name, "err", err)
	}
	r.failed[name] = time.Now()
}
