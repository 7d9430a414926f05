package promql

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	promstorage "github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"

	"metricd/internal/storage"
)

// NewQueryable returns a Store as Prometheus' engine sees it. Its queriers, and all they give, are each for one goroutine.
func NewQueryable(store storage.Store) promstorage.Queryable { return &queryable{store: store} }

// queryable is a Store, and, when it serves one query, the first error that its series met. The engine looks for such an error in
// nearly all places; it must not be overlooked in any.
type queryable struct {
	store reader
	err   error
}

// Querier returns a querier of the samples in [mint, maxt], both inclusive.
func (d *queryable) Querier(mint, maxt int64) (promstorage.Querier, error) {
	return &querier{data: d, mint: mint, maxt: maxt}, nil
}

// querier gives the series of one query. The sets it opened stay open until Close, since their series are used until then.
type querier struct {
	data       *queryable
	mint, maxt int64
	sets       []storage.SeriesSet
	builder    labels.ScratchBuilder
}

// fail notes and returns an error of the store.
func (q *querier) fail(err error) error {
	err = fromStore(err)
	if q.data.err == nil {
		q.data.err = err
	}
	return err
}

// query translates what is asked. The range of the hints, if there are some, is what is needed for this selector.
func (q *querier) query(hints *promstorage.SelectHints, matchers []*labels.Matcher) (storage.Query, error) {
	ms, err := translate(matchers)
	if err != nil {
		return storage.Query{}, err
	}
	asked := storage.Query{Matchers: ms, Mint: q.mint, Maxt: q.maxt}
	if hints != nil && !hints.DisableTrimming {
		asked.Mint, asked.Maxt = hints.Start, hints.End
	}
	return asked, nil
}

// Select returns the series that match, in the order of the store or, if asked, of their labels.
func (q *querier) Select(ctx context.Context, sortSeries bool, hints *promstorage.SelectHints, matchers ...*labels.Matcher) promstorage.SeriesSet {
	asked, err := q.query(hints, matchers)
	if err != nil {
		return promstorage.ErrSeriesSet(err)
	}
	in := q.data.store.Select(ctx, asked)
	q.sets = append(q.sets, in)
	set := &seriesSet{querier: q, in: in}
	if sortSeries {
		return set.sorted()
	}
	return set
}

// LabelValues returns the values of a label in the series that match, ascending.
func (q *querier) LabelValues(ctx context.Context, name string, hints *promstorage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	asked, err := q.query(nil, matchers)
	if err != nil {
		return nil, nil, err
	}
	values, err := q.data.store.LabelValues(ctx, name, asked)
	values, _ = hints.ApplyLimit(values)
	return values, nil, fromStore(err)
}

// LabelNames returns the names of labels in the series that match, ascending.
func (q *querier) LabelNames(ctx context.Context, hints *promstorage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	asked, err := q.query(nil, matchers)
	if err != nil {
		return nil, nil, err
	}
	names, err := q.data.store.LabelNames(ctx, asked)
	names, _ = hints.ApplyLimit(names)
	return names, nil, fromStore(err)
}

// Close closes the sets.
func (q *querier) Close() error {
	for _, set := range q.sets {
		set.Close()
	}
	q.sets = nil
	return nil
}

// seriesBlock is how many series are allocated at once.
const seriesBlock = 64

// seriesSet is a set of the store as the engine reads it.
type seriesSet struct {
	querier *querier
	in      storage.SeriesSet
	block   []series // where series are made; those of an earlier block are the engine's
}

func (s *seriesSet) Next() bool {
	if !s.in.Next() {
		return false
	}
	if len(s.block) == cap(s.block) {
		s.block = make([]series, 0, seriesBlock)
	}
	s.block = append(s.block, series{querier: s.querier, in: s.in.At()})
	return true
}

func (s *seriesSet) At() promstorage.Series { return &s.block[len(s.block)-1] }

func (s *seriesSet) Err() error {
	if err := s.in.Err(); err != nil {
		return s.querier.fail(err)
	}
	return nil
}

func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// sorted reads all series and returns them ordered by labels.
func (s *seriesSet) sorted() promstorage.SeriesSet {
	var all []promstorage.Series
	for s.Next() {
		all = append(all, s.At())
	}
	if err := s.Err(); err != nil {
		return promstorage.ErrSeriesSet(err)
	}
	slices.SortFunc(all, func(a, b promstorage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &sortedSet{all: all}
}

// sortedSet is series in order: those not walked over yet, behind the one at hand.
type sortedSet struct {
	at  promstorage.Series
	all []promstorage.Series
}

func (s *sortedSet) Next() bool {
	if len(s.all) == 0 {
		return false
	}
	s.at, s.all = s.all[0], s.all[1:]
	return true
}

func (s *sortedSet) At() promstorage.Series            { return s.at }
func (s *sortedSet) Err() error                        { return nil }
func (s *sortedSet) Warnings() annotations.Annotations { return nil }

// series is one series of the store.
type series struct {
	querier *querier
	in      storage.Series
	labels  labels.Labels // empty until asked for: no series has the empty set
}

func (s *series) Labels() labels.Labels {
	if s.labels.IsEmpty() {
		b := &s.querier.builder
		b.Reset()
		for _, l := range s.in.Labels() {
			b.Add(l.Name, l.Value)
		}
		s.labels = b.Labels()
	}
	return s.labels
}

func (s *series) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	it, ok := reuse.(*iterator)
	if !ok {
		it = &iterator{}
	}
	it.reset(s)
	return it
}
