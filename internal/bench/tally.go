package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally counts what the server answered. It is for one goroutine; tallies are added up.
type tally struct {
	acked  int64  // units that were answered as they should be
	errors int64  // requests that were refused or answered wrongly
	first  string // what was wrong with the first of these
	hist   *hdrhistogram.Histogram
}

// newTally returns an empty tally. Latencies up to an hour are kept to three digits.
func newTally() *tally {
	return &tally{hist: hdrhistogram.New(1, int64(time.Hour), 3)}
}

// took records a latency.
func (t *tally) took(d time.Duration) {
	_ = t.hist.RecordValue(min(max(int64(d), 1), int64(time.Hour))) // fails only out of its range
}

// refuse counts a request that was not answered as it should be, and why.
func (t *tally) refuse(why string) {
	if t.errors == 0 {
		t.first = why
	}
	t.errors++
}

// add adds what other counted.
func (t *tally) add(other *tally) {
	if t.errors == 0 {
		t.first = other.first
	}
	t.acked += other.acked
	t.errors += other.errors
	t.hist.Merge(other.hist)
}

// latency returns the percentiles of what took recorded, nil if that was nothing.
func (t *tally) latency() *Latency {
	if t.hist.TotalCount() == 0 {
		return nil
	}
	at := func(percent float64) float64 { return float64(t.hist.ValueAtPercentile(percent)) / 1e3 }
	return &Latency{P50: at(50), P99: at(99), P999: at(99.9), Max: float64(t.hist.Max()) / 1e3}
}
