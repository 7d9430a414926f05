package tsdb

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"metricd/internal/chunk"
	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
)

// What a Delete leaves of each series.

// remnant is what is known of a series that a Delete may be about.
type remnant struct {
	id   uint64
	at   slot
	left bool // it keeps a sample that counts

	// Else its chunks have none, as of so many thaws, if none is set.
	none  bool
	thaws uint64

	// What chunks are asked, by look.
	key     string
	oldest  int64     // what counts: samples from here on
	erased  []erasure // from chunks
	unknown bool      // whether anything is shown only chunks can tell
	hidden  bool      // memory has something that is left, and hidden
}

// span is a stretch of time, ms, both inclusive.
type span struct{ mint, maxt int64 }

// look finds the series that match, and what is left of each. It holds the lock, shared, for some series at a time.
func (d *deletion) look(ctx context.Context) error {
	for more := true; more; {
		d.db.mu.RLock()
		more = d.db.mu.head != nil && d.matchLocked()
		d.db.mu.RUnlock()
	}
	for i := 0; i < len(d.found); i += setChunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.lookAt(d.found[i:min(i+setChunk, len(d.found))]); err != nil {
			return err
		}
	}
	return nil
}

// matchLocked adds some of the next series that match. It returns false if there are no more.
func (d *deletion) matchLocked() (more bool) {
	h := d.db.mu.head
	if d.q.Key != "" {
		at := h.find(storage.AppendCanonical(nil, []byte(d.q.Key)))
		if at != 0 && len(d.found) == 0 && matches(d.q.Matchers, h.at(at).key) {
			d.found = append(d.found, remnant{id: h.at(at).id, at: at})
		}
		return false
	}
	return d.walk.some(h, func(at slot, series *series, ms []storage.Matcher) {
		if matches(ms, series.key) {
			d.found = append(d.found, remnant{id: series.id, at: at})
		}
	})
}

// lookAt finds out what is left of some series.
func (d *deletion) lookAt(some []remnant) error {
	var ask []*remnant
	d.db.mu.RLock()
	err := d.db.failure()
	for i := range some {
		if err == nil && !d.lookLocked(&some[i]) {
			ask = append(ask, &some[i])
		}
	}
	d.db.mu.RUnlock()
	if err != nil || len(ask) == 0 {
		return err
	}
	cur, err := d.db.blocks.NewCursor() // after memory was read: what leaves that is in chunks
	if err != nil {
		return d.db.chunksError(err)
	}
	defer cur.Close()
	for _, r := range ask {
		if err := d.ask(cur, r); err != nil {
			return fmt.Errorf("series %s: %w", r.key, d.db.chunksError(err))
		}
	}
	return nil
}

// namesLocked says whether q may name samples of a series.
func (d *deletion) namesLocked(r *remnant) bool {
	h := d.db.mu.head
	is, maybe := h.holds(r.at, h.at(r.at), d.q.Mint, d.q.Maxt)
	return is || maybe
}

// lookLocked says whether it is known what is left of a series, if q names samples of it. The lock may be shared.
func (d *deletion) lookLocked(r *remnant) (known bool) {
	if d.q.Mint <= storage.MinTime && d.q.Maxt >= storage.MaxTime || !d.namesLocked(r) {
		return true
	}
	h := d.db.mu.head
	s, st := h.at(r.at), h.storedOf(r.at)
	oldest := d.oldest
	if h.newest(r.at, s) < oldest { // it was hidden before
		oldest = storage.MinTime
	}
	unsure := st.known == unknown && oldest > storage.MinTime && h.newestInMemory(r.at, s) < oldest
	if r.left && r.oldest == oldest && r.unknown == unsure {
		return true
	}
	erased := h.erased[r.id]
	if d.inMemory(h, r.at, span{oldest, storage.MaxTime}) ||
		st.known == someChunks && st.last >= oldest && !d.covered(st.last) && !erasedAt(erased, st.last) {
		r.left, r.none, r.oldest, r.unknown = true, false, oldest, unsure
		return true
	}
	r.left = false
	if st.known == noChunks || r.none && r.thaws == h.thaws && r.oldest == oldest {
		return true
	}
	r.none, r.thaws, r.key, r.oldest, r.erased = false, h.thaws, s.key, oldest, erased
	r.unknown = unsure
	r.hidden = r.unknown && d.inMemory(h, r.at, span{storage.MinTime, oldest - 1})
	return false
}

// covered says whether q names time t.
func (d *deletion) covered(t int64) bool { return d.q.Mint <= t && t <= d.q.Maxt }

// inMemory says whether a series has a sample of a stretch in memory that q leaves.
func (d *deletion) inMemory(h *head, at slot, in span) bool {
	s := h.at(at)
	q := erasure{mint: d.q.Mint, maxt: d.q.Maxt}
	has := func(r *run, list []erasure) bool {
		return r != nil && slices.ContainsFunc(d.uncovered(in, list, q), func(s span) bool { return h.within(r, s.mint, s.maxt) })
	}
	if has(h.active(s), nil) {
		return true
	}
	erased := slices.DeleteFunc(slices.Clone(h.erased[s.id]), func(e erasure) bool { return e.gen != h.gen })
	return has(h.frozen(at, s), erased)
}

// ask finds out what the chunks of a series say.
func (d *deletion) ask(cur *blocks.Cursor, r *remnant) error {
	q := erasure{mint: d.q.Mint, maxt: d.q.Maxt}
	left, err := d.have(cur, d.db.eras, r.id, d.uncovered(span{r.oldest, storage.MaxTime}, r.erased, q))
	if err == nil && !left && r.unknown {
		var shown bool
		shown, err = d.have(cur, d.db.eras, r.id, d.uncovered(span{r.oldest, storage.MaxTime}, r.erased))
		if err == nil && !shown { // it was hidden before: all of it counts
			left, err = d.have(cur, d.db.eras, r.id, d.uncovered(span{storage.MinTime, r.oldest - 1}, r.erased, q))
			left = left || r.hidden
		}
	}
	r.left, r.none = left, err == nil && !left
	return err
}

// chunkProbe looks for samples in chunks. Its memory is reused.
type chunkProbe struct {
	covers  []erasure
	spans   []span
	decoder chunk.Decoder
	times   []int64
	values  []float64
}

// uncovered returns what of a stretch no erasure of a list, and none of more, covers, by ascending time. It is valid until the next call.
func (p *chunkProbe) uncovered(in span, list []erasure, more ...erasure) []span {
	p.covers = append(append(p.covers[:0], list...), more...)
	slices.SortFunc(p.covers, func(a, b erasure) int { return cmp.Compare(a.mint, b.mint) })
	p.spans = p.spans[:0]
	for _, e := range p.covers {
		if e.mint > in.maxt || e.mint > e.maxt {
			continue
		}
		if e.mint > in.mint {
			p.spans = append(p.spans, span{in.mint, e.mint - 1})
		}
		in.mint = max(in.mint, e.maxt+1)
	}
	if in.mint <= in.maxt {
		p.spans = append(p.spans, in)
	}
	return p.spans
}

// have says whether chunks of a series have a sample in one of the stretches.
func (p *chunkProbe) have(cur *blocks.Cursor, eras eras, id uint64, in []span) (bool, error) {
	for _, s := range in {
		first := eras.first(s.mint)
		for w, more := cur.FindWindowOf(id, first); more && w <= s.maxt; w, more = cur.FindWindowOf(id, w+1) {
			for ok := w > first || cur.SeekTime(w, id, s.mint); ok && cur.First() <= s.maxt; ok = cur.Next() {
				if has, err := p.has(cur, s); has || err != nil {
					return has, err
				}
			}
			if cur.Err() != nil {
				break
			}
		}
		if cur.Err() != nil {
			return false, cur.Err()
		}
	}
	return false, nil
}

// has says whether the chunk at the cursor, which begins before the end of a stretch, has a sample in it.
func (p *chunkProbe) has(cur *blocks.Cursor, s span) (bool, error) {
	if cur.First() >= s.mint {
		return true, nil
	}
	data, err := cur.Chunk()
	if err != nil {
		return false, err
	}
	head, err := chunk.ReadHeader(data)
	if err == nil && (head.Last < s.mint || head.Last <= s.maxt) {
		return head.Last >= s.mint, nil
	}
	if err == nil {
		p.times, p.values, err = p.decoder.Append(p.times[:0], p.values[:0], data)
	}
	if err != nil {
		return false, fmt.Errorf("%w: chunk of window %d at %d ms: %w", blocks.ErrDamaged, cur.Window(), cur.First(), err)
	}
	i, _ := slices.BinarySearch(p.times, s.mint)
	return i < len(p.times) && p.times[i] <= s.maxt, nil
}
