package tsdb

import (
	"context"
	"fmt"
	"math"
	"slices"

	"metricd/internal/chunk"
	"metricd/internal/tsdb/blocks"
)

// pieceReader reads the samples of one series piece by piece. It keeps the chunks that it decoded
// last, since a piece is smaller than they are. Not for concurrent use.
type pieceReader struct {
	active, frozen []entry
	erased         []erasure

	chunks  decoded
	set     *seriesSet // which reads ahead; nil: nothing does
	least   int        // samples to decode at once, at least, if there are so many
	decoder chunk.Decoder
}

// mostDecoded bounds pieceReader.least. To find the next chunk costs as much as to decode hundreds of samples, so who reads on is
// given more at once.
const mostDecoded = 8 * readChunk

// decoded is a part of the samples in the chunks of a series: all from time from to time to, both inclusive.
type decoded struct {
	valid    bool
	thaws    uint64 // of the head before they were read: what was dropped from memory since may be missing
	from, to int64
	times    []int64
	values   []float64
}

func (p *pieceReader) reset() { p.chunks.valid, p.least = false, 0 }

// piece appends samples of [from, end] to dst, which is empty: some, or none, up to a time; and returns
// where the next piece begins, and the time of the newest sample in memory or, if none is
// there, end. What it returns is durable.
func (p *pieceReader) piece(ctx context.Context, db *DB, f found, dst []entry, from, end int64) (_ []entry, next, newest int64, err error) {
	if cap(dst) == 0 {
		dst = make([]entry, 0, readChunk)
	}
	head, seq := db.readHead(p, f, from, end)
	if err := db.wait(ctx, seq); err != nil {
		return dst, 0, 0, err
	}
	if !head.there {
		return dst, maxInt64, end, db.failure()
	}
	limit := min(end, head.to)
	if !head.chunks {
		dst = mergeHead(dst, p.active, p.frozen, limit)
		return dst, after(limit), head.newest, nil
	}
	if c := &p.chunks; !c.valid || c.thaws != head.thaws || from < c.from || from > c.to {
		c.thaws = head.thaws
		if p.least == 0 && p.set != nil && p.set.ahead != nil {
			p.set.ahead.prepare(db.blocks, db.eras, p.set.comingFrom(f.id), head.thaws, from, end)
		}
		if err := p.decode(db.blocks, db.eras, f.id, from, end); err != nil {
			return dst, 0, 0, fmt.Errorf("series %s: %w", f.key, db.chunksError(err))
		}
	}
	limit = min(limit, p.chunks.to)
	return p.merge(dst, from, limit), after(limit), head.newest, nil
}

// after returns the millisecond after t.
func after(t int64) int64 {
	if t >= maxInt64-1 {
		return maxInt64
	}
	return t + 1
}

// headPart says what of a series is in memory.
type headPart struct {
	there  bool // the series exists
	chunks bool // it may have chunks
	thaws  uint64
	to     int64 // active and frozen have all samples up to here
	newest int64
}

// readHead copies samples of a series that are in memory into p, up to readChunk of each run, and its erasures. All
// it saw has sequences up to seq.
func (db *DB) readHead(p *pieceReader, f found, from, end int64) (part headPart, seq uint64) {
	db.mu.RLock()
	part, seq, ok := db.copyLocked(p, f, from, end, false)
	db.mu.RUnlock()
	if ok {
		return part, seq
	}
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	part, seq, _ = db.copyLocked(p, f, from, end, true)
	done = true
	return part, seq
}

// copyLocked does what readHead does. If late samples must be merged first and the lock is shared, it returns false.
func (db *DB) copyLocked(p *pieceReader, f found, from, end int64, exclusive bool) (part headPart, seq uint64, ok bool) {
	p.active, p.frozen, p.erased = p.active[:0], p.frozen[:0], nil
	seq = db.seq.Load()
	h := db.mu.head
	if h == nil || h.at(f.at).id != f.id { // closed, or it ended meanwhile
		return part, seq, true
	}
	s := h.at(f.at)
	part = headPart{there: true, chunks: h.storedOf(f.at).known != noChunks, thaws: h.thaws, to: maxInt64, newest: minInt64}
	for _, side := range []struct {
		run *run
		buf *[]entry
	}{{h.active(s), &p.active}, {h.frozen(f.at, s), &p.frozen}} {
		if side.run == nil {
			continue
		}
		if side.run.held != 0 {
			if !exclusive {
				return part, seq, false
			}
			h.settle(side.run)
		}
		if cap(*side.buf) == 0 {
			*side.buf = make([]entry, 0, readChunk)
		}
		*side.buf = side.run.read(&h.slab, from, end, *side.buf)
		if n := len(*side.buf); n == cap(*side.buf) {
			part.to = min(part.to, (*side.buf)[n-1].t)
		}
		part.newest = max(part.newest, side.run.last)
	}
	if part.chunks {
		part.newest = max(part.newest, h.storedOf(f.at).last)
		if h.storedOf(f.at).known == unknown {
			part.newest = maxInt64
		}
	}
	p.erased = h.erased[f.id]
	if len(p.erased) > 0 {
		kept := p.frozen[:0]
		for _, e := range p.frozen {
			if !erasedSince(p.erased, e.t, h.gen) {
				kept = append(kept, e)
			}
		}
		p.frozen = kept
	}
	return part, seq, true
}

// decode reads the chunks of a series from time from on, until there are some samples or nothing is left up to end.
func (p *pieceReader) decode(store *blocks.Store, eras eras, id uint64, from, end int64) error {
	p.least = min(max(2*p.least, readChunk), mostDecoded)
	c := &p.chunks
	c.valid, c.from, c.to = false, from, end
	c.times, c.values = c.times[:0], c.values[:0]
	if p.set != nil && p.set.ahead != nil {
		if s := p.set.ahead.of(id, c.thaws, from); s != nil {
			return p.set.ahead.decode(p, s, from, end)
		}
	}
	cur, err := store.NewCursor()
	if err != nil {
		return err
	}
	defer cur.Close()
	first := eras.first(from)
	for w := first; w <= end; _, w = eras.window(w) {
		var found bool
		if w, found = cur.FindWindowOf(id, w); !found || w > end {
			break
		}
		for ok := w > first || cur.SeekTime(w, id, from); ok; ok = cur.Next() {
			if cur.First() > end || len(c.times) >= p.least {
				if n := len(c.times); n >= p.least {
					c.to = c.times[n-1]
				}
				c.valid = true
				return cur.Err()
			}
			data, err := cur.Chunk()
			if err != nil {
				return err
			}
			if err := c.add(&p.decoder, w, cur.First(), data, from); err != nil {
				return err
			}
		}
		if cur.Err() != nil {
			break
		}
	}
	c.valid = true
	return cur.Err()
}

// add appends a chunk of a window, which begins at first, unless it ends before from: then from is in a gap behind it.
func (c *decoded) add(d *chunk.Decoder, window, first int64, data []byte, from int64) (err error) {
	n := len(c.times)
	if c.times, c.values, err = d.Append(c.times, c.values, data); err != nil {
		return fmt.Errorf("%w: chunk of window %d at %d ms: %w", blocks.ErrDamaged, window, first, err)
	}
	if n > 0 && c.times[n-1] >= c.times[n] || c.times[n] != first {
		return fmt.Errorf("%w: chunk of window %d at %d ms is not where it belongs", blocks.ErrDamaged, window, first)
	}
	if c.times[len(c.times)-1] < from {
		c.times, c.values = c.times[:0], c.values[:0]
	}
	return nil
}

// mergeHead appends the samples up to limit of two runs to dst; where both have one, the active's.
func mergeHead(dst, active, frozen []entry, limit int64) []entry {
	active, frozen = upTo(active, limit), upTo(frozen, limit)
	if len(frozen) == 0 {
		return append(dst, active...)
	}
	return mergeSamples(dst, frozen, active)
}

// upTo returns the samples at or before limit.
func upTo(samples []entry, limit int64) []entry {
	if n := len(samples); n == 0 || samples[n-1].t <= limit {
		return samples
	}
	return samples[:search(samples, limit+1)]
}

// merge appends the samples of [from, limit] to dst, of chunks and of both runs; where several have one, the newest.
func (p *pieceReader) merge(dst []entry, from, limit int64) []entry {
	active, frozen := upTo(p.active, limit), upTo(p.frozen, limit)
	c := &p.chunks
	i, _ := slices.BinarySearch(c.times, from)
	for ; i < len(c.times) && c.times[i] <= limit; i++ {
		t := c.times[i]
		if len(active) > 0 && active[0].t <= t || len(frozen) > 0 && frozen[0].t <= t {
			n := search(active, t)
			m := search(frozen, t)
			dst = mergeSamples(dst, frozen[:m], active[:n])
			active, frozen = active[n:], frozen[m:]
			if len(active) > 0 && active[0].t == t || len(frozen) > 0 && frozen[0].t == t {
				continue // it is taken with what follows
			}
		}
		if len(p.erased) == 0 || !erasedAt(p.erased, t) {
			dst = append(dst, entry{t, math.Float64bits(c.values[i])})
		}
	}
	return mergeSamples(dst, frozen, active)
}
