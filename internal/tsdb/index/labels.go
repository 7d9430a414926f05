package index

import (
	"context"
	"maps"
	"slices"

	"metricd/internal/storage"
)

// Refs are the series that have a label, or one value of it, the newest first. They are good until the visitor returns.
type Refs struct {
	x      *Index
	l      *label
	values int      // those before this one are to come
	places []uint32 // and these
	among  *Places  // nil: all
}

// Next returns the next series.
func (r *Refs) Next() (storage.Ref, bool) {
	for {
		for n := len(r.places) - 1; n >= 0; n-- {
			if place := r.places[n]; r.among == nil || hasBit(r.among.bits, place) {
				r.places = r.places[:n]
				return r.x.mu.refs[place], true
			}
		}
		if r.values == 0 {
			r.places = nil
			return 0, false
		}
		r.values--
		r.places = r.x.placesLocked(r.l, uint32(r.values))
	}
}

// Places is a set of series of an index. It does not change.
type Places struct {
	refs []storage.Ref
	bits []uint64
}

// AtMost returns a number that there are no more series than.
func (p *Postings) AtMost() int {
	if len(p.sets) == 0 {
		return 0
	}
	return int(p.sets[0].n)
}

// Places returns all that is still to come.
func (p *Postings) Places() *Places {
	s := &Places{p.refs, make([]uint64, (len(p.refs)+63)/64)}
	if len(p.sets) == 1 && len(p.without) == 0 && p.from == 0 {
		p.sets[0].fill(s.bits)
		p.sets = nil
	}
	for place, ok := p.next(); ok; place, ok = p.next() {
		s.bits[place/64] |= 1 << (place % 64)
	}
	return s
}

// Sift asks about each series, by ascending id, and returns those that are in, and those that may be.
func (s *Places) Sift(look func(storage.Ref) (is, maybe bool)) (in, maybe *Places) {
	in, maybe = &Places{s.refs, make([]uint64, len(s.bits))}, &Places{s.refs, make([]uint64, len(s.bits))}
	for place, ok := seekBits(s.bits, 0); ok; place, ok = seekBits(s.bits, place+1) {
		is, may := look(s.refs[place])
		switch bit := uint64(1) << (place % 64); {
		case is:
			in.bits[place/64] |= bit
		case may:
			maybe.bits[place/64] |= bit
		}
	}
	return in, maybe
}

// VisitNames visits the label names, ascending, each with the series among these that have it, which may be none. nil stands for all
// series. It ends when visit returns false. The lock is held shared all the while.
func (x *Index) VisitNames(among *Places, visit func(name string, refs *Refs) bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(x.mu.labels)) {
		l := x.mu.labels[name]
		if !visit(name, &Refs{x: x, l: l, values: len(l.texts), among: among}) {
			return
		}
	}
}

// Values returns how many values a label has.
func (x *Index) Values(name string) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if l := x.mu.labels[name]; l != nil {
		return len(l.texts)
	}
	return 0
}

// VisitValues returns the values of a label that visit wants to keep, ascending. It is given those that own match, whose names don't
// matter, in this order; each with the series among these that have it, as VisitNames does. If ctx is done it returns some of them.
func (x *Index) VisitValues(ctx context.Context, name string, own []storage.Matcher, among *Places, visit func(value string, refs *Refs) (keep, more bool)) (kept []string) {
	var wanted *pattern // nil: all
	for _, m := range own {
		switch m.Type {
		case storage.MatchEqual:
			wanted = &pattern{parts: []part{{m.Value, exactly}}}
		case storage.MatchRegexp:
			if wanted == nil {
				p := newPattern(m.Value, m.Matches)
				wanted = &p
			}
		}
	}
	x.sorted(name, func(l *label) {
		values := l.sorted
		if wanted != nil {
			values = l.match(ctx, x.mu.seed, wanted, true)
		}
		refs := Refs{x: x, among: among}
		for i, v := range values {
			text := l.texts[v]
			if len(own) > 1 || wanted == nil {
				if !matchAll(own, text) {
					continue
				}
			}
			refs.places = x.placesLocked(l, v)
			keep, more := visit(text, &refs)
			if keep {
				if kept == nil {
					kept = make([]string, 0, len(values)-i) // a list that grows costs twice as much memory, which is most of the time
				}
				kept = append(kept, text)
			}
			if !more {
				return
			}
		}
	})
	return kept
}

func matchAll(ms []storage.Matcher, text string) bool {
	for _, m := range ms {
		if !m.Matches(text) {
			return false
		}
	}
	return true
}

// sorted calls f with a label whose values are all sorted, if there is such a label, with the lock held.
func (x *Index) sorted(name string, f func(*label)) {
	x.mu.RLock()
	if l := x.mu.labels[name]; l == nil || len(l.sorted) == len(l.texts) {
		defer x.mu.RUnlock()
		if l != nil {
			f(l)
		}
		return
	}
	x.mu.RUnlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if l := x.mu.labels[name]; l != nil {
		l.sort()
		f(l)
	}
}
