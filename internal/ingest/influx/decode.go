package influx

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"metricd/internal/decimal"
	"metricd/internal/storage"
)

// point is one entry, decoded. Its memory is used again for the next one.
type point struct {
	head   []byte  // measurement, tag, value, tag, value …, each ended by a 0, which none of them can hold
	ends   []int   // where each of them ends in head, without the 0
	fields []field // those that are numbers
	names  []byte  // of fields

	strings int // fields that were ignored
	time    int64
	timed   bool // time is set, in the unit of the request
}

// field is a field with the place of its name in names.
type field struct {
	start, end int
	value      float64
}

// headError is an error in front of the fields, and so of any string.
type headError struct{ error }

func (e headError) Unwrap() error { return e.error }

var errNoLine = errors.New("neither a line nor an error")

// decode reads an entry, which may be blank or a comment: errNoLine. maxKey bounds what its keys may take.
func (p *point) decode(entry []byte, maxKey int) error {
	p.head, p.ends, p.fields, p.names = p.head[:0], p.ends[:0], p.fields[:0], p.names[:0]
	p.strings, p.timed = 0, false
	if isComment(entry) {
		return errNoLine
	}
	dec := lineprotocol.NewDecoderWithBytes(entry)
	if !dec.Next() {
		return errNoLine
	}
	if err := p.decodeHead(dec, maxKey); err != nil {
		return headError{err}
	}
	for {
		name, kind, data, err := dec.NextFieldBytes()
		if err != nil {
			return plain(err)
		}
		if name == nil {
			break
		}
		if kind == lineprotocol.String {
			p.strings++
			continue
		}
		start := len(p.names)
		p.names = append(p.names, name...)
		v, err := number(kind, data)
		if err != nil {
			return fmt.Errorf("field %.50q: %w", p.names[start:], err)
		}
		p.fields = append(p.fields, field{start, len(p.names), v})
	}
	return p.decodeTime(dec, entry)
}

// decodeTime reads the timestamp, and sees that nothing follows.
func (p *point) decodeTime(dec *lineprotocol.Decoder, entry []byte) error {
	stamp, err := dec.TimeBytes()
	if err != nil {
		return plain(err)
	}
	if p.timed = stamp != nil; p.timed {
		if p.time, err = strconv.ParseInt(string(stamp), 10, 64); err != nil {
			return fmt.Errorf("timestamp %.50q is not a number of 64 bits", stamp)
		}
	}
	if bytes.IndexByte(entry, '\n') >= 0 && dec.Next() {
		return errors.New("a quote is not closed")
	}
	return nil
}

// decodeHead reads measurement and tags.
func (p *point) decodeHead(dec *lineprotocol.Decoder, maxKey int) error {
	name, err := dec.Measurement()
	if err != nil {
		return plain(err)
	}
	p.part(name)
	for {
		tag, value, err := dec.NextTag()
		switch {
		case err != nil:
			return plain(err)
		case len(p.head)-1 > maxKey, tag != nil && len(p.head)+len(tag)+1+len(value) > maxKey:
			return fmt.Errorf("measurement and tags are longer than %d bytes", maxKey)
		case tag == nil:
			return nil
		case string(tag) == storage.MetricName:
			return errors.New("a tag can't be called " + storage.MetricName)
		}
		p.part(tag)
		p.part(value)
	}
}

func (p *point) part(b []byte) {
	p.head = append(p.head, b...)
	p.ends = append(p.ends, len(p.head))
	p.head = append(p.head, 0)
}

// labels returns the labels, with an empty name, and the measurement. The text is a copy.
func (p *point) labels() (measurement string, all []storage.Label) {
	text := string(p.head)
	all = make([]storage.Label, 1, 1+len(p.ends)/2)
	all[0].Name = storage.MetricName
	for i := 1; i+1 < len(p.ends); i += 2 {
		all = append(all, storage.Label{Name: text[p.ends[i-1]+1 : p.ends[i]], Value: text[p.ends[i]+1 : p.ends[i+1]]})
	}
	return text[:p.ends[0]], all
}

// shortest returns how many bytes the key of a field has at least: those of its text, of which none is escaped.
func (p *point) shortest(field []byte) int {
	n := len(p.head) - 1 // a 0 for each ; and =
	if string(field) != "value" {
		n += 1 + len(field)
	}
	return n
}

// isComment says whether the first byte that is no space is #.
func isComment(entry []byte) bool {
	for _, c := range entry {
		if c != ' ' {
			return c == '#'
		}
	}
	return false
}

var errValue = errors.New("its value is not a finite number")

// number returns a field's value as a float64: the nearest one.
func number(kind lineprotocol.ValueKind, data []byte) (float64, error) {
	if kind == lineprotocol.Float {
		v, ok := decimal.Parse(data)
		if !ok || math.IsInf(v, 0) || math.IsNaN(v) {
			return 0, errValue
		}
		return v, nil
	}
	v, err := lineprotocol.NewValueFromBytes(kind, data)
	if err != nil {
		return 0, err
	}
	switch kind {
	case lineprotocol.Int:
		return float64(v.IntV()), nil
	case lineprotocol.Uint:
		return float64(v.UintV()), nil
	default:
		if v.BoolV() {
			return 1, nil
		}
		return 0, nil
	}
}

// plain returns what a decoder said without the place, which it counts from the start of the entry, and cut to a length that fits an answer.
func plain(err error) error {
	const most = 200
	if d := new(lineprotocol.DecodeError); errors.As(err, &d) {
		err = d.Err
	}
	if text := err.Error(); len(text) > most {
		return fmt.Errorf("%.*s…", most, text)
	}
	return err
}
