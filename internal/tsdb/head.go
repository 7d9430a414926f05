package tsdb

import (
	"bytes"
	"hash/maphash"
	"math"
	"slices"

	"metricd/internal/storage"
)

// series is one series of the head. Its memory is a slot, which a later series may take
// over when this one has ended; its id is never used again. It is a line of memory, 64 bytes.
type series struct {
	key       string // as first put
	id        uint64 // ascending in order of first put; 0: the slot is free
	run              // its samples that are not in chunks
	respelled bool   // key is not the canonical spelling
	gen       uint8  // as head.gen; if not, run is frozen (freeze.go)
	next      slot   // the series that followed this one the last time: a guess, to be compared
}

// run is samples of one series in memory. The zero value is an empty one.
type run struct {
	tree         // all but the late ones that are held
	held  ref    // the block with those, 0 if there is none (late.go)
	heldN uint16 // how many they are
}

// stored is what the head knows of the chunks of a series. Only a flush changes it.
type stored struct {
	known      knowledge
	pieces     uint8  // how many chunks there are from pieceFirst on
	open       uint16 // samples in the chunks from openFirst on
	last       int64  // time of the newest sample in chunks, if there are some
	openFirst  int64  // from here on chunks are not full, and are merged when they make a full one
	pieceFirst int64  // from here on they were encoded once
}

// knowledge is how much is known of the chunks of a series.
type knowledge uint8

const (
	noChunks   knowledge = iota // it has none
	someChunks                  // all of stored is valid
	unknown                     // there may be some: nothing was read since Open
)

// slot is the place of a series in the head; 0 is none.
type slot uint32

const (
	seriesPage = 1024 // series allocated together
	// seriesBytes is what a series costs beside its samples, its key and the index, for the
	// memory limit: its slot (64), what is stored of it (32), its place in order (12), rounded up for
	// the room in both.
	seriesBytes = 112
)

// head holds all series and their samples in memory. It does no locking: DB.mu guards it.
type head struct {
	slab   slab
	merger merger
	pages  []*[seriesPage]series
	stored []*[seriesPage]stored
	index  index
	free   []slot

	// order has the slots of all series by ascending id, and ids those ids. Where a series
	// ended the slot is 0; gaps counts those. When they are the greater part both are made anew.
	order []slot
	ids   []uint64
	gaps  int

	lastID   uint64
	keyBytes int64

	// samples is how many there are, and overwritten how many were replaced since Open, as if
	// none of those held did. holding is the number of series that hold some.
	samples     int64
	overwritten int64
	holding     int

	// hidden is how many series have nothing at hiddenBefore (ms) or later, of those that were there when that was counted.
	hidden       int
	hiddenBefore int64

	canonical []byte // memory for the canonical spelling of the key at hand
	touched   uint64 // of no meaning: what lookAhead reads ahead goes here, or the compiler would leave that out

	freezing
}

func newHead() *head {
	h := &head{index: index{seed: maphash.MakeSeed()}}
	h.merger.slab = &h.slab
	h.addPage()
	h.at(0).id = math.MaxUint32 // slot 0 is no series, nor what Ref 0 names
	return h
}

// refOf returns what names the series in slot at to appenders: the slot, and above it the lower
// half of its id, by which to know that the series has not ended.
func refOf(at slot, s *series) storage.Ref { return storage.Ref(at) | storage.Ref(s.id)<<32 }

func (h *head) at(s slot) *series { return &h.pages[s/seriesPage][s%seriesPage] }

func (h *head) storedOf(s slot) *stored { return &h.stored[s/seriesPage][s%seriesPage] }

// addPage makes room for more series.
func (h *head) addPage() {
	first := slot(len(h.pages) * seriesPage)
	h.pages = append(h.pages, new([seriesPage]series))
	h.stored = append(h.stored, new([seriesPage]stored))
	h.moved = append(h.moved, nil)
	for s := first + seriesPage - 1; s > first; s-- {
		h.free = append(h.free, s)
	}
	if first > 0 {
		h.free = append(h.free, first)
	}
}

// find returns the series with this canonical key, 0 if there is none.
func (h *head) find(canonical []byte) slot {
	return h.index.find(h.index.hash(canonical), func(at slot) bool { return h.spells(at, canonical) })
}

// spells says whether the series has this canonical key.
func (h *head) spells(at slot, canonical []byte) bool {
	s := h.at(at)
	if !s.respelled {
		return s.key == string(canonical)
	}
	return bytes.Equal(storage.AppendCanonical(nil, []byte(s.key)), canonical)
}

// add makes a new series, which must not be there yet.
func (h *head) add(key, canonical []byte) slot {
	if h.lastID++; uint32(h.lastID) == 0 {
		h.lastID++ // a free slot must not look like it
	}
	return h.restore(h.lastID, key, canonical)
}

// restore adds a series with an id above that of all others.
func (h *head) restore(id uint64, key, canonical []byte) slot {
	if len(h.free) == 0 {
		h.addPage()
	}
	n := len(h.free) - 1
	at := h.free[n]
	h.free = h.free[:n]

	h.lastID = id
	*h.at(at) = series{key: string(key), id: id, gen: h.gen, respelled: !bytes.Equal(key, canonical)}
	*h.storedOf(at) = stored{}
	h.index.insert(h.index.hash(canonical), at)
	h.order = append(h.order, at)
	h.ids = append(h.ids, id)
	h.keyBytes += int64(len(key))
	return at
}

// end ends the series that order[i] names, with all its samples.
func (h *head) end(i int) {
	at := h.order[i]
	s := h.at(at)
	if s.id <= h.frozenID { // there is something of it on disk, or will be
		h.dead = append(h.dead, dead{s.id, h.lastStored(at, s)})
	}
	if h.hidden > 0 && h.newest(at, s) < h.hiddenBefore {
		h.hidden--
	}
	h.drop(&s.run)
	if r := h.frozen(at, s); r != nil {
		h.drop(r)
	}
	delete(h.erased, s.id)
	h.index.remove(h.index.hash(storage.AppendCanonical(nil, []byte(s.key))), at)
	h.keyBytes -= int64(len(s.key))
	*s = series{}
	h.free = append(h.free, at)
	h.order[i] = 0
	h.gaps++
}

// lastStored returns a time after which no chunk of a series has samples, those of the flush under way included; minInt64: there are none.
func (h *head) lastStored(at slot, s *series) int64 {
	switch st := h.storedOf(at); {
	case st.known == unknown, h.frozen(at, s) != nil:
		return maxInt64
	case st.known == someChunks:
		return st.last
	}
	return minInt64
}

// drop empties a run.
func (h *head) drop(r *run) {
	h.settle(r)
	h.samples -= int64(r.tree.drop(&h.slab))
}

// compact takes the gaps out of order when they are many.
func (h *head) compact() {
	if h.gaps*2 <= len(h.order) {
		return
	}
	order := make([]slot, 0, h.count())
	ids := make([]uint64, 0, h.count())
	for i, at := range h.order {
		if at != 0 {
			order = append(order, at)
			ids = append(ids, h.ids[i])
		}
	}
	h.order, h.ids, h.gaps = order, ids, 0
}

// place returns the index into order of the series with this id, -1 if there is none.
func (h *head) place(id uint64) int {
	i, found := slices.BinarySearch(h.ids, id)
	if !found || h.order[i] == 0 {
		return -1
	}
	return i
}

// after returns the index into order of the first place with an id above id.
func (h *head) after(id uint64) int {
	i, found := slices.BinarySearch(h.ids, id)
	if found {
		i++
	}
	return i
}

// count returns how many series there are.
func (h *head) count() int { return len(h.order) - h.gaps }

// bytes returns the memory in use, as the memory limit counts it: whole pages of samples.
func (h *head) bytes() int64 {
	return int64(h.slab.held)*pageEntries*16 + int64(h.count())*seriesBytes + h.index.bytes() + h.keyBytes
}
