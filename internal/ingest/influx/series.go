package influx

import (
	"errors"

	"metricd/internal/storage"
)

const (
	// maxRemembered bounds what one work remembers of series, in bytes of memory, about. A single head may be above it.
	maxRemembered = 8 << 20
	// headSize, labelSize and knownSize are what a head, each of its labels, and each of its fields take beside their text, in bytes, about.
	headSize, labelSize, knownSize = 256, 32, 64
	// maxFields is how many fields of one head are remembered. Others cost their spelling each time.
	maxFields = 64
)

// heads remembers measurements with their tags, and the keys of their fields, by the text of the point's head: agents send the same ones
// again and again. It is for one goroutine.
type heads struct {
	by   map[string]*head // nil: nothing is remembered
	size int              // bytes that it takes, about; at most maxRemembered and a head
}

// head is a measurement with its tags.
type head struct {
	measurement string
	labels      storage.Labels // with the name of the field that was spelled last
	name        *string        // in labels

	fields []known // remembered, in the order in which they came first
	next   int     // the one that is expected
}

// known is a field of a head, and what the store calls its series.
type known struct {
	field string
	key   []byte
	ref   storage.Ref
}

// of returns the head of p.
func (hs *heads) of(p *point) (*head, error) {
	if h := hs.by[string(p.head)]; h != nil {
		h.next = 0
		return h, nil
	}
	measurement, all := p.labels()
	all[0].Value = measurement // anything but nothing, so that it stays
	count := len(all)
	set, _ := storage.NewLabels(all...) // no name is empty: the decoder refuses that
	if len(set) < count {
		return nil, errors.New("a tag is there twice")
	}
	h := &head{measurement: measurement, labels: set}
	for i := range set {
		if set[i].Name == storage.MetricName {
			h.name = &set[i].Value
		}
	}
	if hs.by != nil {
		size := headSize + labelSize*count + 2*len(p.head)
		if hs.size+size > maxRemembered {
			hs.by, hs.size = map[string]*head{}, 0 // clear would keep its memory
		}
		hs.by[string(p.head)] = h
		hs.size += size
	}
	return h, nil
}

// known returns the place of a field of h, which it remembers from now on if it can; else -1.
func (hs *heads) known(h *head, field []byte) int {
	if h.next < len(h.fields) && h.fields[h.next].field == string(field) {
		h.next++
		return h.next - 1
	}
	for i := range h.fields {
		if h.fields[i].field == string(field) {
			h.next = i + 1
			return i
		}
	}
	if hs.by == nil || len(h.fields) == maxFields {
		return -1
	}
	k := known{field: string(field), key: h.spell(nil, field)}
	size := knownSize + len(k.field) + cap(k.key)
	if hs.size+size > maxRemembered {
		return -1
	}
	hs.size += size
	h.fields = append(h.fields, k)
	h.next = len(h.fields)
	return h.next - 1
}

// spell appends the key of a field to dst.
func (h *head) spell(dst, field []byte) []byte {
	*h.name = h.measurement
	if string(field) != "value" {
		*h.name += "_" + string(field)
	}
	return storage.AppendKey(dst, h.labels)
}
