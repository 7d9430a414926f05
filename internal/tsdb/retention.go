package tsdb

import (
	"errors"
	"fmt"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
)

// Retention is a limit on the age of samples. What is older is hidden from that moment on: readers and appenders
// clamp to it. It is dropped when all of its window is older: one range of keys in blocks. A series of which all is
// hidden is not shown and not counted; it ends when its last window is dropped. Until then it comes back, in its old place, when it is put
// again, and a higher limit shows it again.

// oldest returns the time of the oldest sample that is shown, ms.
func (db *DB) oldest() int64 {
	if db.opts.Retention <= 0 {
		return storage.MinTime
	}
	return max(db.opts.Now().UnixMilli()-db.opts.Retention.Milliseconds(), storage.MinTime)
}

// ageText returns a length of time as people write it: 30d, 36h0m0s.
func ageText(d time.Duration) string {
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}

// timeError says why a sample of time t is refused.
func (db *DB) timeError(t int64) error {
	if t < storage.MinTime || t > storage.MaxTime {
		return storage.ErrTimeRange
	}
	return db.errTooOld
}

// newest returns the time of the newest sample of a series, or later: of its chunks nothing may be known, and it may have been removed.
func (h *head) newest(at slot, s *series) int64 {
	t := h.newestInMemory(at, s)
	switch st := h.storedOf(at); st.known {
	case unknown:
		return maxInt64
	case someChunks:
		t = max(t, st.last)
	}
	if t == minInt64 { // it is coming into being
		return maxInt64
	}
	return t
}

// newestInMemory returns that of what is in memory, minInt64 if there is nothing.
func (h *head) newestInMemory(at slot, s *series) int64 {
	t := int64(minInt64)
	for _, r := range []*run{h.active(s), h.frozen(at, s)} {
		if r != nil {
			t = max(t, r.last)
		}
	}
	return t
}

// empty says whether a series has nothing at all, as far as is known.
func (h *head) empty(at slot, s *series) bool {
	return h.storedOf(at).known == noChunks && h.newestInMemory(at, s) == minInt64
}

// visibleLocked returns how many series have a sample at oldest or later.
func (db *DB) visibleLocked(oldest int64) int {
	h := db.mu.head
	if oldest <= storage.MinTime {
		return h.count()
	}
	n := 0
	for _, at := range h.order {
		if at != 0 && h.newest(at, h.at(at)) >= oldest {
			n++
		}
	}
	return n
}

// seriesFullLocked says whether there are as many series as allowed. Those that are hidden are counted a second apart,
// when it matters.
func (db *DB) seriesFullLocked(oldest int64) bool {
	h, limit := db.mu.head, db.opts.MaxSeries
	if limit <= 0 || h.count()-h.hidden < limit {
		return false
	}
	if oldest > storage.MinTime && (oldest-1000 >= h.hiddenBefore || oldest < h.hiddenBefore) {
		h.hidden, h.hiddenBefore = h.count()-db.visibleLocked(oldest), oldest
	}
	return h.count()-h.hidden >= limit
}

// showLocked says why a series of which all is hidden can't be put again, if so; else it counts as shown. Its
// hidden samples stay until their windows are dropped: the clock may be wrong.
func (db *DB) showLocked(at slot, s *series, oldest int64) error {
	h := db.mu.head
	newest := h.newest(at, s)
	if newest >= oldest {
		return nil
	}
	if db.seriesFullLocked(oldest) {
		return db.errSeries
	}
	if h.hidden > 0 && newest < h.hiddenBefore {
		h.hidden--
	}
	return nil
}

// endLocked ends the series at a place in order. The removal was begun in the record.
func (db *DB) endLocked(i int) {
	if db.log != nil {
		db.record.removed(db.mu.ids[i], true)
	}
	db.mu.end(i)
}

// expire drops what is hidden and in windows of which all is hidden. It flushes first, so that all that is to go is in
// chunks, and it is known how much that is. On a full disk what chunks have goes before: the flush may need the room.
func (db *DB) expire() (err error) {
	if db.opts.Retention <= 0 {
		return nil
	}
	db.removing <- struct{}{}
	defer func() { <-db.removing }()
	db.flushMu.Lock()
	defer db.flushMu.Unlock()
	defer func() { db.owed.Store(err != nil) }()
	cut := db.eras.first(db.oldest())
	if cut <= db.dropped {
		return nil
	}
	if db.room.refusal() != nil {
		if err = db.makeRoom(cut); err != nil || cut <= db.dropped {
			return err
		}
	} else {
		db.room.lend(false) // there is room since makeRoom had too little
	}
	db.flushing.learn = true
	err = db.flushAndTell()
	db.flushing.learn = false
	if err != nil {
		return err
	}
	if err = db.dropCounted(cut); err == nil {
		db.dropped = cut
	}
	return err
}

// makeRoom drops what chunks have in windows before cut, without a flush. What little that writes may take of what is kept free.
// An earlier try may have ended before it gave the space back.
func (db *DB) makeRoom(cut int64) error {
	samples, err := db.blocks.Counts(minInt64, cut-1)
	if err != nil || samples == 0 && (cut <= db.reclaimed || db.blocks.IsReadOnly()) {
		return err
	}
	db.room.lend(true)
	if err = db.openBlocks(); err == nil {
		err = db.blocks.Writable()
	}
	if err == nil {
		err = db.dropCounted(cut)
	}
	if !errors.Is(err, blocks.ErrNoSpace) { // else Pebble has something to write before, and tries that again
		db.room.lend(false)
	}
	return err
}

// dropCounted drops the windows before cut, unless that is most of what there is: then it is left at that until the next window.
func (db *DB) dropCounted(cut int64) error {
	samples, err := db.blocks.Counts(minInt64, cut-1)
	if err != nil {
		return err
	}
	if all := db.flushing.merge.state.samples + db.inMemory(); !db.opts.DropMost && int64(samples) > all/2 {
		db.dropped = cut // looked at
		db.opts.Logf("retention refuses to drop %d of all %d samples at once, which are older than %s: is the clock right, and --retention? If so, start with --retention-drop-most",
			samples, all, ageText(db.opts.Retention))
		return nil
	}
	if err = db.drop(cut, int64(samples)); err != nil && !errors.Is(err, blocks.ErrNoSpace) {
		db.fail(err)
	}
	return err
}

// inMemory returns how many samples memory has, of which chunks may have some, too.
func (db *DB) inMemory() int64 {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.mu.samples
}

// drop drops the windows before cut, which have so many samples. flushMu is held. A series ends whose newest sample is older, wherever it is.
func (db *DB) drop(cut, samples int64) error {
	err := db.eachSeries(func(h *head, i int) {
		if at := h.order[i]; h.newest(at, h.at(at)) < cut || h.empty(at, h.at(at)) {
			db.endLocked(i)
		}
	})
	if err == nil && db.log != nil { // chunks must not go before the log has the end of their series for good
		err = db.log.WaitSynced(db.seq.Load())
	}
	if err != nil {
		return err
	}
	m := &db.flushing.merge
	batch := db.blocks.NewBatch()
	defer batch.Close()
	batch.DeleteWindows(minInt64, cut-1)
	st := m.state
	st.samples -= samples
	batch.SetState(st.encode())
	if err := batch.Commit(); err != nil {
		return err
	}
	m.state, m.dropped = st, cut
	db.storedSamples.Store(st.samples)
	if err := db.eachSeries(func(h *head, i int) { h.storedOf(h.order[i]).drop(cut) }); err != nil {
		return err
	}
	if err := db.blocks.Flush(blocks.Marks{}); err != nil {
		return err
	}
	if err := db.blocks.Reclaim(cut - 1); err != nil {
		return err
	}
	db.reclaimed = cut
	return nil
}

// drop forgets chunks before cut.
func (st *stored) drop(cut int64) {
	switch {
	case st.known != someChunks:
	case st.last < cut:
		*st = stored{}
	case st.open > 0 && st.openFirst < cut:
		st.open, st.pieces = 0, 0
	}
}

// eachSeries calls visit with the place in order of each series, some hundred under one hold of the lock. It may end the series.
func (db *DB) eachSeries(visit func(h *head, i int)) error {
	for id, more := uint64(0), true; more; {
		var err error
		if id, more, err = db.someSeries(id, visit); err != nil {
			return err
		}
	}
	return nil
}

// someSeries does that for the series behind id. It returns the id of the last one, and whether there are more.
func (db *DB) someSeries(id uint64, visit func(h *head, i int)) (last uint64, more bool, err error) {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	if err = db.failure(); err == nil {
		h := db.mu.head
		db.record.begin()
		db.record.remove(storage.MinTime, storage.MaxTime)
		there := h.count()
		i := h.after(id)
		for end := min(i+setChunk, len(h.order)); i < end; i++ {
			last = h.ids[i]
			if h.order[i] != 0 {
				visit(h, i)
			}
		}
		if h.count() != there {
			h.hidden, h.hiddenBefore = 0, minInt64 // to be counted anew
			_, err = db.commitLocked()
		}
		if more = i < len(h.order); !more {
			h.compact()
		}
	}
	done = true
	return last, more, err
}
