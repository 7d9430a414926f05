package remotewrite

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"metricd/internal/ingest/wire"
	"metricd/internal/storage"
)

// An ident is how labels are spelled here, whoever sent them: as prometheus.TimeSeries has them, and behind them, for a
// series that a histogram becomes, which of these it is.
//
//	0a  length  { 0a  length  name  12  length  value }     for each label, in the order in which they came
//	00  suffix  upper bound: 8 bytes, a double, little endian     no field has the number 0
//
// A sender spells one series in the same way each time, so idents are what the cache knows series by. Two idents of one
// series, say with labels in another order, are two entries there, and one key.

// suffix says which series of a histogram it is; 0 for other series.
type suffix byte

const (
	plain suffix = iota
	bucket
	count
	sum
)

// names are what is added to the name of the histogram.
var names = [...]string{plain: "", bucket: "_bucket", count: "_count", sum: "_sum"}

const suffixBytes = 10

// appendSuffix makes of the ident in dst that of a series of a histogram. le is the upper bound of a bucket, else 0.
func appendSuffix(dst []byte, s suffix, le float64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, 0, byte(s)), math.Float64bits(le))
}

// maxLabels is how many labels a series may have, empty ones included.
const maxLabels = 4096

// speller makes keys of idents. The zero value is ready; it is for one goroutine.
type speller struct {
	labels storage.Labels
}

// spell appends to dst the key of the series that ident spells. Labels without values are left out, and the others
// sorted. The reason is why there is no such series; undecodable if ident is broken. maxKey bounds the key, in bytes.
func (s *speller) spell(dst, ident []byte, maxKey int) ([]byte, reason) {
	which, le := plain, 0.0
	if n := len(ident) - suffixBytes; n >= 0 && endsInSuffix(ident) {
		which, le = suffix(ident[n+1]), math.Float64frombits(binary.LittleEndian.Uint64(ident[n+2:]))
		ident = ident[:n]
	}
	if why := s.read(string(ident), ident); why != taken {
		return dst, why
	}
	if which != plain {
		s.ofHistogram(which, le)
	}
	slices.SortStableFunc(s.labels, func(a, b storage.Label) int { return strings.Compare(a.Name, b.Name) })
	if why := s.check(maxKey); why != taken {
		return dst, why
	}
	s.labels = slices.DeleteFunc(s.labels, func(l storage.Label) bool { return l.Value == "" })
	if s.labels.Get(storage.MetricName) == "" {
		return dst, noName
	}
	start := len(dst)
	if dst = storage.AppendKey(dst, s.labels); len(dst)-start > maxKey {
		return dst[:start], longLabels
	}
	return dst, taken
}

// endsInSuffix says whether ident has a suffix: the walk over its labels ends at a byte 0, which begins no label.
func endsInSuffix(ident []byte) bool {
	for len(ident) > suffixBytes && ident[0] != 0 {
		m := wire.Message{Rest: ident}
		if !m.Next() {
			return false
		}
		ident = m.Rest
	}
	return len(ident) == suffixBytes && ident[0] == 0
}

// read sets labels to those of ident; text is the same bytes.
func (s *speller) read(text string, ident []byte) reason {
	s.labels = s.labels[:0]
	m := wire.Message{Rest: ident}
	for m.Next() {
		if m.Key != 1<<3|wire.Bytes {
			return undecodable
		}
		if len(s.labels) == maxLabels {
			return longLabels
		}
		end := len(ident) - len(m.Rest)
		l, ok := label(text[end-len(m.Data):end], m.Data)
		if !ok {
			return undecodable
		}
		s.labels = append(s.labels, l)
	}
	if m.Bad {
		return undecodable
	}
	return taken
}

// label reads a prometheus.Label. text is the same bytes as b.
//
//	0a  length  name  12  length  value
func label(text string, b []byte) (l storage.Label, ok bool) {
	m := wire.Message{Rest: b}
	for m.Next() {
		end := len(b) - len(m.Rest)
		switch m.Key {
		case 1<<3 | wire.Bytes:
			l.Name = text[end-len(m.Data) : end]
		case 2<<3 | wire.Bytes:
			l.Value = text[end-len(m.Data) : end]
		default:
			m.Other(1<<1 | 1<<2)
		}
	}
	return l, !m.Bad
}

// ofHistogram makes of the labels of a histogram those of a series of it.
func (s *speller) ofHistogram(which suffix, le float64) {
	const bound = "le"
	if which == bucket {
		s.labels = slices.DeleteFunc(s.labels, func(l storage.Label) bool { return l.Name == bound })
		s.labels = append(s.labels, storage.Label{Name: bound, Value: formatBound(le)})
	}
	for i := range s.labels {
		if l := &s.labels[i]; l.Name == storage.MetricName && l.Value != "" {
			l.Value += names[which]
		}
	}
}

// formatBound prints an upper bound as Prometheus does in the label le: the shortest text that reads back the same, with
// a ".0" where it would read as an integer.
func formatBound(le float64) string {
	if math.IsInf(le, 1) {
		return "+Inf"
	}
	text := strconv.FormatFloat(le+0, 'g', -1, 64) // + 0: no -0
	if !strings.ContainsAny(text, ".eI") {
		text += ".0"
	}
	return text
}

// check says what is wrong with the labels, which are sorted.
func (s *speller) check(maxKey int) reason {
	size := 0
	for i, l := range s.labels {
		switch size += len(l.Name) + len(l.Value); {
		case size > maxKey:
			return longLabels
		case l.Name == "" || !utf8.ValidString(l.Name) || !utf8.ValidString(l.Value):
			return invalidLabel
		case i > 0 && s.labels[i-1].Name == l.Name:
			return duplicateName
		}
	}
	return taken
}

// show returns the labels of ident as a person writes them, as far as they can be read.
func (s *speller) show(ident []byte) string {
	s.read(string(ident[:min(len(ident), maxShown)]), ident[:min(len(ident), maxShown)])
	var b strings.Builder
	b.WriteByte('{')
	for i, l := range s.labels {
		if i > 0 {
			b.WriteByte(',')
		}
		name := strconv.Quote(l.Name)
		if bare := name[1 : len(name)-1]; bare == l.Name {
			name = bare
		}
		b.WriteString(name + "=" + strconv.Quote(l.Value))
	}
	b.WriteByte('}')
	return b.String()
}

// maxShown is how many bytes of an ident are read to show it.
const maxShown = 512
