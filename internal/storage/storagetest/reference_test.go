package storagetest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"metricd/internal/storage"
)

// reference is the simplest Store that keeps the contract: maps under a mutex, sorted when
// they are read. It shares nothing with the model. The mutants are made of it: each is a
// reference with one of the hooks set.
type reference struct {
	hooks
	refDocuments

	mu     sync.Mutex
	series map[string]*refSeries // by canonical key
	births int64
	seq    storage.Seq
	counts storage.Stats
	closed bool
}

// hooks are where the mutants go wrong; nil does nothing.
type hooks struct {
	row     func(s *reference, r *storage.Row)                     // before a row is looked at, mu held
	refused func(s *reference, r storage.Row)                      // a row is refused, mu held
	born    func(s *reference, x *refSeries)                       // a series begins, mu held
	query   func(q storage.Query) storage.Query                    // of every method but Delete
	del     func(q storage.Query) storage.Query                    // of Delete
	result  func(q storage.Query, found []*refSeries) []*refSeries // mu held
	samples func(samples []sample) []sample                        // of a new iterator
	stats   func(st *storage.Stats)
	text    func(v float64) string
}

type refSeries struct {
	key     string
	labels  storage.Labels
	birth   int64
	samples map[int64]float64
	newest  int64 // time
}

func newReference() *reference { return &reference{series: map[string]*refSeries{}} }

func (s *reference) Appender() storage.Appender { return refAppender{s} }

type refAppender struct{ s *reference }

func (a refAppender) Wait(context.Context, storage.Seq) error { return nil }

func (a refAppender) Append(b *storage.Batch) (storage.Seq, error) {
	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b.Refused = b.Refused[:0]
	if s.closed {
		return 0, storage.ErrClosed
	}
	for i, r := range b.Rows {
		if s.row != nil {
			s.row(s, &r)
		}
		err := s.takeLocked(r)
		if err == nil {
			continue
		}
		s.counts.Refused++
		b.Refused = append(b.Refused, storage.Refusal{Row: i, Err: err})
		if s.refused != nil {
			s.refused(s, r)
		}
	}
	s.seq++
	return s.seq, nil
}

func (s *reference) takeLocked(r storage.Row) error {
	if len(r.Key) == 0 {
		return storage.ErrKey
	}
	if r.T < storage.MinTime || r.T > storage.MaxTime {
		return storage.ErrTimeRange
	}
	x := s.seriesLocked(string(r.Key))
	s.counts.Appended++
	if _, ok := x.samples[r.T]; ok {
		s.counts.Overwritten++
	}
	if r.T < x.newest {
		s.counts.Late++
	}
	x.newest = max(x.newest, r.T)
	x.samples[r.T] = r.V
	return nil
}

// seriesLocked returns the series of key, which begins if there is none.
func (s *reference) seriesLocked(key string) *refSeries {
	canonical := string(storage.AppendCanonical(nil, []byte(key)))
	x := s.series[canonical]
	if x == nil {
		s.births++
		x = &refSeries{key, storage.ParseKey(key), s.births, map[int64]float64{}, math.MinInt64}
		s.series[canonical] = x
		if s.born != nil {
			s.born(s, x)
		}
	}
	return x
}

func (x *refSeries) has(q storage.Query) bool {
	for t := range x.samples {
		if q.Mint <= t && t <= q.Maxt {
			return true
		}
	}
	return false
}

func (x *refSeries) within(q storage.Query) []sample {
	var samples []sample
	for t, v := range x.samples {
		if q.Mint <= t && t <= q.Maxt {
			samples = append(samples, sampleOf(t, v))
		}
	}
	slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(a.t, b.t) })
	return samples
}

// find returns the series of q in order.
func (s *reference) find(ctx context.Context, q storage.Query) ([]*refSeries, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findLocked(ctx, q)
}

func (s *reference) findLocked(ctx context.Context, q storage.Query) ([]*refSeries, error) {
	if err := s.errLocked(ctx); err != nil {
		return nil, err
	}
	var found []*refSeries
	for _, x := range s.series {
		if q.Key != "" && !x.labels.Equal(storage.ParseKey(q.Key)) {
			continue
		}
		if storage.MatchAll(q.Matchers, x.labels) && x.has(q) {
			found = append(found, x)
		}
	}
	slices.SortFunc(found, func(a, b *refSeries) int { return int(a.birth - b.birth) })
	if s.result != nil {
		found = s.result(q, found)
	}
	return found, nil
}

func (s *reference) errLocked(ctx context.Context) error {
	if s.closed {
		return storage.ErrClosed
	}
	return ctx.Err()
}

func (s *reference) queried(q storage.Query) storage.Query {
	if s.query != nil {
		return s.query(q)
	}
	return q
}

func (s *reference) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	q = s.queried(q)
	found, err := s.find(ctx, q)
	return &refSet{s: s, ctx: ctx, q: q, found: found, err: err}
}

func (s *reference) LabelNames(ctx context.Context, q storage.Query) ([]string, error) {
	return s.labels(ctx, q, func(l storage.Label) (string, bool) { return l.Name, true })
}

func (s *reference) LabelValues(ctx context.Context, name string, q storage.Query) ([]string, error) {
	return s.labels(ctx, q, func(l storage.Label) (string, bool) { return l.Value, l.Name == name })
}

func (s *reference) labels(ctx context.Context, q storage.Query, pick func(storage.Label) (string, bool)) ([]string, error) {
	q = s.queried(q)
	found, err := s.find(ctx, q)
	var all []string
	for _, x := range found {
		for _, l := range x.labels {
			if text, ok := pick(l); ok {
				all = append(all, text)
			}
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if q.Limit > 0 {
		all = all[:min(q.Limit, len(all))]
	}
	return all, err
}

func (s *reference) Delete(ctx context.Context, q storage.Query) error {
	if s.del != nil {
		q = s.del(q)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.findLocked(ctx, q)
	for _, x := range found {
		for _, p := range x.within(q) {
			delete(x.samples, p.t)
		}
		x.newest = math.MinInt64
		for t := range x.samples {
			x.newest = max(x.newest, t)
		}
		if len(x.samples) == 0 {
			delete(s.series, string(storage.AppendKey(nil, x.labels)))
		}
	}
	return err
}

func (s *reference) Stats() (storage.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.counts
	for _, x := range s.series {
		st.Series++
		st.Samples += int64(len(x.samples))
	}
	if s.stats != nil {
		s.stats(&st)
	}
	return st, s.errLocked(context.Background())
}

func (s *reference) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// err returns the error that ends what is under way with ctx.
func (s *reference) err(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errLocked(ctx)
}
