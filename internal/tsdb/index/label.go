package index

import (
	"context"
	"hash/maphash"
	"slices"
	"sort"
	"strings"
)

// label has the values of one label name. Values are numbered in the order in which they were first seen.
type label struct {
	texts  []string // of values, in the memory of keys
	places []uint32 // of values: the place of the only series with it, or many and the number of a list
	sorted []uint32 // values by text, up to a time: those whose numbers are behind its length are not in it yet
	table  table    // of values
	last   uint32   // value of the series that was added last
	sums   []uint32 // for each place in sorted, and behind the last, how many series have the values before it; as of sumsOf series
	sumsOf int
	memory memory
}

// many marks a number of a list. There are less than 1<<31 series: each takes 64 bytes and more elsewhere.
const many = 1 << 31

// valueBytes is what a value takes: 16, 4, 4, and a table entry of 8 that is used by five eighths.
const valueBytes = 37

func (l *label) find(seed maphash.Seed, text string) (value uint32, ok bool) {
	return l.table.find(uint32(maphash.String(seed, text)), func(v uint32) bool { return l.texts[v] == text })
}

// value returns the number of a value, a new one if it was not there.
func (l *label) value(seed maphash.Seed, text string) (value uint32, isNew bool) {
	if len(l.texts) > 0 && l.texts[l.last] == text {
		return l.last, false
	}
	hash := uint32(maphash.String(seed, text))
	v, ok := l.table.find(hash, func(v uint32) bool { return l.texts[v] == text })
	if !ok {
		v = uint32(len(l.texts))
		l.texts = append(l.texts, text)
		l.table.insert(hash, v)
	}
	l.last = v
	return v, !ok
}

// sort puts the values into order that came since the last time. It looks for the place of each, and moves what lies between.
func (l *label) sort() {
	old := len(l.sorted)
	n := len(l.texts)
	if old == n {
		return
	}
	byText := func(a, b uint32) int { return strings.Compare(l.texts[a], l.texts[b]) }
	l.sorted = slices.Grow(l.sorted, n-old)[:n]
	if old == 0 {
		for i := range l.sorted {
			l.sorted[i] = uint32(i)
		}
		slices.SortFunc(l.sorted, byText)
		return
	}
	fresh := make([]uint32, n-old)
	for i := range fresh {
		fresh[i] = uint32(old + i)
	}
	slices.SortFunc(fresh, byText)
	for end := old; len(fresh) > 0; {
		last := len(fresh) - 1
		at, _ := slices.BinarySearchFunc(l.sorted[:end], fresh[last], byText)
		copy(l.sorted[at+last+1:], l.sorted[at:end])
		l.sorted[at+last] = fresh[last]
		fresh, end = fresh[:last], at
	}
}

// within returns the sorted values that begin with prefix.
func (l *label) within(prefix string) []uint32 {
	first := sort.Search(len(l.sorted), func(i int) bool { return l.texts[l.sorted[i]] >= prefix })
	rest := l.sorted[first:]
	n := sort.Search(len(rest), func(i int) bool { return !strings.HasPrefix(l.texts[rest[i]], prefix) })
	return rest[:n]
}

// fewValues are cheaper to look at than to sort.
const fewValues = 32

// wantsSort says whether the values must be in order for a pattern.
func (l *label) wantsSort(p *pattern) bool {
	if len(l.sorted) == len(l.texts) || len(l.texts) <= fewValues {
		return false
	}
	return slices.ContainsFunc(p.parts, func(p part) bool { return p.form != exactly && p.text != "" })
}

// work returns how many values must be looked at for a condition, about.
func (l *label) work(c *condition) (n int) {
	if c.others {
		return len(l.texts)
	}
	for _, part := range c.pattern.parts {
		switch {
		case part.form == exactly:
			n++
		case part.text == "" || len(l.sorted) < len(l.texts):
			n += len(l.texts)
		default:
			n += len(l.within(part.text))
		}
	}
	return n
}

// match returns the values that match, each once; by text if that is asked for, and all values are sorted. If ctx is done it returns some
// of them.
func (l *label) match(ctx context.Context, seed maphash.Seed, p *pattern, byText bool) (values []uint32) {
	t := l.newTrial(ctx, p)
	defer t.end()
	for _, part := range p.parts {
		switch {
		case part.form == exactly:
			if v, ok := l.find(seed, part.text); ok {
				values = append(values, v)
			}
		case byText || part.text != "" && len(l.sorted) == len(l.texts):
			for _, v := range l.within(part.text) {
				if t.is(v, part) {
					values = append(values, v)
				}
			}
		default:
			for v := range uint32(len(l.texts)) {
				if strings.HasPrefix(l.texts[v], part.text) && t.is(v, part) {
					values = append(values, v)
				}
			}
		}
	}
	return values
}

// is says whether a value that begins with part's text matches it.
func (t *trial) is(v uint32, part part) bool {
	switch part.form {
	case longer:
		return len(t.l.texts[v]) > len(part.text)
	case perhaps:
		return t.test(v)
	}
	return true
}

// rest returns all values but those, which it sorts.
func (l *label) rest(values []uint32) []uint32 {
	slices.Sort(values)
	rest := make([]uint32, 0, len(l.texts)-len(values))
	for v := range uint32(len(l.texts)) {
		if len(values) > 0 && values[0] == v {
			values = values[1:]
			continue
		}
		rest = append(rest, v)
	}
	return rest
}
