package remotewrite

import (
	"encoding/binary"
	"math"

	"metricd/internal/ingest/wire"
	"metricd/internal/storage"
)

// histogram is a native histogram as either version sends it: their fields are the same.
//
//	08 count, or 11 count as a double       19 sum, a double           20 schema, zigzag     29 zero threshold, a double
//	30 zero count, or 39 as a double        42 negative spans          4a, 52 negative deltas, counts
//	5a positive spans                       62 positive deltas         6a positive counts
//	70 reset hint                           78 time, ms                82 01 custom bounds   (88 01 start time)
//
// Deltas are zigzag varints, counts and bounds doubles, both packed or not. With schema -53 the positive buckets lie
// between the custom bounds: it is a classic histogram in another dress. With other schemas they grow exponentially, and
// there are no series that could hold them.
type histogram struct {
	floats    bool // buckets are counts, else deltas; of a oneof the last counts
	count     float64
	intCount  uint64
	sum       float64
	schema    int32
	threshold float64
	zero      float64
	negative  bool // there are some negative spans or buckets
	t         int64

	spans  []span
	deltas []int64
	counts []float64
	bounds []float64
	long   bool // more of one of these than maxBuckets: they were not all kept

	cumulative []float64 // set by classic: a count for each bound, and for +Inf
}

// span is a run of consecutive buckets.
type span struct {
	offset int32  // buckets left out before it
	length uint32 // buckets
}

const (
	customBounds = -53
	// maxBuckets is how many buckets a histogram may have.
	maxBuckets = 1024
)

// stale says whether h says that its series has ended.
func (h *histogram) stale() bool { return math.Float64bits(h.sum) == storage.StaleNaN }

// decode sets h to the histogram in b and says whether it is one.
func (h *histogram) decode(b []byte) bool {
	*h = histogram{spans: h.spans[:0], deltas: h.deltas[:0], counts: h.counts[:0], bounds: h.bounds[:0], cumulative: h.cumulative}
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Varint:
			h.floats, h.intCount, h.count = false, m.Bits, float64(m.Bits)
		case 2<<3 | wire.Fixed64:
			h.floats, h.intCount, h.count = true, 0, m.Float()
		case 3<<3 | wire.Fixed64:
			h.sum = m.Float()
		case 4<<3 | wire.Varint:
			h.schema = zigzag32(m.Bits)
		case 5<<3 | wire.Fixed64:
			h.threshold = m.Float()
		case 6<<3 | wire.Varint:
			h.zero = float64(m.Bits)
		case 7<<3 | wire.Fixed64:
			h.zero = m.Float()
		case 8<<3 | wire.Bytes, 9<<3 | wire.Varint, 10<<3 | wire.Fixed64:
			h.negative = true
		case 9<<3 | wire.Bytes, 10<<3 | wire.Bytes:
			h.negative = h.negative || len(m.Data) > 0
		case 14<<3 | wire.Varint:
		case 15<<3 | wire.Varint:
			h.t = int64(m.Bits)
		default:
			h.buckets(&m)
		}
	}
	return !m.Bad
}

// buckets reads a field of m that is about positive buckets.
func (h *histogram) buckets(m *wire.Message) {
	switch m.Key {
	case 11<<3 | wire.Bytes:
		s, ok := decodeSpan(m.Data)
		h.spans, m.Bad = keep(h, h.spans, s), !ok
	case 12<<3 | wire.Varint:
		h.deltas = keep(h, h.deltas, zigzag64(m.Bits))
	case 12<<3 | wire.Bytes:
		for b := m.Data; len(b) > 0; {
			v, rest, ok := wire.Uvarint(b)
			if !ok {
				m.Bad = true
				return
			}
			h.deltas, b = keep(h, h.deltas, zigzag64(v)), rest
		}
	case 13<<3 | wire.Fixed64:
		h.counts = keep(h, h.counts, m.Float())
	case 13<<3 | wire.Bytes:
		h.counts = h.doubles(h.counts, m)
	case 16<<3 | wire.Fixed64:
		h.bounds = keep(h, h.bounds, m.Float())
	case 16<<3 | wire.Bytes:
		h.bounds = h.doubles(h.bounds, m)
	default:
		m.Other(1<<17 - 2)
	}
}

// doubles appends the packed doubles of a field.
func (h *histogram) doubles(dst []float64, m *wire.Message) []float64 {
	b := wire.Message{Rest: m.Data}
	if m.Bad = len(b.Rest)%8 != 0; m.Bad {
		return dst
	}
	for ; len(b.Rest) > 0; b.Rest = b.Rest[8:] {
		dst = keep(h, dst, math.Float64frombits(binary.LittleEndian.Uint64(b.Rest)))
	}
	return dst
}

// keep appends v to a list of h, unless that is as long as it may be.
func keep[T any](h *histogram, list []T, v T) []T {
	if len(list) > maxBuckets {
		h.long = true
		return list
	}
	return append(list, v)
}

// decodeSpan reads a BucketSpan.
//
//	08  offset, zigzag  10  length
func decodeSpan(b []byte) (s span, ok bool) {
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Varint:
			s.offset = zigzag32(m.Bits)
		case 2<<3 | wire.Varint:
			s.length = uint32(m.Bits)
		default:
			m.Other(1<<1 | 1<<2)
		}
	}
	return s, !m.Bad
}

func zigzag64(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

func zigzag32(v uint64) int32 { return int32(zigzag64(v & math.MaxUint32)) }

// classic computes cumulative, and says whether h, of schema customBounds, is as it should be: what Prometheus'
// histogram.Validate asks for and ClassicBucketCounts does.
func (h *histogram) classic() bool {
	if h.long || h.zero != 0 || h.threshold != 0 || h.negative || !h.validBounds() {
		return false
	}
	n := len(h.deltas)
	if h.floats {
		n = len(h.counts)
	}
	total, filled := int64(0), int64(0)
	for _, s := range h.spans {
		if s.offset < 0 {
			return false
		}
		filled += int64(s.length)
		total += int64(s.length) + int64(s.offset)
	}
	if filled != int64(n) || total > int64(len(h.bounds)+1) {
		return false
	}
	h.cumulative = h.cumulative[:0]
	for range len(h.bounds) + 1 {
		h.cumulative = append(h.cumulative, 0)
	}
	if !h.fill() {
		return false
	}
	acc := 0.0
	for i, n := range h.cumulative {
		acc += n
		h.cumulative[i] = acc
	}
	if h.stale() {
		for i := range h.cumulative {
			h.cumulative[i] = h.sum
		}
		h.count = h.sum
	}
	return true
}

// validBounds says whether the bounds ascend, and do not end in +Inf, which goes without saying.
func (h *histogram) validBounds() bool {
	prev := math.Inf(-1)
	for i, b := range h.bounds {
		if math.IsNaN(b) || i > 0 && b <= prev {
			return false
		}
		prev = b
	}
	return !math.IsInf(prev, 1)
}

// fill sets cumulative to the counts of the buckets each for itself, and says whether they are possible. The spans are
// known to lie within.
func (h *histogram) fill() bool {
	if h.floats && h.count < 0 {
		return false
	}
	var (
		at, next int
		now      int64  // in the bucket at hand, where deltas are sent
		all      uint64 // in all of them, so
	)
	for _, s := range h.spans {
		at += int(s.offset)
		for range s.length {
			if h.floats {
				h.cumulative[at] = h.counts[next]
			} else {
				now += h.deltas[next]
				all += uint64(now)
				h.cumulative[at] = float64(now)
			}
			if h.cumulative[at] < 0 {
				return false
			}
			at++
			next++
		}
	}
	switch {
	case h.floats:
		return true
	case math.IsNaN(h.sum): // not every observation is in a bucket
		return all <= h.intCount
	default:
		return all == h.intCount
	}
}
