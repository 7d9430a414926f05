package otlp

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/encoding/protowire"

	"metricd/internal/storage"
)

// An ident is what makes a series, as senders spell it:
//
//	length  job   length  instance   length  name   { 0a  length  KeyValue }   suffix   bound: 8 bytes, a double, little endian
//
// The lengths are varints. name is that of the metric for Prometheus, without suffix; if it is empty the series is the target_info of
// the Resource that stands in place of the attributes. The bound is 0 but for buckets and quantiles.
//
// A sender spells one series in the same way each time, so idents are what the cache knows series by. Two idents of one
// series, say with attributes in another order, are two entries there, and one key.

// suffix says which series of a metric it is.
type suffix byte

const (
	plain suffix = iota
	bucket
	count
	sum
	quantile
)

// suffixes are what is added to the name of the metric, and bounds the label of the bound.
var (
	suffixes = [...]string{plain: "", bucket: "_bucket", count: "_count", sum: "_sum", quantile: ""}
	bounds   = [...]string{plain: "", bucket: "le", count: "", sum: "", quantile: "quantile"}
)

const suffixBytes = 9

func appendText(dst []byte, s string) []byte { return protowire.AppendString(dst, s) }

func appendSuffix(dst []byte, s suffix, bound float64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, byte(s)), math.Float64bits(bound))
}

// namer makes label names as Prometheus does by default.
//
//lint:ignore SA1019 that is what Prometheus sets, and key is not _key without it
var namer = otlptranslator.LabelNamer{UnderscoreLabelSanitization: true, PreserveMultipleUnderscores: true}

// speller makes keys of idents. The zero value is ready; it is for one goroutine.
type speller struct {
	pairs  []storage.Label // attributes
	labels []storage.Label
}

// spell appends to dst the key of the series that ident spells. The reason is why there is no such series; undecodable if the
// attributes are broken, nothing if it is a target_info that Prometheus would not write. maxKey bounds the key, in bytes.
func (s *speller) spell(dst, ident []byte, maxKey int) ([]byte, reason) {
	job, rest := cutText(ident)
	instance, rest := cutText(rest)
	name, rest := cutText(rest)
	raw, end := rest[:len(rest)-suffixBytes], rest[len(rest)-suffixBytes:]
	attrs, ok := attributes(raw)
	if !ok {
		return dst, undecodable
	}
	s.pairs, s.labels = s.pairs[:0], s.labels[:0]
	ignored := []string{storage.MetricName}
	if name == "" {
		ignored = identifying
	}
	for k, v := range attrs.All() {
		if !slices.Contains(ignored, k) {
			s.pairs = append(s.pairs, storage.Label{Name: k, Value: v.AsString()})
		}
	}
	if name == "" && len(s.pairs) == 0 {
		return dst, nothing
	}
	if why := s.merge(); why != taken {
		return dst, why
	}
	if name == "" {
		name = targetInfo
		job, instance = identity(attrs)
		if job == "" && instance == "" && !s.has("job") && !s.has("instance") {
			return dst, nothing
		}
	}
	// Of labels with one name the last counts.
	if job != "" {
		s.labels = append(s.labels, storage.Label{Name: "job", Value: job})
	}
	if instance != "" {
		s.labels = append(s.labels, storage.Label{Name: "instance", Value: instance})
	}
	which := suffix(end[0])
	if label := bounds[which]; label != "" {
		bound := math.Float64frombits(binary.LittleEndian.Uint64(end[1:]))
		s.labels = append(s.labels, storage.Label{Name: label, Value: strconv.FormatFloat(bound, 'f', -1, 64)})
	}
	s.labels = append(s.labels, storage.Label{Name: storage.MetricName, Value: name + suffixes[which]})
	return s.key(dst, maxKey)
}

// merge makes labels of pairs: in order of their names, and those of one label joined.
func (s *speller) merge() reason {
	byName := func(a, b storage.Label) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortStableFunc(s.pairs, byName)
	for i := range s.pairs {
		name, err := namer.Build(s.pairs[i].Name)
		if err != nil {
			return badAttribute
		}
		s.pairs[i].Name = name
	}
	slices.SortStableFunc(s.pairs, byName)
	for rest := s.pairs; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Name == rest[0].Name {
			n++
		}
		l := rest[0]
		if n > 1 {
			l.Value = join(rest[:n])
		}
		s.labels = append(s.labels, l)
		rest = rest[n:]
	}
	return taken
}

// join joins the values of labels; a first one that is empty is none.
func join(all []storage.Label) string {
	var b strings.Builder
	for _, l := range all {
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteString(l.Value)
	}
	return b.String()
}

// has says whether there is such a label.
func (s *speller) has(name string) bool {
	return slices.ContainsFunc(s.labels, func(l storage.Label) bool { return l.Name == name && l.Value != "" })
}

// key appends the key of labels.
func (s *speller) key(dst []byte, maxKey int) ([]byte, reason) {
	size := 0
	for _, l := range s.labels {
		if size += len(l.Name) + len(l.Value); size > maxKey+len(l.Name) { // a name may be replaced
			return dst, longLabels
		}
		if !utf8.ValidString(l.Value) {
			return dst, notUTF8
		}
	}
	set, _ := storage.NewLabels(s.labels...) // none is without a name
	start := len(dst)
	if dst = storage.AppendKey(dst, set); len(dst)-start > maxKey {
		return dst[:start], longLabels
	}
	return dst, taken
}

// cutText reads a text of an ident. It is our own: it can't be broken.
func cutText(b []byte) (string, []byte) {
	text, n := protowire.ConsumeBytes(b)
	if n < 0 {
		panic("BUG: an ident without a text")
	}
	return string(text), b[n:]
}

// attributes returns those of a Resource, which raw is, and whether it is one. pdata is not ours, and meets what anybody sends: its
// panics are errors of the message.
func attributes(raw []byte) (m pcommon.Map, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			ok = false
		}
	}()
	resource := protowire.AppendBytes([]byte{0x0a}, raw) // of a ResourceMetrics
	md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(protowire.AppendBytes([]byte{0x0a}, resource))
	if err != nil {
		return m, false
	}
	return md.ResourceMetrics().At(0).Resource().Attributes(), true
}
