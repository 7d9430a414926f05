package otlp

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"metricd/internal/ingest/wire"
)

// point is a data point of any kind. Its attributes are in the ident.
//
//	                    attributes  start  time  count   sum      flags
//	NumberDataPoint     3a          11     19                     40      21 value, a double   31 value, an integer of 8 bytes   2a exemplars
//	HistogramDataPoint  4a          11     19    21      29       50      32 counts: 8 bytes each   3a bounds: doubles   42 exemplars   59 min   61 max
//	Exponential…        0a          11     19    21      29       50      30 scale  39 zero count  42 positive  4a negative  5a exemplars  61 min  69 max
//	SummaryDataPoint    3a          11     19    21      29       40      32  length  { 09  quantile, a double   11  value, a double }
//
// Times are ns in 8 bytes, counts 8 bytes, sums doubles, flags a varint. What comes in lists may be packed or not.
type point struct {
	at     uint64 // ns
	stale  bool   // there is no recorded value
	value  float64
	count  uint64
	sum    float64
	hasSum bool
	counts []uint64
	bounds []float64 // upper bounds, or quantiles
	values []float64 // of quantiles
	long   bool      // more of one of these than a point may have: they were not all kept
}

// maxBuckets is how many bounds of buckets, or quantiles, a point may have.
const maxBuckets = 1024

// noRecordedValue is the flag of a point that says that its series has ended.
const noRecordedValue = 1

// decodePoint sets point to the data point in b, which is of the metric at hand, and appends its attributes to ident. It says whether it is one.
func (w *work) decodePoint(b []byte) bool {
	p := &w.point
	*p = point{counts: p.counts[:0], bounds: p.bounds[:0], values: p.values[:0]}
	switch w.metric.kind {
	case kindHistogram:
		return w.histogramPoint(b)
	case kindExponential:
		return w.exponentialPoint(b)
	case kindSummary:
		return w.summaryPoint(b)
	}
	return w.numberPoint(b)
}

// attribute appends an attribute to ident, in the way that a Resource has it, whatever its field was called here.
func (w *work) attribute(b []byte) {
	w.ident = protowire.AppendBytes(append(w.ident, 0x0a), b)
}

func (w *work) numberPoint(b []byte) bool {
	p := &w.point
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 7<<3 | wire.Bytes:
			w.attribute(m.Data)
		case 3<<3 | wire.Fixed64:
			p.at = m.Bits
		case 4<<3 | wire.Fixed64:
			p.value = m.Float()
		case 6<<3 | wire.Fixed64:
			p.value = float64(int64(m.Bits))
		case 8<<3 | wire.Varint:
			p.stale = m.Bits&noRecordedValue != 0
		default:
			m.Other(1<<3 | 1<<4 | 1<<6 | 1<<7 | 1<<8)
		}
	}
	return !m.Bad
}

func (w *work) histogramPoint(b []byte) bool {
	p := &w.point
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 9<<3 | wire.Bytes:
			w.attribute(m.Data)
		case 10<<3 | wire.Varint:
			p.stale = m.Bits&noRecordedValue != 0
		case 6<<3 | wire.Fixed64:
			p.counts = keep(p, p.counts, m.Bits)
		case 6<<3 | wire.Bytes:
			p.packed(&m, func(bits uint64) { p.counts = keep(p, p.counts, bits) })
		case 7<<3 | wire.Fixed64:
			p.bounds = keep(p, p.bounds, m.Float())
		case 7<<3 | wire.Bytes:
			p.packed(&m, func(bits uint64) { p.bounds = keep(p, p.bounds, math.Float64frombits(bits)) })
		default:
			p.total(&m, 1<<6|1<<7|1<<9|1<<10)
		}
	}
	return !m.Bad
}

func (w *work) exponentialPoint(b []byte) bool {
	p := &w.point
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Bytes:
			w.attribute(m.Data)
		case 10<<3 | wire.Varint:
			p.stale = m.Bits&noRecordedValue != 0
		default:
			p.total(&m, 1<<1|1<<10)
		}
	}
	return !m.Bad
}

func (w *work) summaryPoint(b []byte) bool {
	p := &w.point
	p.hasSum = true // there always is one
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 7<<3 | wire.Bytes:
			w.attribute(m.Data)
		case 8<<3 | wire.Varint:
			p.stale = m.Bits&noRecordedValue != 0
		case 6<<3 | wire.Bytes:
			m.Bad = !p.quantile(m.Data)
		default:
			p.total(&m, 1<<6|1<<7|1<<8)
		}
	}
	return !m.Bad
}

// total reads a field that all but NumberDataPoint have. known are the numbers that its caller does.
func (p *point) total(m *wire.Message, known uint64) {
	switch m.Key {
	case 3<<3 | wire.Fixed64:
		p.at = m.Bits
	case 4<<3 | wire.Fixed64:
		p.count = m.Bits
	case 5<<3 | wire.Fixed64:
		p.sum, p.hasSum = m.Float(), true
	default:
		m.Other(known | 1<<3 | 1<<4 | 1<<5)
	}
}

// packed calls f with each of the 8 bytes that a field consists of.
func (p *point) packed(m *wire.Message, f func(bits uint64)) {
	b := m.Data
	for ; len(b) >= 8; b = b[8:] {
		f(binary.LittleEndian.Uint64(b))
	}
	m.Bad = len(b) > 0
}

// quantile reads a ValueAtQuantile.
func (p *point) quantile(b []byte) bool {
	var q, v float64
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Fixed64:
			q = m.Float()
		case 2<<3 | wire.Fixed64:
			v = m.Float()
		default:
			m.Other(1<<1 | 1<<2)
		}
	}
	p.bounds, p.values = keep(p, p.bounds, q), keep(p, p.values, v)
	return !m.Bad
}

// keep appends v to a list of p, unless that is as long as it may be.
func keep[T any](p *point, list []T, v T) []T {
	if len(list) > maxBuckets { // the bucket without a bound has a count
		p.long = true
		return list
	}
	return append(list, v)
}
