package promql

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"metricd/internal/storage"
)

// millis is a time in milliseconds since the Unix epoch. It is another name of int64, without which go vet takes Seek for a wrong
// io.Seeker.
type millis = int64

// iterator is an iterator of the store as the engine reads it: floats only, without start timestamps.
type iterator struct {
	querier *querier
	in      storage.Iterator
	t       int64
	v       float64
}

// reset makes it the iterator of another series, before its first sample.
func (it *iterator) reset(s *series) {
	it.querier = s.querier
	it.in = s.in.Iterator(it.in)
}

// arrived takes over the sample that the store's iterator moved to, if it did.
func (it *iterator) arrived(ok bool) chunkenc.ValueType {
	if !ok {
		return chunkenc.ValNone
	}
	it.t, it.v = it.in.At()
	return chunkenc.ValFloat
}

func (it *iterator) Next() chunkenc.ValueType         { return it.arrived(it.in.Next()) }
func (it *iterator) Seek(t millis) chunkenc.ValueType { return it.arrived(it.in.SkipTo(t)) }

func (it *iterator) At() (int64, float64) { return it.t, it.v }
func (it *iterator) AtT() int64           { return it.t }
func (it *iterator) AtST() int64          { return 0 }

func (it *iterator) Err() error {
	if err := it.in.Err(); err != nil {
		return it.querier.fail(err)
	}
	return nil
}

func (it *iterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	return it.t, nil // never asked for: all values are floats
}

func (it *iterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return it.t, nil // as above
}
