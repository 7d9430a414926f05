package remotewrite

import "google.golang.org/protobuf/encoding/protowire"

// request1 takes a prometheus.WriteRequest, the message of version 1.
//
//	0a  length  TimeSeries   (2: reserved, some proxies use it)   1a  length  MetricMetadata
func (w *work) request1() error {
	for m := (message{rest: w.body}); ; {
		if !m.next() {
			if m.bad {
				return errUndecodable
			}
			return nil
		}
		var err error
		switch m.key {
		case 1<<3 | bytesType:
			err = w.series1(m.data)
		case 3<<3 | bytesType:
			err = w.metadata1(m.data)
		case 4<<3 | bytesType, 5<<3 | bytesType:
			err = errOther
		default:
			m.other(1<<1 | 1<<3)
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
	n := skipRun(b, 0x0a)
	if s := skipRun(b[n:], 0x12); n+s == len(b) { // and samples only, mostly
		return w.elements(b[:n], b[n:], taken, 0, 0)
	}
	ident := b[:n]
	m := message{rest: b[n:]}
	for m.next() {
		switch m.key {
		case 1<<3 | bytesType: // a label behind something else
			if len(ident) == n {
				w.flat = append(w.flat[:0], b[:n]...)
			}
			w.flat = protowire.AppendBytes(append(w.flat, 0x0a), m.data)
			ident = w.flat
		case 2<<3 | bytesType, 3<<3 | bytesType, 4<<3 | bytesType:
		default:
			m.other(1<<1 | 1<<2 | 1<<3 | 1<<4)
		}
	}
	if m.bad {
		return errUndecodable
	}
	return w.elements(ident, b[n:], taken, 4<<3|bytesType, 3<<3|bytesType)
}

// metadata1 takes a MetricMetadata.
//
//	08  type   12  length  metric family   22  length  help   2a  length  unit
func (w *work) metadata1(b []byte) error {
	var kind uint64
	var metric, help, unit []byte
	m := message{rest: b}
	for m.next() {
		switch m.key {
		case 1<<3 | varintType:
			kind = m.bits
		case 2<<3 | bytesType:
			metric = m.data
		case 4<<3 | bytesType:
			help = m.data
		case 5<<3 | bytesType:
			unit = m.data
		default:
			m.other(1<<1 | 1<<2 | 1<<4 | 1<<5)
		}
	}
	if m.bad {
		return errUndecodable
	}
	w.tell(metric, kind, help, unit)
	return nil
}
