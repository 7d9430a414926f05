package remotewrite

import (
	"runtime"
	"sync/atomic"

	"metricd/internal/ingest/body"
	"metricd/internal/ingest/rows"
	"metricd/internal/storage"
)

// Options say how a Receiver is to be. Store is needed; zero values elsewhere stand for the defaults.
type Options struct {
	Store    storage.Store
	Metadata Metadata // takes what senders tell of metrics; nil: nobody

	MaxKey  int // bytes of the key of a series; 4,096
	MaxBody int // bytes of a body, both as it came and decompressed; 32 MiB, as Prometheus
	Cache   int // bytes for remembering how senders spell series; 64 MiB
}

// Receiver is the HTTP handler of remote write, both versions. It is safe for concurrent use, has no goroutines and holds
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

func (r *Receiver) newWork() *work {
	return &work{Gatherer: rows.NewGatherer(r.cache, r.opts.Store), meta: r.opts.Metadata, maxKey: r.opts.MaxKey, flat: make([]byte, 0, 1<<10)}
}

// Stats are figures about a Receiver since New.
type Stats struct {
	Requests   int64 // answered, with any status
	Bytes      int64 // of bodies, as they came
	Samples    int64 // stored
	Histograms int64 // stored wholly
	Exemplars  int64 // left out
	// Refused counts samples and histograms that were refused for good, by reason: too_old, time_range, series_limit, memory_limit, store, no_name,
	// duplicate_label, invalid_label, long_labels, bad_symbol, native_histogram, invalid_histogram. All reasons are there.
	Refused map[string]int64
	// Failed counts requests of which nothing, or not all, was looked at, by status.
	Failed map[int]int64
}

type counters struct {
	requests, bytes, samples, histograms, exemplars atomic.Int64

	refused [reasons]atomic.Int64
	failed  body.Failures
}

// Stats returns figures.
func (r *Receiver) Stats() Stats {
	c := &r.stats
	s := Stats{
		Requests: c.requests.Load(), Bytes: c.bytes.Load(),
		Samples: c.samples.Load(), Histograms: c.histograms.Load(), Exemplars: c.exemplars.Load(),
		Refused: map[string]int64{}, Failed: c.failed.ByStatus(),
	}
	for why := taken + 1; why < reasons; why++ {
		s.Refused[slugs[why]] = c.refused[why].Load()
	}
	return s
}

// count adds what became of a request.
func (c *counters) count(res *result) {
	c.samples.Add(int64(res.samples))
	c.histograms.Add(int64(res.histograms))
	c.exemplars.Add(int64(res.exemplars))
	for why, n := range res.refused.n {
		if n > 0 {
			c.refused[why].Add(int64(n))
		}
	}
}
