package tsdb

import (
	"slices"

	"metricd/internal/tsdb/blocks"
)

// readAhead reads the chunks of the series that a seriesSet comes to next, of several at once. Chunks lie by window first, so with
// many windows and few samples in each, a series at a time costs a seek and a block for each chunk; this costs that for each window.
// It keeps copies of the bytes, up to a limit, and nothing of the store. What it has is of use as long as nothing
// was dropped from memory since: what was not in chunks yet is in memory still. Not for concurrent use.
type readAhead struct {
	limit  int // bytes
	thaws  uint64
	series []aheadSeries // ascending ids
	parts  []aheadPart
	data   []byte
	n      int  // how many series to read at once the next time
	wait   int  // series to leave out before that
	off    bool // chunks are damaged: each series is to meet that by itself
}

// aheadSeries is a series all of whose samples in [from, to] are in parts, in those from head to tail.
type aheadSeries struct {
	id         uint64
	from, to   int64
	head, tail int32 // in parts; -1: none
}

// aheadPart is a chunk.
type aheadPart struct {
	window, first int64
	start, size   int32 // in data
	of            int32 // its series
	next          int32 // the next of its series, in parts; -1: none
}

const (
	aheadBytes = 512 << 10
	partBytes  = 32 // of an aheadPart
	// aheadWait is for how many series nothing is read ahead after one filled the limit by itself.
	aheadWait = 32
)

// newAhead returns one for a set of series, with the memory of one that is done if there is one: fresh memory costs more than what is read.
func (db *DB) newAhead() *readAhead {
	a, _ := db.aheads.Get().(*readAhead)
	if a == nil {
		a = new(readAhead)
	}
	*a = readAhead{limit: db.opts.aheadBytes, series: a.series[:0], parts: a.parts[:0], data: a.data[:0]}
	return a
}

// of returns what there is of a series from time from on, nil if that is nothing.
func (a *readAhead) of(id, thaws uint64, from int64) *aheadSeries {
	if a.thaws != thaws {
		return nil
	}
	i, found := slices.BinarySearchFunc(a.series, id, func(s aheadSeries, id uint64) int {
		if s.id < id {
			return -1
		}
		return int(min(s.id-id, 1))
	})
	if !found || from < a.series[i].from || from > a.series[i].to {
		return nil
	}
	return &a.series[i]
}

// prepare is called before the chunks of the first of some series are read, from time from to end. next are ascending by id.
func (a *readAhead) prepare(store *blocks.Store, eras eras, next []found, thaws uint64, from, end int64) {
	if a.off || len(next) == 0 || a.of(next[0].id, thaws, from) != nil {
		return
	}
	if a.wait > 0 {
		a.wait--
		return
	}
	n := min(a.n, len(next))
	if a.n = max(1, a.n); n <= 1 { // who reads one series need not wait for two
		a.n = 2
		return
	}
	a.thaws, a.series, a.parts, a.data = thaws, a.series[:0], a.parts[:0], a.data[:0]
	for _, f := range next[:n] {
		a.series = append(a.series, aheadSeries{id: f.id, from: from, to: end, head: -1, tail: -1})
	}
	if err := a.read(store, eras, from, end); err != nil {
		a.series, a.off = a.series[:0], true
		return
	}
	switch left := len(a.series); {
	case left == 1:
		a.n, a.wait = 2, aheadWait
	case left < n:
		a.n = left
	case a.size() < a.limit/2:
		a.n = min(2*a.n, setChunk)
	}
}

// read reads all chunks of the series, or of the first ones, as many as the limit allows.
func (a *readAhead) read(store *blocks.Store, eras eras, from, end int64) error {
	cur, err := store.NewCursor()
	if err != nil {
		return err
	}
	defer cur.Close()
	w, next := eras.window(from)
	if cur.SeekFrom(w, a.series[0].id, minInt64) && cur.Window() == w {
		for i := 0; i < len(a.series); i++ {
			for ok := cur.SeekTime(w, a.series[i].id, from); ok && cur.First() <= end; ok = cur.Next() {
				if err := a.add(i, cur); err != nil {
					return err
				}
				if i >= len(a.series) || cur.First() > a.series[i].to {
					break
				}
			}
		}
	}
	for cur.SeekFrom(next, a.series[0].id, minInt64) && cur.Window() <= min(end, a.series[0].to) {
		w = cur.Window()
		if err := a.window(cur, w, end); err != nil {
			return err
		}
		_, next = eras.window(w)
	}
	return cur.Err()
}

// window reads the chunks of window w that begin up to end. The cursor is on one of them.
func (a *readAhead) window(cur *blocks.Cursor, w, end int64) error {
	for i, ok := 0, true; ok && cur.Window() == w && i < len(a.series); {
		switch s := &a.series[i]; {
		case s.id < cur.ID(), s.id == cur.ID() && cur.First() > min(end, s.to):
			i++
		case s.id > cur.ID():
			ok = cur.SeekFrom(w, s.id, minInt64)
		default:
			if err := a.add(i, cur); err != nil {
				return err
			}
			ok = cur.Next()
		}
	}
	return nil
}

// add takes the chunk on which the cursor is, of the series at i. Beyond the limit it drops series from the end, or, of the
// last one that is left, what comes from this chunk on.
func (a *readAhead) add(i int, cur *blocks.Cursor) error {
	data, err := cur.Chunk()
	if err != nil {
		return err
	}
	for a.size()+partBytes+len(data) > a.limit {
		if len(a.series) == 1 {
			a.series[0].to = cur.First() - 1
			return nil
		}
		a.halve()
		if i >= len(a.series) {
			return nil
		}
	}
	a.link(aheadPart{cur.Window(), cur.First(), int32(len(a.data)), int32(len(data)), int32(i), -1})
	a.data = append(a.data, data...)
	return nil
}

// link appends a part, whose data is there or comes next.
func (a *readAhead) link(p aheadPart) {
	s, at := &a.series[p.of], int32(len(a.parts))
	if a.parts = append(a.parts, p); s.tail < 0 {
		s.head = at
	} else {
		a.parts[s.tail].next = at
	}
	s.tail = at
}

// size returns how many bytes are kept.
func (a *readAhead) size() int { return len(a.data) + partBytes*len(a.parts) }

// halve drops the second half of the series, and moves up what stays.
func (a *readAhead) halve() {
	a.series = a.series[:(len(a.series)+1)/2]
	for i := range a.series {
		a.series[i].head, a.series[i].tail = -1, -1
	}
	old, data := a.parts, a.data
	a.parts, a.data = a.parts[:0], a.data[:0]
	for _, p := range old {
		if int(p.of) < len(a.series) {
			from := data[p.start : p.start+p.size]
			p.start, p.next = int32(len(a.data)), -1
			a.link(p)
			a.data = append(a.data, from...)
		}
	}
}

// decode reads samples of s from time from on as pieceReader.decode does.
func (a *readAhead) decode(p *pieceReader, s *aheadSeries, from, end int64) error {
	c := &p.chunks
	c.to = min(end, s.to)
	for at := s.head; at >= 0; at = a.parts[at].next {
		part := &a.parts[at]
		if part.next >= 0 && a.parts[part.next].first <= from {
			continue
		}
		if part.first > end || len(c.times) >= p.least {
			if n := len(c.times); n >= p.least {
				c.to = c.times[n-1]
			}
			break
		}
		if err := c.add(&p.decoder, part.window, part.first, a.data[part.start:part.start+part.size], from); err != nil {
			return err
		}
	}
	c.valid = true
	return nil
}
