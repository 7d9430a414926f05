package tsdb

import (
	"context"

	"metricd/internal/storage"
)

// Delete removes the samples that q names. It holds the lock throughout, so it is one point in the
// order of appends: no reader and no writer sees half of it. What is left of a series may have to be
// looked for in its chunks meanwhile.
//
// A series of which it leaves nothing that is shown ends, and what retention hides of it goes with it: put again, it is a new
// one. Of a series that was hidden before only what q names is removed.
func (db *DB) Delete(ctx context.Context, q storage.Query) error {
	q = clamp(q)
	if err := ctx.Err(); err != nil {
		return err
	}
	seq, err := db.delete(q)
	if err != nil {
		return err
	}
	return db.wait(ctx, uint64(seq))
}

// removal is what Delete does to a series.
type removal struct {
	i     int  // its place in head.order
	ended bool // nothing is left
}

func (db *DB) delete(q storage.Query) (storage.Seq, error) {
	if err := db.throttle(); err != nil {
		return 0, err
	}
	if err := db.room.refusal(); err != nil {
		return 0, err
	}
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	seq, err := db.deleteLocked(q)
	done = true
	return seq, err
}

func (db *DB) deleteLocked(q storage.Query) (storage.Seq, error) {
	if err := db.failure(); err != nil {
		return 0, err
	}
	removals, err := db.removalsLocked(q)
	if err != nil {
		return 0, err
	}
	db.record.begin()
	if len(removals) > 0 {
		db.record.remove(q.Mint, q.Maxt)
	}
	for _, r := range removals {
		if db.log != nil {
			db.record.removed(db.mu.ids[r.i], r.ended)
		}
		db.removeLocked(r, q.Mint, q.Maxt)
	}
	db.mu.compact()
	seq, err := db.commitLocked()
	db.flushIfFullLocked()
	return seq, err
}

// removalsLocked returns what is to be removed. It changes nothing.
func (db *DB) removalsLocked(q storage.Query) (all []removal, err error) {
	h := db.mu.head
	oldest := db.oldest()
	first, last := 0, len(h.order)
	if q.Key != "" {
		at := h.find(storage.AppendCanonical(nil, []byte(q.Key)))
		if at == 0 {
			return nil, nil
		}
		last = h.after(h.at(at).id)
		first = last - 1
	}
	for i := first; i < last; i++ {
		at := h.order[i]
		if at == 0 {
			continue
		}
		s := h.at(at)
		if is, maybe := h.holds(at, s, q.Mint, q.Maxt); !is && !maybe || !matches(q.Matchers, s.key) {
			continue
		}
		from := oldest
		if h.newest(at, s) < oldest { // all of it is hidden: it ends with its last sample
			from = storage.MinTime
		}
		left, err := db.remainsLocked(at, s, from, q.Mint, q.Maxt)
		if err != nil {
			return nil, err
		}
		all = append(all, removal{i, !left})
	}
	return all, nil
}

// remainsLocked says whether a series has samples outside [mint, maxt], at time oldest or later.
func (db *DB) remainsLocked(at slot, s *series, oldest, mint, maxt int64) (bool, error) {
	if mint <= storage.MinTime && maxt >= storage.MaxTime {
		return false, nil
	}
	h := db.mu.head
	if r := h.active(s); r != nil && (h.within(r, oldest, mint-1) || h.within(r, max(oldest, maxt+1), maxInt64-1)) {
		return true, nil
	}
	// What is frozen or in chunks counts if no erasure hides it, this one included.
	hidden := erasure{mint: mint, maxt: maxt, gen: h.gen}
	erased := append([]erasure{hidden}, h.erased[s.id]...)
	if st := h.storedOf(at); st.known == someChunks && st.last >= oldest && !erasedAt(erased, st.last) {
		return true, nil
	}
	p := pieceReader{erased: erased}
	f := found{key: s.key, id: s.id, at: at}
	for from := oldest; from < maxInt64; {
		part, _, _ := db.copyLocked(&p, f, from, storage.MaxTime, true)
		for _, e := range p.frozen {
			if !erasedSince(erased, e.t, h.gen) {
				return true, nil
			}
		}
		to := part.to
		if part.chunks {
			if err := p.decode(db.blocks, db.eras, s.id, from, storage.MaxTime); err != nil {
				return false, db.readError(err)
			}
			for _, t := range p.chunks.times {
				if t >= oldest && !erasedAt(erased, t) {
					return true, nil
				}
			}
			to = min(to, p.chunks.to)
		}
		from = after(min(to, storage.MaxTime))
		if to >= storage.MaxTime {
			break
		}
	}
	return false, nil
}

// removeLocked removes the samples of [mint, maxt] from a series.
func (db *DB) removeLocked(r removal, mint, maxt int64) {
	h := db.mu.head
	if r.ended {
		h.end(r.i)
		return
	}
	at := h.order[r.i]
	s := h.at(at)
	if run := h.active(s); run != nil {
		h.settle(run)
		h.samples -= int64(run.cut(&h.slab, mint, maxt))
	}
	if h.frozen(at, s) != nil || h.storedOf(at).known != noChunks {
		h.erase(s.id, mint, maxt)
	}
}
