package tsdb

import (
	"cmp"
	"slices"
)

// Late samples, older than the newest of their series, are held in a block beside its tree, in
// order of arrival: to put one there costs as little as to append. They are merged into the tree
// when the block is full, and before anyone reads the series.

// hold takes a sample older than the newest of the run.
func (h *head) hold(r *run, e entry) {
	if r.held == 0 {
		r.held = h.slab.alloc(lateClass)
		h.holding++
	}
	if n := int(r.heldN); n == h.slab.size(r.held) {
		if n == maxHeld {
			h.mergeHeld(r)
		} else {
			larger := h.slab.alloc(h.slab.class(r.held) + 1)
			copy(h.slab.block(larger), h.slab.block(r.held))
			h.slab.release(r.held)
			r.held = larger
		}
	}
	*h.slab.at(r.held, int(r.heldN)) = e
	r.heldN++
}

// settle merges what the run holds and releases the memory that held it.
func (h *head) settle(r *run) {
	if r.held == 0 {
		return
	}
	h.mergeHeld(r)
	h.slab.release(r.held)
	r.held = 0
	h.holding--
}

// mergeHeld merges what the run holds into its tree.
func (h *head) mergeHeld(r *run) {
	held := h.slab.block(r.held)[:r.heldN]
	samples := h.merger.sort(held)
	replaced := len(held) - len(samples) + h.merger.merge(&r.tree, samples)
	r.heldN = 0
	h.overwritten += int64(replaced)
	h.samples -= int64(replaced)
}

// settlePage settles the series of one page. It returns false if there is nothing to settle there
// and behind.
func (h *head) settlePage(page int) bool {
	if h.holding == 0 || page >= len(h.pages) {
		return false
	}
	for i := range h.pages[page] {
		h.settle(&h.pages[page][i].run)
		if h.moved[page] != nil {
			h.settle(&h.moved[page][i])
		}
	}
	return true
}

// within says whether the run has a sample in [mint, maxt], held or not.
func (h *head) within(r *run, mint, maxt int64) bool {
	if r.held != 0 {
		for _, e := range h.slab.block(r.held)[:r.heldN] {
			if mint <= e.t && e.t <= maxt {
				return true
			}
		}
	}
	return r.tree.within(&h.slab, mint, maxt)
}

// sort returns held samples, which are in order of arrival, by ascending time; of those with one
// time the last. What it returns is good until the next call.
func (m *merger) sort(held []entry) []entry {
	mint, maxt := held[0].t, held[0].t
	for _, e := range held {
		mint, maxt = min(mint, e.t), max(maxt, e.t)
	}
	sorted := m.sorted[:len(held)]
	if uint64(maxt)-uint64(mint) < 1<<64/maxHeld {
		// As integers they are sorted in half the time: the time, and below it the place.
		keys := m.keys[:len(held)]
		for i, e := range held {
			keys[i] = (uint64(e.t)-uint64(mint))*maxHeld + uint64(i)
		}
		slices.Sort(keys)
		for i, key := range keys {
			sorted[i] = held[key%maxHeld]
		}
	} else {
		copy(sorted, held)
		slices.SortStableFunc(sorted, func(a, b entry) int { return cmp.Compare(a.t, b.t) })
	}
	last := sorted[:0]
	for i, e := range sorted {
		if i+1 == len(sorted) || sorted[i+1].t != e.t {
			last = append(last, e)
		}
	}
	return last
}
