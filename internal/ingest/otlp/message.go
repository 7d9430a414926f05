package otlp

import (
	"math"

	"metricd/internal/ingest/wire"
)

// request takes an ExportMetricsServiceRequest.
//
//	0a  length  ResourceMetrics
func (w *work) request(b []byte) error {
	m := wire.Message{Rest: b}
	for m.Next() {
		if m.Key != 1<<3|wire.Bytes {
			m.Other(1 << 1)
		} else if err := w.resourceMetrics(m.Data); err != nil {
			return err
		}
	}
	return broken(m.Bad)
}

func broken(bad bool) error {
	if bad {
		return errUndecodable
	}
	return nil
}

// resourceMetrics takes a ResourceMetrics.
//
//	0a  length  Resource   12  length  ScopeMetrics   1a  length  schema URL
//	c2 3e  length  ScopeMetrics, as senders of 2021 have it: where there is no other
//
// A message that comes in parts is all of them, one after the other.
func (w *work) resourceMetrics(b []byte) error {
	var resource []byte
	parts, scopes := 0, uint64(1000)
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Bytes:
			if parts++; parts == 1 {
				resource = m.Data
				continue
			} else if parts == 2 {
				w.joined = append(w.joined[:0], resource...)
			}
			w.joined = append(w.joined, m.Data...)
			resource = w.joined
		case 2<<3 | wire.Bytes:
			scopes = 2
		default:
			m.Other(1<<1 | 1<<2)
		}
	}
	if m.Bad {
		return errUndecodable
	}
	if w.resource = w.resources.get(resource); w.resource.why == undecodable {
		return errUndecodable
	}
	w.prefix = appendText(appendText(w.prefix[:0], w.resource.job), w.resource.instance)
	w.earliest, w.latest = math.MaxUint64, 0
	for m = (wire.Message{Rest: b}); m.Next(); {
		if m.Key != scopes<<3|wire.Bytes {
			continue
		}
		if err := w.scopeMetrics(m.Data); err != nil {
			return err
		}
	}
	return w.targetInfo(resource)
}

// scopeMetrics takes a ScopeMetrics. Prometheus makes nothing of the scope.
//
//	0a  length  InstrumentationScope   12  length  Metric   1a  length  schema URL
func (w *work) scopeMetrics(b []byte) error {
	of := len(w.prefix)
	m := wire.Message{Rest: b}
	for m.Next() {
		if m.Key != 2<<3|wire.Bytes {
			m.Other(1 << 2)
			continue
		}
		err := w.take1(m.Data)
		w.prefix = w.prefix[:of]
		if err != nil {
			return err
		}
	}
	return broken(m.Bad)
}

// The kinds of metrics, with the numbers of their fields in Metric.
const (
	kindGauge       = 5
	kindSum         = 7
	kindHistogram   = 9
	kindExponential = 10
	kindSummary     = 11
)

// metric is a Metric.
type metric struct {
	name, help, unit []byte
	kind             uint64 // 0: none
	data             []byte // a Gauge, Sum …
	temporality      uint64 // of kinds that have one
	monotonic        bool   // a Sum
	empty            bool   // there are no data points

	family *family // nil if the points are to be refused
	told   bool    // it was told to Metadata
}

// decode reads a Metric and says whether b is one. Of a oneof, as the kinds are, the last counts.
//
//	0a  length  name   12  length  description   1a  length  unit   62  length  metadata
//	2a  length  Gauge   3a  length  Sum   4a  length  Histogram   52  length  ExponentialHistogram   5a  length  Summary
func (d *metric) decode(b []byte) bool {
	*d = metric{}
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Bytes:
			d.name = m.Data
		case 2<<3 | wire.Bytes:
			d.help = m.Data
		case 3<<3 | wire.Bytes:
			d.unit = m.Data
		case kindGauge<<3 | wire.Bytes, kindSum<<3 | wire.Bytes, kindHistogram<<3 | wire.Bytes, kindExponential<<3 | wire.Bytes, kindSummary<<3 | wire.Bytes:
			d.kind, d.data = m.Key>>3, m.Data
		default:
			m.Other(1<<1 | 1<<2 | 1<<3 | 1<<kindGauge | 1<<kindSum | 1<<kindHistogram | 1<<kindExponential | 1<<kindSummary)
		}
	}
	return !m.Bad && d.decodeData()
}

// decodeData reads what the kinds have beside their data points, which all have as their first field, and mostly in front.
//
//	0a  length  data point   10  temporality   18  is monotonic: of a Sum
func (d *metric) decodeData() bool {
	n := wire.SkipRun(d.data, 0x0a)
	d.empty = n == 0
	known := uint64(1 << 1)
	switch d.kind {
	case kindSum:
		known |= 1<<2 | 1<<3
	case kindHistogram, kindExponential:
		known |= 1 << 2
	}
	m := wire.Message{Rest: d.data[n:]}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Bytes:
			d.empty = false
		case 2<<3 | wire.Varint:
			d.temporality = uint64(uint32(m.Bits))
		case 3<<3 | wire.Varint:
			d.monotonic = m.Bits != 0
		default:
			m.Other(known)
		}
	}
	d.monotonic = d.monotonic && d.kind == kindSum
	return !m.Bad
}

// why returns why all points of d are to be refused, if not taken.
func (d *metric) why() reason {
	if d.kind == kindGauge || d.kind == kindSummary || d.temporality == 2 {
		return taken
	}
	if d.temporality == 1 {
		return delta
	}
	return noTemporality
}

// take1 takes a Metric.
func (w *work) take1(b []byte) error {
	d := &w.metric
	if !d.decode(b) {
		return errUndecodable
	}
	if d.kind == 0 || d.empty {
		return nil
	}
	why := w.resource.why
	if why == taken {
		why = d.why()
	}
	if why == taken {
		if d.family, why = w.names.get(d, w.maxKey); why == taken {
			w.prefix = appendText(w.prefix, d.family.name)
		}
	}
	m := wire.Message{Rest: d.data}
	for m.Next() {
		if m.Key != 1<<3|wire.Bytes {
			continue
		}
		if err := w.dataPoint(m.Data, why); err != nil {
			return err
		}
	}
	return nil
}
