package promql

import (
	"cmp"
	"context"
	"slices"

	"metricd/internal/storage"
)

// reader is what queries need of a Store.
type reader interface {
	Select(ctx context.Context, q storage.Query) storage.SeriesSet
	LabelNames(ctx context.Context, q storage.Query) ([]string, error)
	LabelValues(ctx context.Context, name string, q storage.Query) ([]string, error)
}

// joined is two stores as one: a main one of any size, and an own one of some hundred series. First come the series of main, in its order, then
// those of own that main has not, in own's order. A series that both have comes where main has it, with the samples of both; of two at
// one time it is main's.
//
// Own is asked first, which takes microseconds. Where it has nothing to add, and so nearly always, the answer is that of main.
type joined struct{ main, own reader }

// join returns main and own as one; own may be nil.
func join(main, own storage.Store) reader {
	if own == nil {
		return main
	}
	return &joined{main, own}
}

func (j *joined) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	own := j.own.Select(ctx, q)
	if !own.Next() {
		if own.Err() != nil {
			return own
		}
		own.Close()
		return j.main.Select(ctx, q)
	}
	s := &joinedSet{own: own, left: map[string]storage.Series{}}
	for more := true; more; more = own.Next() {
		series := own.At()
		key := canonical(series)
		s.left[key] = series
		s.order = append(s.order, key)
	}
	s.main = j.main.Select(ctx, q)
	return s
}

// canonical returns the text that spells the labels of a series, whatever its key.
func canonical(s storage.Series) string { return string(storage.AppendKey(nil, s.Labels())) }

func (j *joined) LabelNames(ctx context.Context, q storage.Query) ([]string, error) {
	return both(q.Limit, func(s reader) ([]string, error) { return s.LabelNames(ctx, q) }, j)
}

func (j *joined) LabelValues(ctx context.Context, name string, q storage.Query) ([]string, error) {
	return both(q.Limit, func(s reader) ([]string, error) { return s.LabelValues(ctx, name, q) }, j)
}

// both returns the texts that get gives for either store, ascending, each once, limit of them at most if that is above 0.
func both(limit int, get func(reader) ([]string, error), j *joined) ([]string, error) {
	own, err := get(j.own)
	if err != nil {
		return nil, err
	}
	all, err := get(j.main)
	if err != nil || len(own) == 0 {
		return all, err
	}
	all = slices.Concat(all, own)
	slices.Sort(all)
	if all = slices.Compact(all); limit > 0 {
		all = all[:min(len(all), limit)]
	}
	return all, nil
}

// joinedSet walks over the series of main, then over those that are left of own.
type joinedSet struct {
	main, own storage.SeriesSet
	left      map[string]storage.Series // of own, by canonical key: those that main has not had yet
	order     []string                  // the keys of own, in its order
	ended     bool                      // there are no more of main
	at        joinedSeries
}

func (s *joinedSet) Next() bool {
	if !s.ended && s.main.Next() {
		s.at = joinedSeries{main: s.main.At()}
		if key := canonical(s.at.main); s.left[key] != nil {
			s.at.own = s.left[key]
			delete(s.left, key)
		}
		return true
	}
	s.ended = true
	for s.Err() == nil && len(s.order) > 0 {
		key := s.order[0]
		s.order = s.order[1:]
		if series := s.left[key]; series != nil {
			s.at = joinedSeries{own: series}
			return true
		}
	}
	return false
}

func (s *joinedSet) At() storage.Series {
	at := s.at // it stays usable
	return &at
}

func (s *joinedSet) Err() error {
	if err := s.main.Err(); err != nil {
		return err
	}
	return s.own.Err()
}

func (s *joinedSet) Close() {
	s.main.Close()
	s.own.Close()
}

// joinedSeries is a series of one store, or of both; the other is nil.
type joinedSeries struct{ main, own storage.Series }

func (s *joinedSeries) first() storage.Series {
	if s.main != nil {
		return s.main
	}
	return s.own
}

func (s *joinedSeries) Key() string            { return s.first().Key() }
func (s *joinedSeries) Labels() storage.Labels { return s.first().Labels() }

func (s *joinedSeries) Iterator(reuse storage.Iterator) storage.Iterator {
	it, ok := reuse.(*joinedIterator)
	if !ok {
		it = &joinedIterator{}
	}
	it.main.open(s.main)
	it.own.open(s.own)
	it.at, it.begun = nil, false
	return it
}

// joinedIterator merges the samples of two stores.
type joinedIterator struct {
	main, own side
	at        *side // the side that it stands on; nil: before the first sample, or behind the last
	begun     bool
}

// side is the iterator of one of the stores. It stands on its first sample that is not behind the one that the joinedIterator stands on.
type side struct {
	it storage.Iterator // if there is no series: memory for the next one
	on bool             // there is a series
	ok bool             // there is a sample
	t  int64            // its time
}

func (s *side) open(series storage.Series) {
	s.on, s.ok = series != nil, false
	if s.on {
		s.it = series.Iterator(s.it)
	}
}

func (s *side) next() {
	if s.ok = s.on && s.it.Next(); s.ok {
		s.t, _ = s.it.At()
	}
}

func (s *side) skipTo(t int64) {
	if s.ok = s.on && s.it.SkipTo(t); s.ok {
		s.t, _ = s.it.At()
	}
}

func (s *side) err() error {
	if s.on {
		return s.it.Err()
	}
	return nil
}

func (it *joinedIterator) Next() bool {
	switch {
	case !it.begun:
		it.main.next()
		it.own.next()
	case it.at == nil:
		return false
	default:
		t := it.at.t
		for _, s := range []*side{&it.main, &it.own} {
			if s.ok && s.t == t {
				s.next()
			}
		}
	}
	return it.settle()
}

func (it *joinedIterator) SkipTo(t int64) bool {
	if it.begun && it.at == nil {
		return false
	}
	for _, s := range []*side{&it.main, &it.own} {
		if !it.begun || s.ok && s.t < t {
			s.skipTo(t)
		}
	}
	return it.settle()
}

// settle chooses the side to stand on. An error of either ends both.
func (it *joinedIterator) settle() bool {
	it.begun, it.at = true, nil
	switch {
	case it.Err() != nil:
	case it.main.ok && (!it.own.ok || it.main.t <= it.own.t):
		it.at = &it.main
	case it.own.ok:
		it.at = &it.own
	}
	return it.at != nil
}

func (it *joinedIterator) At() (int64, float64)          { return it.at.it.At() }
func (it *joinedIterator) AppendValue(dst []byte) []byte { return it.at.it.AppendValue(dst) }
func (it *joinedIterator) Err() error                    { return cmp.Or(it.main.err(), it.own.err()) }
