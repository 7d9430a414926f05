package index

import (
	"cmp"
	"context"
	"slices"

	"metricd/internal/storage"
)

// Postings are the series that match, by ascending id. They are for one goroutine, hold no lock, and stay as they are while the
// index grows.
type Postings struct {
	refs    []storage.Ref
	lastID  uint64
	sets    []set // a series is in all of them; the smallest first
	without []set // and in none of these
	rest    []storage.Matcher
	from    uint32
}

// LastID returns the id up to which series were looked at.
func (p *Postings) LastID() uint64 { return p.lastID }

// Rest returns matchers that are still to be tried on the labels of each series: so few match the others that this is less work.
func (p *Postings) Rest() []storage.Matcher { return p.rest }

// Next returns the next series.
func (p *Postings) Next() (storage.Ref, bool) {
	place, ok := p.next()
	if !ok {
		return 0, false
	}
	return p.refs[place], true
}

// next returns the next place. The first set proposes one; each of the others agrees, or proposes a later one.
func (p *Postings) next() (uint32, bool) {
	if len(p.sets) == 0 {
		return 0, false
	}
search:
	for {
		place, ok := p.sets[0].seek(p.from)
		if !ok {
			p.sets = nil
			return 0, false
		}
		p.from = place + 1
		for i := range p.sets[1:] {
			later, ok := p.sets[i+1].seek(place)
			if !ok {
				p.sets = nil
				return 0, false
			}
			if later > place {
				p.from = later
				continue search
			}
		}
		for i := range p.without {
			if p.without[i].has(place) {
				continue search
			}
		}
		return place, true
	}
}

// Select returns the series that all matchers match; or ctx's error. The zero value of a Matcher is none.
func (x *Index) Select(ctx context.Context, ms []storage.Matcher) (*Postings, error) {
	return x.choose(ctx, ms, true)
}

// SelectAll is Select without a Rest.
func (x *Index) SelectAll(ctx context.Context, ms []storage.Matcher) (*Postings, error) {
	return x.choose(ctx, ms, false)
}

func (x *Index) choose(ctx context.Context, ms []storage.Matcher, mayLeave bool) (p *Postings, err error) {
	cs := newConditions(ms)
	x.view(cs, func() { p = x.selectLocked(ctx, cs, mayLeave) })
	return p, ctx.Err()
}

// view calls f with the lock held, shared if the values that cs asks for are in order.
func (x *Index) view(cs []condition, f func()) {
	wantsSort := func(c condition) bool {
		l := x.mu.labels[c.Name]
		return l != nil && l.wantsSort(&c.pattern)
	}
	x.mu.RLock()
	if !slices.ContainsFunc(cs, wantsSort) {
		defer x.mu.RUnlock()
		f()
		return
	}
	x.mu.RUnlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range cs {
		if wantsSort(c) {
			x.mu.labels[c.Name].sort()
		}
	}
	f()
}

// condition is a matcher, read: a series matches if it has a value of the pattern; or, if not is set, if it has none.
type condition struct {
	storage.Matcher
	pattern pattern
	not     bool
	others  bool // it is the values that do not match the pattern that count
}

// newConditions reads matchers. Where a series without the label matches, it is those that do not match which have to be found, and
// the condition is that a series is none of them.
func newConditions(ms []storage.Matcher) []condition {
	cs := make([]condition, len(ms))
	for i, m := range ms {
		c := condition{Matcher: m, not: m.Matches("")}
		negative := m.Type == storage.MatchNotEqual || m.Type == storage.MatchNotRegexp
		c.others = c.not != negative
		switch m.Type {
		case storage.MatchEqual, storage.MatchNotEqual:
			c.pattern.parts = []part{{m.Value, exactly}}
		default:
			match := m.Matches
			if negative {
				match = func(s string) bool { return !m.Matches(s) }
			}
			c.pattern = newPattern(m.Value, match)
		}
		switch {
		case !c.others:
		case slices.Equal(c.pattern.parts, nothing): // all values are others
			c.pattern.parts, c.others = some, false
		case slices.Equal(c.pattern.parts, anything): // none is
			c.pattern.parts, c.others = nil, false
		}
		cs[i] = c
	}
	return cs
}

// rank orders conditions: those that are cheap to find and leave few series come first.
func (c *condition) rank() int {
	switch {
	case c.Type == storage.MatchEqual && !c.not:
		return 0
	case !c.not && !c.others && !slices.ContainsFunc(c.pattern.parts, func(p part) bool { return p.form != exactly }):
		return 1
	case !c.not:
		return 2
	}
	return 3
}

// leaveValues and leavePlaces are how many values are tried, and how many places are put into a set, in the time in which the
// labels of one series are read and matched.
const (
	leaveValues = 4
	leavePlaces = 128
)

// selectLocked finds the series that match. If mayLeave is set it leaves to Rest what is more work to find than to try. If ctx is
// done it returns anything.
func (x *Index) selectLocked(ctx context.Context, cs []condition, mayLeave bool) *Postings {
	p := &Postings{refs: x.mu.refs[:len(x.mu.refs):len(x.mu.refs)], lastID: x.mu.lastID}
	all := set{all: true, n: uint32(len(x.mu.refs))}
	least := int(all.n)
	cs = slices.Clone(cs)
	slices.SortStableFunc(cs, func(a, b condition) int { return cmp.Compare(a.rank(), b.rank()) })
	for i := range cs {
		c := &cs[i]
		l := x.mu.labels[c.Name]
		if l == nil {
			if c.not {
				continue
			}
			return &Postings{lastID: x.mu.lastID}
		}
		if mayLeave && least*leaveValues < l.work(c) {
			p.rest = append(p.rest, c.Matcher)
			continue
		}
		values := x.valuesLocked(ctx, l, c)
		if mayLeave && len(values) > 1 && least*leavePlaces < x.countLocked(l, values) {
			p.rest = append(p.rest, c.Matcher)
			continue
		}
		s := x.unionLocked(l, values)
		switch {
		case c.not && s.n > 0:
			p.without = append(p.without, s)
		case c.not:
		case s.n == 0:
			return &Postings{lastID: x.mu.lastID}
		default:
			p.sets = append(p.sets, s)
			least = min(least, int(s.n))
		}
	}
	if len(p.sets) == 0 {
		p.sets = append(p.sets, all)
	}
	slices.SortStableFunc(p.sets, func(a, b set) int { return cmp.Compare(a.n, b.n) })
	if dense := int(p.sets[0].n) > len(p.refs)/sparse; dense && len(p.sets)+len(p.without) > 1 {
		p.sets = []set{combine(len(p.refs), p.sets, p.without)}
		p.without = nil
	}
	return p
}

// valuesLocked returns the values that a condition is about.
func (x *Index) valuesLocked(ctx context.Context, l *label, c *condition) []uint32 {
	values := l.match(ctx, x.mu.seed, &c.pattern, false)
	if c.others {
		values = l.rest(values)
	}
	return values
}
