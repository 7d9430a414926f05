package index

import (
	"context"
	"slices"
	"sort"
	"strings"

	"metricd/internal/storage"
)

// Sees says whether a series counts. It is called with the lock of the index held.
type Sees func(storage.Ref) bool

// Names is a view of the values of the label __name__ and their series, for as long as the call that gives it lasts.
type Names struct {
	x      *Index
	l      *label // all sorted, and with sums; nil: no series has a name
	sees   Sees   // nil: all series count
	prefix string
}

// Browse calls f with the names that begin with prefix. The lock is held all the while, shared unless series came since the last time: then the
// new names are sorted and the series of all are counted.
func (x *Index) Browse(prefix string, sees Sees, f func(*Names)) {
	n := &Names{x: x, sees: sees, prefix: prefix}
	x.mu.RLock()
	if n.l = x.mu.labels[storage.MetricName]; n.l == nil || n.l.summed(len(x.mu.refs)) {
		defer x.mu.RUnlock()
		f(n)
		return
	}
	x.mu.RUnlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if n.l = x.mu.labels[storage.MetricName]; n.l != nil {
		n.l.sort()
		x.sumLocked(n.l)
	}
	f(n)
}

// summed says whether sums are as of so many series.
func (l *label) summed(series int) bool {
	return l.sumsOf == series && len(l.sums) == len(l.texts)+1
}

// sumLocked counts the series of all values.
func (x *Index) sumLocked(l *label) {
	if l.summed(len(x.mu.refs)) {
		return
	}
	l.sums, l.sumsOf = slices.Grow(l.sums[:0], len(l.sorted)+1)[:len(l.sorted)+1], len(x.mu.refs)
	n := uint32(0)
	for i, v := range l.sorted {
		l.sums[i] = n
		n += uint32(len(x.placesLocked(l, v)))
	}
	l.sums[len(l.sorted)] = n
	x.countBytesLocked()
}

// seek returns the index into sorted of the first name at or behind text, from index from on.
func (n *Names) seek(from int, text string) int {
	return from + sort.Search(len(n.l.sorted)-from, func(i int) bool { return n.text(from+i) >= text })
}

// end returns the index of the first name behind from that does not begin with prefix. Those from on that do come first.
func (n *Names) end(from int, prefix string) int {
	return from + sort.Search(len(n.l.sorted)-from, func(i int) bool { return !strings.HasPrefix(n.text(from+i), prefix) })
}

func (n *Names) text(i int) string { return n.l.texts[n.l.sorted[i]] }

// count returns how many series have the names from first to before end.
func (n *Names) count(first, end int) (series int) {
	if n.sees == nil {
		return int(n.l.sums[end] - n.l.sums[first])
	}
	for ; first < end; first++ {
		for _, place := range n.x.placesLocked(n.l, n.l.sorted[first]) {
			if n.sees(n.x.mu.refs[place]) {
				series++
			}
		}
	}
	return series
}

// child returns what there is of a segment, whose names, if it has some, are at index from or behind it.
func (n *Names) child(from int, segment string) storage.Child {
	path := n.prefix + segment
	c := storage.Child{Segment: segment}
	at := n.seek(from, path)
	if path != "" && at < len(n.l.sorted) && n.text(at) == path {
		c.Metric = n.count(at, at+1)
	}
	at = n.seek(at, path+".")
	c.Below = n.count(at, n.end(at, path+"."))
	return c
}

// Children visits the segments behind after, nil for all, by bytes, until visit returns false.
//
// Names are not in the order of their segments: a-b comes before a.c, but its segment a-b behind a. So what a name's segment begins with is
// looked for, too, wherever it goes on with a byte less than a dot.
func (n *Names) Children(after *string, visit func(storage.Child) bool) {
	if n.l == nil {
		return
	}
	at := n.seek(0, n.prefix)
	if after != nil {
		at = n.seek(at, n.prefix+*after)
	}
	for last := after; at < len(n.l.sorted); {
		rest, ok := strings.CutPrefix(n.text(at), n.prefix)
		if !ok {
			return
		}
		segment, _, below := strings.Cut(rest, ".")
		for i := 0; i <= len(segment); i++ {
			part := segment[:i]
			if i < len(segment) && segment[i] >= '.' || last != nil && part <= *last {
				continue
			}
			if c := n.child(at, part); c.Metric+c.Below > 0 && !visit(c) {
				return
			}
			last = &part
		}
		if at++; below {
			at = n.end(at-1, n.prefix+segment+".")
		}
	}
}

// Unnamed returns the places of the series without a name.
func (n *Names) Unnamed() *Places {
	if n.l != nil && int(n.l.sums[len(n.l.sorted)]) == len(n.x.mu.refs) {
		return &Places{}
	}
	s := n.x.newPlacesLocked()
	all := set{all: true, n: uint32(len(s.refs))}
	all.fill(s.bits)
	if n.l != nil {
		for v := range n.l.texts {
			for _, place := range n.x.placesLocked(n.l, uint32(v)) {
				s.bits[place/64] &^= 1 << (place % 64)
			}
		}
	}
	return s
}

func (x *Index) newPlacesLocked() *Places {
	return &Places{x.mu.refs, make([]uint64, (len(x.mu.refs)+63)/64)}
}

// Each visits the series of a set, all if it is nil, by name from a name on and then by ascending id, until visit returns false. Only those with the
// name prefix itself if exact is set, else those with a name that begins with it.
func (n *Names) Each(among *Places, exact bool, from string, visit func(name string, ref storage.Ref) bool) {
	if n.prefix == "" && from == "" {
		unnamed := n.Unnamed()
		for place, ok := seekBits(unnamed.bits, 0); ok; place, ok = seekBits(unnamed.bits, place+1) {
			if (among == nil || hasBit(among.bits, place)) && !visit("", unnamed.refs[place]) {
				return
			}
		}
	}
	if n.l == nil || exact && n.prefix == "" {
		return
	}
	for at := n.seek(n.seek(0, n.prefix), from); at < len(n.l.sorted); at++ {
		name := n.text(at)
		if exact && name != n.prefix || !strings.HasPrefix(name, n.prefix) {
			return
		}
		for _, place := range n.x.placesLocked(n.l, n.l.sorted[at]) {
			if (among == nil || hasBit(among.bits, place)) && !visit(name, n.x.mu.refs[place]) {
				return
			}
		}
	}
}

// Count returns how many series Each would visit from the first one on.
func (n *Names) Count(exact bool) (series int) {
	switch {
	case n.prefix == "" && exact:
		return n.Visible(n.Unnamed(), false)
	case n.prefix == "" && n.sees == nil:
		return len(n.x.mu.refs)
	case n.prefix == "":
		for _, ref := range n.x.mu.refs { // in the order in which they are in memory
			if n.sees(ref) {
				series++
			}
		}
		return series
	case n.l == nil:
		return 0
	}
	first := n.seek(0, n.prefix)
	end := n.end(first, n.prefix)
	if exact {
		end = first
		if first < len(n.l.sorted) && n.text(first) == n.prefix {
			end++
		}
	}
	return n.count(first, end)
}

// Matching returns the places of the series in which all words are found: in the name, or in a label as name=value, in lower case. If ctx is done it
// returns anything.
func (n *Names) Matching(ctx context.Context, words []string) *Places {
	found := n.x.newPlacesLocked()
	all := set{all: true, n: uint32(len(found.refs))}
	all.fill(found.bits)
	one := make([]uint64, len(found.bits))
	words = slices.SortedFunc(slices.Values(words), func(a, b string) int { return len(b) - len(a) }) // long ones leave little to try the others on
	for _, text := range words {
		clear(one)
		w := newWord(text)
		for name, l := range n.x.mu.labels {
			n.x.wordLocked(ctx, one, found.bits, name, l, w)
		}
		for i := range one {
			found.bits[i] &= one[i]
		}
	}
	return found
}

// tryValues is how many values are tried between two looks whether ctx is done.
const tryValues = 4096

// wordLocked adds the places of the series of which a label has a word. Those that are not among need not be added.
func (x *Index) wordLocked(ctx context.Context, found, among []uint64, name string, l *label, w word) {
	var across []string
	inName := false
	if name != storage.MetricName {
		across, inName = w.across(name), w.within(name)
	}
	for v, text := range l.texts {
		if v%tryValues == 0 && ctx.Err() != nil {
			return
		}
		places := x.placesLocked(l, uint32(v))
		if len(places) == 1 && !hasBit(among, places[0]) {
			continue
		}
		if inName || w.within(text) || slices.ContainsFunc(across, func(low string) bool { return strings.HasPrefix(strings.ToLower(text), low) }) {
			part := set{list: places}
			part.fill(found)
		}
	}
}

// Visible returns how many of these series have a name of the prefix, and count.
func (n *Names) Visible(s *Places, exact bool) (series int) {
	if n.prefix != "" || exact {
		n.Each(s, exact, "", func(_ string, ref storage.Ref) bool {
			if n.sees == nil || n.sees(ref) {
				series++
			}
			return true
		})
		return series
	}
	for place, ok := seekBits(s.bits, 0); ok; place, ok = seekBits(s.bits, place+1) {
		if n.sees == nil || n.sees(s.refs[place]) {
			series++
		}
	}
	return series
}
