package index

import (
	"context"
	"sync"
)

// verdicts are what an expression said of the values of a label, by their numbers. They don't change.
type verdicts struct {
	known, yes []uint64 // bitmaps: whether it was tried on a value, and matched
}

// memory keeps the verdicts of expressions, since dashboards ask the same again and again. It has a lock of its own, which is the last.
type memory struct {
	mu   sync.Mutex
	kept map[string]verdicts
}

// maxKept is how many expressions are remembered for one label. Each takes a quarter of a byte a value at most.
const maxKept = 16

// trial tries one pattern on values of a label.
type trial struct {
	l *label
	p *pattern
	verdicts
	changed bool

	ctx   context.Context
	tried int
	over  bool // ctx is done: nothing is tried any more
}

// tryAtOnce is how often an expression is tried between two looks at the context.
const tryAtOnce = 1024

func (l *label) newTrial(ctx context.Context, p *pattern) trial {
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	return trial{l: l, p: p, ctx: ctx, verdicts: l.memory.kept[p.expr]}
}

// test says whether the expression matches a value.
func (t *trial) test(v uint32) bool {
	if hasBit(t.known, v) {
		return hasBit(t.yes, v)
	}
	if t.over {
		return false
	}
	if !t.changed {
		words := (len(t.l.texts) + 63) / 64
		t.known = append(make([]uint64, 0, words), t.known...)[:words]
		t.yes = append(make([]uint64, 0, words), t.yes...)[:words]
		t.changed = true
	}
	if t.tried++; t.tried%tryAtOnce == 0 {
		t.over = t.ctx.Err() != nil
	}
	is := t.p.test(t.l.texts[v])
	t.known[v/64] |= 1 << (v % 64)
	if is {
		t.yes[v/64] |= 1 << (v % 64)
	}
	return is
}

// end keeps what was found out. Where others tried the same meanwhile, one of both is kept.
func (t *trial) end() {
	if !t.changed {
		return
	}
	m := &t.l.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = make(map[string]verdicts)
	}
	if _, has := m.kept[t.p.expr]; !has && len(m.kept) >= maxKept {
		for expr := range m.kept { // any of them
			delete(m.kept, expr)
			break
		}
	}
	m.kept[t.p.expr] = t.verdicts
}
