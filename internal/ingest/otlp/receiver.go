package otlp

import (
	"runtime"
	"sync/atomic"

	"metricd/internal/ingest/body"
	"metricd/internal/ingest/rows"
	"metricd/internal/storage"
)

// Metadata takes what senders tell of metrics. It is called from several goroutines at once and must not block.
type Metadata interface {
	// Tell says of which type the metric is: counter, gauge, histogram or summary; and its help and unit, which may be empty. The bytes are
	// the caller's: what is to be kept is copied. They may be anything, of any length, and the same is told again and again: what
	// is kept is to be bounded.
	Tell(metric []byte, kind string, help, unit []byte)
}

// Options say how a Receiver is to be. Store is needed; zero values elsewhere stand for the defaults.
type Options struct {
	Store    storage.Store
	Metadata Metadata // takes what senders tell of metrics; nil: nobody

	MaxKey  int // bytes of the key of a series; 4,096
	MaxBody int // bytes of a body, both as it came and decompressed; 32 MiB, as Prometheus
	Cache   int // bytes for remembering how senders spell series; 64 MiB
}

// Receiver is the HTTP handler of OTLP for metrics. It is safe for concurrent use, has no goroutines and holds
// nothing that must be released.
//
// A request that has come whole takes one of a few works, to be decoded and stored; others wait for their turn. Bodies of
// requests that are still coming share body.Shared bytes.
type Receiver struct {
	opts   Options
	cache  *rows.Cache
	works  chan *work // nil: one that was never used
	bodies body.Pool
	stats  counters
}

// New returns a Receiver.
func New(o Options) *Receiver {
	if o.MaxKey <= 0 {
		o.MaxKey = 4096
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 32 << 20
	}
	if o.Cache <= 0 {
		o.Cache = 64 << 20
	}
	r := &Receiver{opts: o, cache: rows.NewCache(o.Cache), works: make(chan *work, max(2, runtime.GOMAXPROCS(0)))}
	for range cap(r.works) {
		r.works <- nil
	}
	return r
}

// Stats are figures about a Receiver since New.
type Stats struct {
	Requests int64 // answered, with any status
	Bytes    int64 // of bodies, as they came
	Points   int64 // data points stored wholly
	// Refused counts data points that were refused for good, by reason: too_old, time_range, series_limit, memory_limit,
	// store, delta, no_temporality, invalid_name, invalid_attribute, not_utf8, long_labels, exponential_histogram, many_buckets. All reasons are there.
	Refused map[string]int64
	// Failed counts requests of which nothing, or not all, was looked at, by status.
	Failed map[int]int64
}

type counters struct {
	requests, bytes, points atomic.Int64

	refused [reasons]atomic.Int64
	failed  body.Failures
}

// Stats returns figures.
func (r *Receiver) Stats() Stats {
	c := &r.stats
	s := Stats{
		Requests: c.requests.Load(), Bytes: c.bytes.Load(), Points: c.points.Load(),
		Refused: map[string]int64{}, Failed: c.failed.ByStatus(),
	}
	for why := taken + 1; why < reasons; why++ {
		s.Refused[slugs[why]] = c.refused[why].Load()
	}
	return s
}

// count adds what became of a request.
func (c *counters) count(res *result) {
	c.points.Add(int64(res.points))
	for why, n := range res.refused.n {
		if n > 0 {
			c.refused[why].Add(int64(n))
		}
	}
}
