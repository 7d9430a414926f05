package remotewrite

import (
	"bytes"
	"net/http"

	"metricd/internal/ingest/body"
	"metricd/internal/ingest/wire"
	"metricd/internal/storage"
)

// maxSymbols is how many symbols a message may have.
const maxSymbols = 1 << 20

var (
	errSymbols error = &body.Error{Status: http.StatusRequestEntityTooLarge, Text: "more than 1,048,576 symbols in one message"}
	errOther   error = &body.Error{Status: http.StatusBadRequest, Text: "the message is of the other version of remote write than Content-Type says"}
)

// request2 takes an io.prometheus.write.v2.Request, the message of version 2.
//
//	22  length  symbol   2a  length  TimeSeries   (1 to 3: reserved, so that no message is good for both versions)
//
// Series name their texts by numbers of symbols, from 0. Symbols come first, from every sender, but need not.
func (w *work) request2() error {
	m := wire.Message{Rest: w.body}
	first := -1 // where the first TimeSeries begins
	for at := 0; m.Next(); at = len(w.body) - len(m.Rest) {
		switch m.Key {
		case 4<<3 | wire.Bytes:
			if len(w.symbols) == maxSymbols {
				return errSymbols
			}
			end := len(w.body) - len(m.Rest)
			w.symbols = append(w.symbols, symbol{uint32(end - len(m.Data)), uint32(end)})
		case 5<<3 | wire.Bytes:
			if first < 0 {
				first = at
			}
		case 1<<3 | wire.Bytes, 3<<3 | wire.Bytes:
			return errOther
		default:
			m.Other(1<<4 | 1<<5)
		}
	}
	if m.Bad {
		return errUndecodable
	}
	if first < 0 {
		return nil
	}
	var told metadata2
	for m = (wire.Message{Rest: w.body[first:]}); m.Next(); {
		if m.Key != 5<<3|wire.Bytes {
			continue
		}
		if err := w.series2(m.Data, &told); err != nil {
			return err
		}
	}
	return nil
}

// series2 takes a TimeSeries. told is the metadata of the last one.
//
//	0a  length  numbers of symbols: name, value, name, value …; or 08  number, each for itself
//	12  length  Sample   1a  length  Histogram   22  length  Exemplar   2a  length  Metadata
//
// The numbers come first and at once, from every sender.
func (w *work) series2(b []byte, told *metadata2) error {
	p := pairs{symbols: w.symbols, body: w.body, flat: w.flat[:0]}
	now := metadata2{}
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Bytes:
			m.Bad = !p.packed(m.Data)
		case 1<<3 | wire.Varint:
			p.add(m.Bits)
		case 5<<3 | wire.Bytes:
			m.Bad = !now.decode(m.Data)
		case 2<<3 | wire.Bytes, 3<<3 | wire.Bytes, 4<<3 | wire.Bytes:
		default:
			m.Other(1<<6 - 2)
		}
	}
	w.flat = p.flat
	if m.Bad {
		return errUndecodable
	}
	why := taken
	if p.half || p.lost {
		why = badSymbol
	}
	if now != (metadata2{}) && why == taken {
		if now.metric = p.metric; now != *told {
			*told = now
			w.tell2(now)
		}
	}
	return w.elements(w.flat, b, why, 3<<3|wire.Bytes, 4<<3|wire.Bytes)
}

// symbol is where a symbol lies in a message.
type symbol struct{ start, end uint32 }

// pairs makes an ident of numbers of symbols.
type pairs struct {
	symbols []symbol
	body    []byte // what they lie in
	flat    []byte // the ident

	name   uint64 // of a label, if half
	half   bool   // its value is still to come
	lost   bool   // there was a number without a symbol
	metric uint64 // the value of the label __name__
}

// packed takes numbers, and says whether b holds such.
func (p *pairs) packed(b []byte) bool {
	for len(b) > 0 {
		var n uint64
		switch {
		case b[0] < 0x80:
			n, b = uint64(b[0]), b[1:]
		case len(b) > 1 && b[1] < 0x80:
			n, b = uint64(b[0]&0x7f)|uint64(b[1])<<7, b[2:]
		default:
			var ok bool
			if n, b, ok = wire.LongVarint(b); !ok {
				return false
			}
		}
		p.add(n)
	}
	return true
}

// add takes the next number.
func (p *pairs) add(n uint64) {
	if n >= uint64(len(p.symbols)) {
		p.lost = true
		n = 0
	}
	if p.half = !p.half; p.half {
		p.name = n
		return
	}
	if p.lost {
		return
	}
	a, b := p.symbols[p.name], p.symbols[n]
	if a.end-a.start == uint32(len(storage.MetricName)) && string(p.body[a.start:a.end]) == storage.MetricName {
		p.metric = n
	}
	if !p.short(a, b) {
		p.flat = appendLabel(p.flat, p.body[a.start:a.end], p.body[b.start:b.end])
	}
}

// slack is how many bytes may be read behind what is copied.
const slack = 32

// short is appendLabel for short texts: it copies 32 bytes each, whatever their length is, which costs a fraction of a call
// of copy. It does nothing and returns false where that is not possible.
func (p *pairs) short(name, value symbol) bool {
	n, v := name.end-name.start, value.end-value.start
	at := len(p.flat)
	if n > slack || v > slack || cap(p.flat)-at < 6+2*slack || cap(p.body)-int(max(name.start, value.start)) < slack {
		return false
	}
	body := p.body[:cap(p.body)]
	to := p.flat[at : at+6+2*slack]
	to[0], to[1], to[2], to[3] = 0x0a, byte(n+v+4), 0x0a, byte(n)
	*(*[slack]byte)(to[4:]) = [slack]byte(body[name.start:])
	to = to[4+n:]
	to[0], to[1] = 0x12, byte(v)
	*(*[slack]byte)(to[2:]) = [slack]byte(body[value.start:])
	p.flat = p.flat[:at+int(6+n+v)]
	return true
}

// metadata2 is a Metadata, with the numbers of its symbols.
//
//	08  type   18  help   20  unit
type metadata2 struct {
	kind, help, unit uint64
	metric           uint64
}

func (d *metadata2) decode(b []byte) bool {
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Varint:
			d.kind = m.Bits
		case 3<<3 | wire.Varint:
			d.help = m.Bits
		case 4<<3 | wire.Varint:
			d.unit = m.Bits
		default:
			m.Other(1<<1 | 1<<3 | 1<<4)
		}
	}
	return !m.Bad
}

// tell2 passes metadata on. That of a series of a classic histogram or a summary is that of the metric it belongs to, whose
// name version 2 does not tell.
func (w *work) tell2(d metadata2) {
	n := uint64(len(w.symbols))
	if d.help >= n || d.unit >= n {
		return
	}
	text := func(n uint64) []byte { return w.body[w.symbols[n].start:w.symbols[n].end] }
	metric := text(d.metric)
	var ends []string
	switch d.kind {
	case kindHistogram:
		ends = []string{"_bucket", "_sum", "_count"}
	case kindGaugeHistogram:
		ends = []string{"_bucket", "_gsum", "_gcount"}
	case kindSummary:
		ends = []string{"_sum", "_count"}
	}
	for _, end := range ends {
		if base, ok := bytes.CutSuffix(metric, []byte(end)); ok && len(base) > 0 {
			metric = base
			break
		}
	}
	w.tell(metric, d.kind, text(d.help), text(d.unit))
}
