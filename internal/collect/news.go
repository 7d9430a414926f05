package collect

import (
	"log/slog"
	"time"
)

// sayEvery is the least time between two messages of one kind.
const sayEvery = time.Minute

// calm spaces messages of one kind. The zero value is ready; not for concurrent use.
type calm struct{ next time.Time }

// may says whether a message may be logged now, and if so takes it for logged.
func (c *calm) may() bool {
	now := time.Now()
	if now.Before(c.next) {
		return false
	}
	c.next = now.Add(sayEvery)
	return true
}

// news is what the log says of a server: that it is away and what that costs, once a minute, and that it is back. For one goroutine.
type news struct {
	log  *slog.Logger
	addr string

	met     bool      // samples have arrived
	since   time.Time // when the server was found to be away; zero: it is not
	said    bool      // the log said so
	dropped int       // samples that the log said were dropped
	absence calm
	refusal calm
}

// away is told that the server can't be reached. dropped counts all samples that ever were.
func (n *news) away(err error, kept, dropped int) {
	if n.since.IsZero() {
		n.since = time.Now()
	}
	if n.absence.may() {
		n.log.Warn("the server can't be reached: samples are kept, and sent when it can", "addr", n.addr, "err", err, "kept", kept, "dropped", n.newly(dropped))
		n.said = true
	}
}

// arrived is told that a round has arrived.
func (n *news) arrived(dropped int) {
	switch {
	case n.said:
		n.log.Info("the server takes samples again", "addr", n.addr, "away", time.Since(n.since).Round(time.Second), "dropped", n.newly(dropped))
	case !n.met:
		n.log.Info("the server takes samples", "addr", n.addr)
	case dropped > n.dropped && n.absence.may():
		n.log.Warn("the server is too slow: samples were dropped", "addr", n.addr, "dropped", n.newly(dropped))
	}
	n.met, n.since, n.said = true, time.Time{}, false
}

// newly returns how many of the samples that were dropped the log did not say, and takes them for said.
func (n *news) newly(dropped int) int {
	fresh := dropped - n.dropped
	n.dropped = dropped
	return fresh
}

// refused is told what was not stored, and says whether the log says so now.
func (n *news) refused(r refused) bool {
	if r.samples == 0 || !n.refusal.may() {
		return false
	}
	n.log.Warn("samples were not stored, and are lost", "samples", r.samples, "last", r.last)
	return true
}
