package tsdb

import (
	"cmp"
	"context"
	"math"

	"metricd/internal/decimal"
	"metricd/internal/storage"
)

const (
	// setChunk is how many series are looked at under one hold of the lock.
	setChunk = 256
	// readChunk is how many samples are copied under one hold of the lock (8 KiB).
	readChunk = 512
)

// clamp bounds the range of q to the times that samples can have.
func clamp(q storage.Query) storage.Query {
	q.Mint = max(q.Mint, storage.MinTime)
	q.Maxt = min(q.Maxt, storage.MaxTime)
	return q
}

// matches says whether all matchers match the series that key spells.
func matches(ms []storage.Matcher, key string) bool {
	return len(ms) == 0 || storage.MatchAll(ms, storage.ParseKey(key))
}

// Select returns the series that q names; see storage.Store.
func (db *DB) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	q = clamp(q)
	q.Mint = max(q.Mint, db.oldest())
	ss := &seriesSet{db: db, ctx: ctx, q: q}
	if q.Key == "" {
		ss.ahead = db.newAhead()
	}
	return ss
}

// found is a series as it was found: by place and id, since the place may be taken over.
type found struct {
	key   string
	id    uint64
	at    slot
	maybe bool // whether it has a sample in range only its chunks can tell
}

// seriesSet walks over the series of the head by id.
type seriesSet struct {
	db   *DB
	ctx  context.Context
	q    storage.Query
	err  error
	done bool // there is nothing behind chunk

	probing storage.Iterator // memory for probe
	ahead   *readAhead       // of those behind the series at hand; nil: there are none, or after Close

	walk  walk // if begun is set
	begun bool
	chunk []found // the series looked up last; those before pos are behind
	pos   int
}

func (ss *seriesSet) Next() bool {
	for ss.alive() {
		if ss.pos < len(ss.chunk) {
			ss.pos++
			if ss.chunk[ss.pos-1].maybe && !ss.probe() {
				continue
			}
			return true
		}
		if ss.done {
			return false
		}
		ss.fill()
	}
	return false
}

// alive says whether nothing has ended the set, and otherwise sets err.
func (ss *seriesSet) alive() bool {
	if ss.err == nil {
		if ss.err = ss.ctx.Err(); ss.err == nil {
			ss.err = ss.db.failure()
		}
	}
	return ss.err == nil
}

func (ss *seriesSet) At() storage.Series {
	return &result{ss: ss, found: ss.chunk[ss.pos-1]}
}

func (ss *seriesSet) Err() error { return ss.err }

func (ss *seriesSet) Close() {
	ss.done = true
	ss.chunk, ss.pos = nil, 0
	if ss.ahead != nil {
		ss.db.aheads.Put(ss.ahead)
		ss.ahead = nil
	}
}

// comingFrom returns the series from the one at hand on, if that has this id.
func (ss *seriesSet) comingFrom(id uint64) []found {
	if ss.pos == 0 || ss.pos > len(ss.chunk) || ss.chunk[ss.pos-1].id != id {
		return nil
	}
	return ss.chunk[ss.pos-1:]
}

// fill looks at the next series and keeps those that q names.
func (ss *seriesSet) fill() {
	ss.chunk, ss.pos = ss.chunk[:0], 0
	db := ss.db
	if !ss.begun && ss.q.Key == "" {
		ss.begun = true
		if ss.walk, ss.err = db.newWalk(ss.ctx, ss.q.Matchers); ss.err != nil {
			return
		}
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if !ss.alive() {
		return
	}
	h := db.mu.head
	if ss.q.Key != "" {
		ss.done = true
		if at := h.find(storage.AppendCanonical(nil, []byte(ss.q.Key))); at != 0 {
			ss.look(at, h.at(at), ss.q.Matchers)
		}
		return
	}
	ss.done = !ss.walk.some(h, ss.look)
}

// look appends the series to chunk if ms match and it has samples in range, or may have some. DB.mu is held.
func (ss *seriesSet) look(at slot, s *series, ms []storage.Matcher) {
	is, maybe := ss.db.mu.holds(at, s, ss.q.Mint, ss.q.Maxt)
	if (is || maybe) && matches(ms, s.key) {
		ss.chunk = append(ss.chunk, found{s.key, s.id, at, !is})
	}
}

// probe says whether the series at hand has a sample in range.
func (ss *seriesSet) probe() bool {
	ss.probing = ss.At().Iterator(ss.probing)
	if ss.probing.Next() {
		return true
	}
	ss.err = cmp.Or(ss.err, ss.probing.Err())
	return false
}

// result is one series of a seriesSet.
type result struct {
	ss *seriesSet
	found
	labels storage.Labels
}

func (r *result) Key() string { return r.key }

func (r *result) Labels() storage.Labels {
	if r.labels == nil {
		r.labels = storage.ParseKey(r.key)
	}
	return r.labels
}

func (r *result) Iterator(reuse storage.Iterator) storage.Iterator {
	it, ok := reuse.(*iterator)
	if !ok {
		it = &iterator{}
	}
	*it = iterator{ss: r.ss, found: r.found, buf: it.buf, pos: -1, read: it.read}
	it.begin()
	return it
}

// iterator walks over the samples of a series, a piece at a time, merged of what is in memory
// and in chunks (merge in read.go). Its position is a time, so it holds nothing of the head.
type iterator struct {
	ss *seriesSet
	found
	err error

	buf  []entry // the piece at hand
	pos  int     // the sample at hand is buf[pos]; -1 before the first
	from int64   // the next piece begins at or after this time
	end  int64   // and ends at or before this time

	read pieceReader
}

// begin fixes the end, so that a series that keeps growing has one, and reads the first
// piece.
func (it *iterator) begin() {
	it.from, it.end = it.ss.q.Mint, it.ss.q.Maxt
	it.read.reset()
	it.read.set = it.ss
	it.fill(true)
}

// fill reads the next piece that is not empty.
func (it *iterator) fill(first bool) {
	it.buf, it.pos = it.buf[:0], -1
	for it.from <= it.end && len(it.buf) == 0 && it.err == nil {
		if !it.ss.alive() {
			it.err = it.ss.err
			return
		}
		var newest int64
		it.buf, it.from, newest, it.err = it.read.piece(it.ss.ctx, it.ss.db, it.found, it.buf, it.from, it.end)
		if first {
			it.end, first = min(it.end, newest), false
		}
	}
}

func (it *iterator) Next() bool {
	if it.pos+1 == len(it.buf) {
		it.fill(false)
	}
	if it.pos+1 >= len(it.buf) {
		it.buf, it.pos = it.buf[:0], -1
		return false
	}
	it.pos++
	return true
}

func (it *iterator) SkipTo(t int64) bool {
	at := max(it.pos, 0)
	if n := len(it.buf); n > 0 && it.buf[n-1].t < t {
		it.from = max(it.from, t)
		it.fill(false)
		at = 0
	}
	it.pos = at + search(it.buf[at:], t) - 1
	return it.Next()
}

func (it *iterator) At() (t int64, v float64) {
	e := it.buf[it.pos]
	return e.t, math.Float64frombits(e.v)
}

func (it *iterator) AppendValue(dst []byte) []byte {
	return decimal.Append(dst, math.Float64frombits(it.buf[it.pos].v))
}

func (it *iterator) Err() error { return it.err }
