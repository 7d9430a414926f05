package storagetest

import (
	"context"

	"metricd/internal/storage"
)

// The mutants whose iterators are wrong.

// iterated has wrong iterators.
type iterated struct {
	*reference
	wrong func(made storage.Iterator) storage.Iterator
}

// iterators makes a store whose iterators are what wrong makes of the right ones.
func iterators(wrong func(it refIterator) storage.Iterator) func() storage.Store {
	return func() storage.Store {
		return &iterated{newReference(), func(made storage.Iterator) storage.Iterator { return wrong(*made.(*refIterator)) }}
	}
}

type iteratedSet struct {
	storage.SeriesSet
	wrong func(made storage.Iterator) storage.Iterator
}

type iteratedSeries struct {
	storage.Series
	wrong func(made storage.Iterator) storage.Iterator
}

func (s *iterated) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	return iteratedSet{s.reference.Select(ctx, q), s.wrong}
}

func (set iteratedSet) At() storage.Series { return iteratedSeries{set.SeriesSet.At(), set.wrong} }

func (s iteratedSeries) Iterator(storage.Iterator) storage.Iterator {
	return s.wrong(s.Series.Iterator(nil))
}

// backwards has a SkipTo that goes back.
type backwards struct{ refIterator }

func (it *backwards) SkipTo(t int64) bool {
	if it.i >= 0 && it.i < len(it.samples) {
		it.i = -1
	}
	return it.refIterator.SkipTo(t)
}

// beyond has a SkipTo that goes past the time wanted.
type beyond struct{ refIterator }

func (it *beyond) SkipTo(t int64) bool {
	for it.refIterator.SkipTo(t) {
		if it.samples[it.i].t > t {
			return true
		}
		if !it.Next() {
			return false
		}
	}
	return false
}

// endless looks for samples that are new before it ends.
type endless struct{ refIterator }

func (it *endless) Next() bool {
	if it.i+1 == len(it.samples) && it.set.at != nil {
		s := it.set.s
		s.mu.Lock()
		it.samples = it.set.at.within(it.set.q)
		s.mu.Unlock()
	}
	return it.refIterator.Next()
}

// oneIterator gives the last iterator made again, begun anew.
func oneIterator() storage.Store {
	var last *refIterator
	return iterators(func(it refIterator) storage.Iterator {
		if last == nil {
			last = new(refIterator)
		}
		*last = it
		return last
	})()
}

// snapshotAtSelect reads every series when it is selected.
func snapshotAtSelect() storage.Store { return &early{newReference()} }

type early struct{ *reference }

func (s *early) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	set := s.reference.Select(ctx, q).(*refSet)
	for i, x := range set.found {
		frozen := *x
		frozen.samples = map[int64]float64{}
		s.mu.Lock()
		for t, v := range x.samples {
			frozen.samples[t] = v
		}
		s.mu.Unlock()
		set.found[i] = &frozen
	}
	return set
}
