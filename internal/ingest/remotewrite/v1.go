package remotewrite

import (
	"google.golang.org/protobuf/encoding/protowire"

	"metricd/internal/ingest/wire"
)

// request1 takes a prometheus.WriteRequest, the message of version 1.
//
//	0a  length  TimeSeries   (2: reserved, some proxies use it)   1a  length  MetricMetadata
func (w *work) request1() error {
	for m := (wire.Message{Rest: w.body}); ; {
		if !m.Next() {
			if m.Bad {
				return errUndecodable
			}
			return nil
		}
		var err error
		switch m.Key {
		case 1<<3 | wire.Bytes:
			err = w.series1(m.Data)
		case 3<<3 | wire.Bytes:
			err = w.metadata1(m.Data)
		case 4<<3 | wire.Bytes, 5<<3 | wire.Bytes:
			err = errOther
		default:
			m.Other(1<<1 | 1<<3)
		}
		if err != nil {
			return err
		}
	}
}

// series1 takes a prometheus.TimeSeries.
//
//	0a  length  Label   12  length  Sample   1a  length  Exemplar   22  length  Histogram
//
// All labels come first, from every sender: they are its ident as they are.
func (w *work) series1(b []byte) error {
	n := wire.SkipRun(b, 0x0a)
	if s := wire.SkipRun(b[n:], 0x12); n+s == len(b) { // and samples only, mostly
		return w.elements(b[:n], b[n:], taken, 0, 0)
	}
	ident := b[:n]
	m := wire.Message{Rest: b[n:]}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Bytes: // a label behind something else
			if len(ident) == n {
				w.flat = append(w.flat[:0], b[:n]...)
			}
			w.flat = protowire.AppendBytes(append(w.flat, 0x0a), m.Data)
			ident = w.flat
		case 2<<3 | wire.Bytes, 3<<3 | wire.Bytes, 4<<3 | wire.Bytes:
		default:
			m.Other(1<<1 | 1<<2 | 1<<3 | 1<<4)
		}
	}
	if m.Bad {
		return errUndecodable
	}
	return w.elements(ident, b[n:], taken, 4<<3|wire.Bytes, 3<<3|wire.Bytes)
}

// metadata1 takes a MetricMetadata.
//
//	08  type   12  length  metric family   22  length  help   2a  length  unit
func (w *work) metadata1(b []byte) error {
	var kind uint64
	var metric, help, unit []byte
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Varint:
			kind = m.Bits
		case 2<<3 | wire.Bytes:
			metric = m.Data
		case 4<<3 | wire.Bytes:
			help = m.Data
		case 5<<3 | wire.Bytes:
			unit = m.Data
		default:
			m.Other(1<<1 | 1<<2 | 1<<4 | 1<<5)
		}
	}
	if m.Bad {
		return errUndecodable
	}
	w.tell(metric, kind, help, unit)
	return nil
}
