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
// hidden does not exist: it leaves Select and the limit on series. If it is put again it ends, and a new one
// begins; else it ends when its last window is dropped. Until then a higher limit shows it again.

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
	t := int64(minInt64)
	switch st := h.storedOf(at); st.known {
	case unknown:
		return maxInt64
	case someChunks:
		t = st.last
	}
	for _, r := range []*run{h.active(s), h.frozen(at, s)} {
		if r != nil {
			t = max(t, r.last)
		}
	}
	if t == minInt64 { // it is coming into being
		return maxInt64
	}
	return t
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
	if oldest > storage.MinTime && (oldest >= h.hiddenBefore+1000 || oldest < h.hiddenBefore) {
		h.hidden, h.hiddenBefore = h.count()-db.visibleLocked(oldest), oldest
	}
	return h.count()-h.hidden >= limit
}

// renewLocked ends a series of which all is hidden, and begins a new one with the same key.
func (db *DB) renewLocked(at slot, key []byte, oldest int64) (slot, error) {
	if err := db.roomForSeriesLocked(key, oldest); err != nil {
		return 0, err
	}
	h := db.mu.head
	db.record.remove(storage.MinTime, storage.MaxTime)
	db.endLocked(h.place(h.at(at).id))
	h.canonical = storage.AppendCanonical(h.canonical[:0], key)
	return db.addSeriesLocked(key), nil
}

// endLocked ends the series at a place in order. The removal was begun in the record.
func (db *DB) endLocked(i int) {
	if db.log != nil {
		db.record.removed(db.mu.ids[i], true)
	}
	db.mu.end(i)
}

// expire drops what is hidden and in windows of which all is hidden. It flushes first, so that all that is to go is in
// chunks, and it is known how much that is.
func (db *DB) expire() error {
	if db.opts.Retention <= 0 {
		return nil
	}
	db.flushMu.Lock()
	defer db.flushMu.Unlock()
	cut := db.eras.first(db.oldest())
	if cut <= db.dropped {
		return nil
	}
	db.flushing.learn = true
	err := db.flushAndTell()
	db.flushing.learn = false
	if err != nil {
		return err
	}
	samples, err := db.blocks.Counts(minInt64, cut-1)
	if err != nil {
		return err
	}
	if all := db.flushing.merge.state.samples; !db.opts.DropMost && int64(samples) > all/2 {
		db.dropped = cut // looked at
		db.opts.Logf("retention refuses to drop %d of all %d samples at once, which are older than %s: is the clock right, and --retention? If so, start with --retention-drop-most",
			samples, all, ageText(db.opts.Retention))
		return nil
	}
	err = db.drop(cut, int64(samples))
	switch {
	case err == nil:
		db.dropped = cut
	case !errors.Is(err, blocks.ErrNoSpace):
		db.fail(err)
	}
	return err
}

// drop drops the windows before cut, which have so many samples.
func (db *DB) drop(cut, samples int64) error {
	for id, more := uint64(0), true; more; {
		var err error
		if id, more, err = db.endBefore(id, cut); err != nil {
			return err
		}
	}
	// Chunks must not go before the log has the end of their series for good.
	if db.log != nil {
		if err := db.log.WaitSynced(db.seq.Load()); err != nil {
			return err
		}
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
	m.state = st
	db.storedSamples.Store(st.samples)
	return db.blocks.Flush(blocks.Marks{})
}

// endBefore ends those of the series behind id that have nothing at cut or later, and forgets chunks before cut of the others.
// It returns the id of the last one it looked at, and whether there are more.
func (db *DB) endBefore(id uint64, cut int64) (last uint64, more bool, err error) {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	if err = db.failure(); err == nil {
		before := db.mu.gaps
		db.record.begin()
		db.record.remove(storage.MinTime, storage.MaxTime)
		if last, more = db.endBeforeLocked(id, cut); db.mu.gaps != before {
			_, err = db.commitLocked()
		}
		if !more {
			db.mu.compact()
		}
	}
	done = true
	return last, more, err
}

func (db *DB) endBeforeLocked(id uint64, cut int64) (last uint64, more bool) {
	h := db.mu.head
	i := h.after(id)
	for looked := 0; i < len(h.order) && looked < setChunk; i++ {
		last = h.ids[i]
		looked++
		at := h.order[i]
		if at == 0 {
			continue
		}
		ends := h.newest(at, h.at(at)) < cut
		st := h.storedOf(at)
		switch {
		case st.known != someChunks:
		case st.last < cut:
			*st = stored{}
		case st.open > 0 && st.openFirst < cut:
			st.open, st.pieces = 0, 0
		}
		if ends {
			db.endLocked(i)
		}
	}
	return last, i < len(h.order)
}
