package storage

import (
	"slices"
	"strings"
)

// MetricName is the name of the label that holds a metric's name.
const MetricName = "__name__"

// Label is a name and its value. Both are any bytes; UTF-8 is usual.
type Label struct {
	Name, Value string
}

// Labels is a label set: sorted by name, no name twice, no empty value (a label with an
// empty value is no label), no empty name. The zero value is the empty set, which
// no series has.
type Labels []Label

// NewLabels makes a label set of ls, which it sorts in place and may return. Labels with
// empty values are dropped. Of labels with one name the last counts. ok is false
// if a label has no name.
func NewLabels(ls ...Label) (set Labels, ok bool) {
	slices.SortStableFunc(ls, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	set = ls[:0]
	for i, l := range ls {
		if l.Name == "" {
			return nil, false
		}
		if l.Value == "" || i+1 < len(ls) && ls[i+1].Name == l.Name {
			continue
		}
		set = append(set, l)
	}
	return set, true
}

// Get returns the value of the label name, the empty string if there is none.
func (ls Labels) Get(name string) string {
	for i := range ls {
		if ls[i].Name == name {
			return ls[i].Value
		}
	}
	return ""
}

// Equal says whether both sets hold the same labels.
func (ls Labels) Equal(other Labels) bool { return slices.Equal(ls, other) }
