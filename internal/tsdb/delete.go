package tsdb

import (
	"cmp"
	"context"

	"metricd/internal/storage"
)

// deletion is a Delete under way. It is one point in the order of appends, for which it holds DB.mu: no reader and no writer sees
// half of it. What is left of a series may have to be looked for in its chunks; that is done before, without the lock (remains.go).
// With the lock it is seen whether what was found still holds, and if not, that is looked for again:
//
//   - A sample that is left stays so, unless the series is shown now and was not. Nothing but a Delete and retention takes samples away, and
//     DB.removing is held.
//   - That chunks have nothing that is left holds until they are given what was in memory then, or came since: until a thaw.
type deletion struct {
	db     *DB
	q      storage.Query
	oldest int64     // of the samples that are shown
	found  []remnant // the series that match, by id
	walk   walk      // over the others

	chunkProbe
}

// freeLooks is how often a Delete looks while flushes go on. Then it holds them back, so that it ends.
const freeLooks = 2

// Delete removes the samples that q names; see storage.Store.
//
// A series of which it leaves nothing that is shown ends, and what retention hides of it goes with it: put again, it is a new
// one. Of a series that was hidden before only what q names is removed.
func (db *DB) Delete(ctx context.Context, q storage.Query) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q = clamp(q); q.Mint > q.Maxt {
		return cmp.Or(db.failure(), db.room.refusal())
	}
	if err := db.throttle(); err != nil {
		return err
	}
	if err := db.room.refusal(); err != nil {
		return err
	}
	seq, err := db.delete(ctx, q)
	if err != nil {
		return err
	}
	return db.wait(ctx, uint64(seq))
}

func (db *DB) delete(ctx context.Context, q storage.Query) (seq storage.Seq, err error) {
	select {
	case db.removing <- struct{}{}:
		defer func() { <-db.removing }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	w, err := db.newWalk(ctx, q.Matchers)
	if err != nil {
		return 0, err
	}
	d := &deletion{db: db, q: q, oldest: db.oldest(), walk: w}
	for look := 0; ; look++ {
		if look == freeLooks {
			db.flushMu.Lock()
			defer db.flushMu.Unlock()
		}
		if err := d.look(ctx); err != nil {
			return 0, err
		}
		seq, done, err := d.commit()
		if done || err != nil {
			return seq, err
		}
	}
}

// commit removes what q names, if it is known of all series what is left.
func (d *deletion) commit() (seq storage.Seq, known bool, err error) {
	var done bool
	d.db.mu.Lock()
	defer d.db.unlock(&done)
	if err = d.db.failure(); err == nil {
		for more := true; more; { // those that are new since
			more = d.matchLocked()
		}
		if known = d.knownLocked(); known {
			seq, err = d.commitLocked()
		}
	}
	done = true
	return seq, known, err
}

// knownLocked says whether it is known what is left.
func (d *deletion) knownLocked() bool {
	for i := range d.found {
		if !d.lookLocked(&d.found[i]) {
			return false
		}
	}
	return true
}

func (d *deletion) commitLocked() (storage.Seq, error) {
	db, h := d.db, d.db.mu.head
	db.record.begin()
	begun := false
	for i := range d.found {
		r := &d.found[i]
		if !d.namesLocked(r) {
			continue
		}
		if db.log != nil {
			if !begun {
				db.record.remove(d.q.Mint, d.q.Maxt)
				begun = true
			}
			db.record.removed(r.id, !r.left)
		}
		db.removeLocked(removal{h.place(r.id), !r.left}, d.q.Mint, d.q.Maxt)
	}
	h.compact()
	seq, err := db.commitLocked()
	db.flushIfFullLocked()
	return seq, err
}

// removal is what is removed of a series.
type removal struct {
	i     int  // its place in head.order
	ended bool // nothing is left
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
	if run := h.active(s); run != nil && h.within(run, mint, maxt) {
		h.settle(run)
		h.samples -= int64(run.cut(&h.slab, mint, maxt))
	}
	if h.frozen(at, s) != nil || h.storedOf(at).known != noChunks {
		h.erase(s.id, mint, maxt)
	}
}
