package storagetest

import (
	"context"
	"slices"
	"sync"

	"metricd/internal/storage"
)

// The mutants that take more than a hook: each wraps a reference and has one method wrong.

// appending has its Append wrong.
type appending struct {
	*reference
	append func(inner storage.Appender, b *storage.Batch) (storage.Seq, error)
}

type wrongAppender struct {
	storage.Appender
	append func(inner storage.Appender, b *storage.Batch) (storage.Seq, error)
}

func (s *appending) Appender() storage.Appender {
	return wrongAppender{s.reference.Appender(), s.append}
}

func (a wrongAppender) Append(b *storage.Batch) (storage.Seq, error) { return a.append(a.Appender, b) }

// lazy takes the rows at the next Append or Select, from the key bytes that it kept.
type lazy struct {
	*reference
	kept storage.Batch
}

func (s *lazy) Appender() storage.Appender {
	return wrongAppender{s.reference.Appender(), func(inner storage.Appender, b *storage.Batch) (storage.Seq, error) {
		s.settle()
		s.kept.Rows = slices.Clone(b.Rows)
		b.Refused = nil
		return inner.Append(&storage.Batch{})
	}}
}

func (s *lazy) settle() {
	_, _ = s.reference.Appender().Append(&s.kept)
	s.kept.Rows = nil
}

func (s *lazy) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	s.settle()
	return s.reference.Select(ctx, q)
}

// later takes a batch with the next one.
type later struct {
	*reference
	kept storage.Batch
}

func (s *later) Appender() storage.Appender {
	return wrongAppender{s.reference.Appender(), func(inner storage.Appender, b *storage.Batch) (storage.Seq, error) {
		seq, err := inner.Append(&s.kept)
		s.kept.Rows = slices.Clone(b.Rows)
		for i := range s.kept.Rows {
			s.kept.Rows[i].Key = slices.Clone(s.kept.Rows[i].Key)
		}
		b.Refused = nil
		return seq, err
	}}
}

// remembering has Appenders that go on writing to the series they know, ended or not.
type remembering struct{ *reference }

func (s *remembering) Appender() storage.Appender {
	known := map[string]*refSeries{}
	return wrongAppender{s.reference.Appender(), func(inner storage.Appender, b *storage.Batch) (storage.Seq, error) {
		seq, err := inner.Append(b)
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, r := range b.Rows {
			canonical := string(storage.AppendCanonical(nil, r.Key))
			x := s.series[canonical]
			if old := known[canonical]; old != nil && old != x && x != nil {
				delete(s.series, canonical)
			} else if x != nil {
				known[canonical] = x
			}
		}
		return seq, err
	}}
}

// keepsEmpty counts the series that it ever had.
type keepsEmpty struct{ *reference }

func (s *keepsEmpty) Stats() (storage.Stats, error) {
	st, err := s.reference.Stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Series = s.births
	return st, err
}

// byHalf deletes one series when its context is done.
type byHalf struct{ *reference }

func (s *byHalf) Delete(ctx context.Context, q storage.Query) error {
	if ctx.Err() == nil {
		return s.reference.Delete(ctx, q)
	}
	if found, err := s.find(forever, q); err == nil && len(found) > 0 {
		q.Key = found[0].key
		_ = s.reference.Delete(forever, q)
	}
	return ctx.Err()
}

// neverClosed answers after Close.
type neverClosed struct{ *reference }

func (s *neverClosed) Close() error { return nil }

// deaf ignores its context.
type deaf struct{ *reference }

func (s *deaf) Select(_ context.Context, q storage.Query) storage.SeriesSet {
	return s.reference.Select(forever, q)
}

// quietEnd has sets that end without saying why.
type quietEnd struct{ *reference }

type quietSet struct{ storage.SeriesSet }

func (s *quietEnd) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	return quietSet{s.reference.Select(ctx, q)}
}

func (quietSet) Err() error { return nil }

// allTimes has labels that ignore the range of time.
type allTimes struct{ *reference }

func (s *allTimes) LabelValues(ctx context.Context, name string, q storage.Query) ([]string, error) {
	if q.Mint <= q.Maxt {
		q = during(q, storage.MinTime, storage.MaxTime)
	}
	return s.reference.LabelValues(ctx, name, q)
}

// unsorted has its label names in descending order.
type unsorted struct{ *reference }

func (s *unsorted) LabelNames(ctx context.Context, q storage.Query) ([]string, error) {
	names, err := s.reference.LabelNames(ctx, q)
	slices.Reverse(names)
	return names, err
}

// absentValue gives the absence of a label as a value.
type absentValue struct{ *reference }

func (s *absentValue) LabelValues(ctx context.Context, name string, q storage.Query) ([]string, error) {
	values, err := s.reference.LabelValues(ctx, name, q)
	found, _ := s.find(ctx, q)
	if slices.ContainsFunc(found, func(x *refSeries) bool { return x.labels.Get(name) == "" }) {
		values = slices.Insert(values, 0, "")
	}
	return values, err
}

// locking holds writers up from Select to the set's Close.
type locking struct {
	*reference
	reading sync.RWMutex
}

type lockingSet struct {
	storage.SeriesSet
	unlock func()
}

func (s *locking) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	s.reading.RLock()
	return lockingSet{s.reference.Select(ctx, q), sync.OnceFunc(s.reading.RUnlock)}
}

func (set lockingSet) Close() {
	set.SeriesSet.Close()
	set.unlock()
}

func (s *locking) Appender() storage.Appender {
	return wrongAppender{s.reference.Appender(), func(inner storage.Appender, b *storage.Batch) (storage.Seq, error) {
		s.reading.Lock()
		defer s.reading.Unlock()
		return inner.Append(b)
	}}
}
