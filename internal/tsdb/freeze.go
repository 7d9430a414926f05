package tsdb

import (
	"slices"

	"metricd/internal/storage"
)

// A flush begins by freezing the head: every sample in memory is frozen by one change of the
// generation. A frozen run gets no more samples; if its series does, the run is moved aside
// first. When what is frozen is durable in chunks, it is thawed: dropped from memory.
//
//	gen 0: series A {run 0}          freeze: gen 1        put to A: moved[A] = run 0, A {run 1}
//	       series B {run 0}                               thaw: moved[A] and B's run are dropped
//
// A removal can't touch what is frozen, which the flush may be writing, nor chunks. So it leaves an
// erasure, which readers apply to both; the next flush applies it to the chunks.
type freezing struct {
	gen      uint8              // 0 or 1, changed by each freeze
	thaws    uint64             // how many thaws have begun
	frozenID uint64             // lastID at the last freeze: series above it were never in a flush
	moved    []*[seriesPage]run // by page as in head.pages; nil where there is none

	// erased are removals of samples that are frozen or in chunks, by id, in order.
	erased     map[uint64][]erasure
	manyErased bool // there are so many since the last freeze that a flush should apply them
	// dead are series that ended and may have left something on disk, since the last freeze.
	dead []dead
}

// dead is a series that ended.
type dead struct {
	id   uint64
	last int64 // none of its chunks has a sample after this, ms; minInt64: it has none
}

// erasure is a removal of the samples of [mint, maxt] from everything older.
type erasure struct {
	mint, maxt int64
	gen        uint8 // of the head when it came; frozen like runs
}

// maxErased and maxErasedSeries are how many erasures of one series, and series with some, ask for a flush.
const (
	maxErased       = 64
	maxErasedSeries = 1 << 16
)

// freeze freezes the head. What was frozen before must be thawed.
func (h *head) freeze() {
	h.gen ^= 1
	h.frozenID = h.lastID
	h.manyErased = false
}

// unfreeze makes the series ready for samples: if its run is frozen, that is moved aside.
func (h *head) unfreeze(at slot, s *series) {
	if s.root != 0 {
		page := &h.moved[at/seriesPage]
		if *page == nil {
			*page = new([seriesPage]run)
		}
		(*page)[at%seriesPage] = s.run
		s.run = run{}
	}
	s.gen = h.gen
}

// frozen returns the frozen run of a series, nil if it has none.
func (h *head) frozen(at slot, s *series) *run {
	r := &s.run
	if s.gen == h.gen {
		page := h.moved[at/seriesPage]
		if page == nil {
			return nil
		}
		r = &page[at%seriesPage]
	}
	if r.root == 0 {
		return nil
	}
	return r
}

// active returns the run of a series that is not frozen, nil if it has none.
func (h *head) active(s *series) *run {
	if s.gen != h.gen || s.root == 0 {
		return nil
	}
	return &s.run
}

// thawPage drops what is frozen of the series of a page, and at the same time the erasures that were applied to
// their chunks: these may hold samples that came after the erasure.
func (h *head) thawPage(page int) {
	for i := range h.pages[page] {
		s := &h.pages[page][i]
		if r := h.frozen(slot(page*seriesPage+i), s); r != nil {
			h.drop(r)
		}
		s.gen = h.gen
		if len(h.erased) > 0 {
			h.thawErasures(s.id)
		}
	}
	h.moved[page] = nil
}

// erase leaves an erasure.
func (h *head) erase(id uint64, mint, maxt int64) {
	if h.erased == nil {
		h.erased = make(map[uint64][]erasure)
	}
	old := h.erased[id] // readers may have it
	h.erased[id] = append(old[:len(old):len(old)], erasure{mint, maxt, h.gen})
	h.manyErased = h.manyErased || len(old) >= maxErased || len(h.erased) >= maxErasedSeries
}

// thawErasures forgets those of a series that were frozen.
func (h *head) thawErasures(id uint64) {
	old, has := h.erased[id]
	if !has {
		return
	}
	list := slices.DeleteFunc(slices.Clone(old), func(e erasure) bool { return e.gen != h.gen })
	if len(list) == 0 {
		delete(h.erased, id)
	} else {
		h.erased[id] = list
	}
}

// erasedAt says whether an erasure covers t.
func erasedAt(list []erasure, t int64) bool {
	for _, e := range list {
		if e.mint <= t && t <= e.maxt {
			return true
		}
	}
	return false
}

// erasedSince says whether an erasure of this generation covers t.
func erasedSince(list []erasure, t int64, gen uint8) bool {
	for _, e := range list {
		if e.gen == gen && e.mint <= t && t <= e.maxt {
			return true
		}
	}
	return false
}

// holds says whether a series has a sample in [mint, maxt], or maybe: then only its chunks can tell.
func (h *head) holds(at slot, s *series, mint, maxt int64) (is, maybe bool) {
	if mint > maxt {
		return false, false
	}
	if mint <= storage.MinTime && maxt >= storage.MaxTime {
		return true, false // else it would not exist
	}
	if r := h.active(s); r != nil && h.within(r, mint, maxt) {
		return true, false
	}
	erased := h.erased[s.id]
	if r := h.frozen(at, s); r != nil && h.within(r, mint, maxt) {
		if len(erased) == 0 {
			return true, false
		}
		maybe = true
	}
	switch st := h.storedOf(at); {
	case st.known == unknown:
		maybe = true
	case st.known == someChunks && mint <= st.last:
		if st.last <= maxt && len(erased) == 0 {
			return true, false
		}
		maybe = true
	}
	return false, maybe
}

// thawPage drops what is frozen of a page of series. It returns false if there is no such page, and all is thawed.
func (db *DB) thawPage(page int) bool {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	h := db.mu.head
	more := h != nil && page < len(h.pages)
	if more {
		if page == 0 {
			h.thaws++
			h.slab.trim()
		}
		h.thawPage(page)
	}
	done = true
	return more
}
