package tsdb

import (
	"context"
	"errors"
	"math"
	"time"

	"metricd/internal/tsdb/blocks"
)

// A flush moves what is in memory into chunks:
//
//  1. The head is frozen and the log gets a new segment, under the lock: all batches up to a
//     sequence are frozen, none after it.
//  2. Round by round, samples are copied under the lock, and merged with chunks outside of it
//     (compact.go). Some rounds are one batch of blocks. Each leaves a state that the log repairs.
//  3. The last batch has the state, with the sequence, and takes away what ended series left.
//  4. When blocks has all that on stable storage, what was frozen is dropped from memory, and the
//     segments of the log that are no longer needed are deleted.
//
// If any step fails, what was frozen stays so, and the next flush goes on with it: with the round that failed, or with
// step 4. What was committed before stays in blocks, and would take its space on the disk twice if it were written again.

// flushing is the state of the flush under way. DB.flushMu guards it.
type flushing struct {
	begun  bool // something is frozen
	wrote  bool // and all of it was given to blocks: steps 2 and 3 are done
	seq    uint64
	lastID uint64 // of the head when it was frozen
	dead   []dead // series that ended before that
	learn  bool   // it finds out what is stored of every series

	batch  *blocks.Batch
	series []copied // of this round
	buf    []entry
	round  place // where the next round begins
	// committed is where one begins after what was committed: a flush that failed goes on there.
	committed place
	merge     compactor
}

const (
	// roundSamples and roundSeries bound what is copied under one hold of the lock.
	roundSamples = 1 << 15
	roundSeries  = 256
)

// place is where a round begins.
type place struct {
	id   uint64 // of a series
	from int64  // and its first time, ms
}

// copied is what a round has of one series.
type copied struct {
	id      uint64
	at      slot
	key     string // if its record is not in blocks yet
	erased  []erasure
	stored  stored
	samples []entry
}

// Flush moves all that is in memory into chunks and makes it durable there.
func (db *DB) Flush() error {
	db.flushMu.Lock()
	defer db.flushMu.Unlock()
	return db.flushAndTell()
}

// flushAndTell flushes, and tells those who wait or have to know. flushMu is held.
func (db *DB) flushAndTell() error {
	err := db.flush()
	db.room.stuck(err)
	db.overfull.Store(false)
	db.flushed.beat()
	if err != nil && !errors.Is(err, blocks.ErrNoSpace) {
		db.fail(err)
	}
	return db.chunksError(err)
}

// flush does all steps. flushMu is held.
func (db *DB) flush() error {
	begun := time.Now()
	if err := db.openBlocks(); err != nil {
		return err
	}
	f := &db.flushing
	if err := db.freeze(f); err != nil {
		return err
	}
	// What is seen in chunks must be as durable as promised.
	if err := db.wait(context.Background(), f.seq); err != nil {
		return err
	}
	if !f.wrote {
		if err := db.writeFrozen(f); err != nil {
			db.forgetChunks()
			return err
		}
		f.wrote = true
	}
	marks := blocks.Marks{Flushed: f.seq}
	if db.log != nil {
		// The chunks lack what was removed since the freeze, so the log must have the removals before they are durable.
		if err := db.log.WaitSynced(db.seq.Load()); err != nil {
			return err
		}
		marks.Synced = db.log.Synced()
	}
	if err := db.blocks.Flush(marks); err != nil {
		return err
	}
	db.thaw(f)
	db.flushes.Add(1)
	db.flushTime.Add(int64(time.Since(begun)))
	if db.opts.Dir == "" {
		m, err := db.blocks.Metrics()
		if err != nil {
			return err
		}
		db.chunkBytes.Store(m.DiskBytes + m.MemoryBytes)
	}
	if db.log != nil {
		db.floor.Store(f.seq)
		return db.log.Remove(f.seq)
	}
	return nil
}

// freeze is step 1.
func (db *DB) freeze(f *flushing) error {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	err := db.failure()
	if err == nil && !f.begun {
		h := db.mu.head
		f.seq = db.seq.Load()
		if db.log != nil {
			f.seq, err = db.log.Rotate()
		}
		if err == nil {
			f.begun, f.lastID, f.dead = true, h.lastID, h.dead
			f.committed = place{0, minInt64}
			h.dead = nil
			h.freeze()
		}
	}
	done = true
	return err
}

// writeFrozen is steps 2 and 3.
func (db *DB) writeFrozen(f *flushing) error {
	f.batch = db.blocks.NewBatch()
	defer f.batch.Close()
	f.merge.begin(db.blocks, f.batch, &db.opts)
	defer f.merge.end()
	f.round = f.committed
	for more := true; more; {
		var err error
		if more, err = db.copyRound(f); err != nil {
			return err
		}
		committed, err := f.merge.round(f.series)
		if err != nil {
			return err
		}
		if committed {
			f.committed = f.round
		}
		db.tell(f.series)
	}
	for _, d := range f.dead {
		if err := f.merge.bury(d); err != nil {
			return err
		}
	}
	return f.merge.complete(f.lastID, f.seq)
}

// copyRound copies frozen samples of the next series into f.series. It returns false when there are no more.
func (db *DB) copyRound(f *flushing) (more bool, err error) {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	if err = db.failure(); err == nil {
		more = db.copyRoundLocked(f)
	}
	done = true
	return more, err
}

func (db *DB) copyRoundLocked(f *flushing) (more bool) {
	if f.buf == nil {
		f.buf = make([]entry, 0, roundSamples)
	}
	h := db.mu.head
	f.series, f.buf = f.series[:0], f.buf[:0]
	i := 0
	if f.round.id > 0 {
		i = h.after(f.round.id - 1)
	}
	for ; i < len(h.order) && h.ids[i] <= f.lastID; i++ {
		if len(f.series) == roundSeries || len(f.buf) == cap(f.buf) {
			f.round.id = h.ids[i]
			return true
		}
		if h.order[i] == 0 {
			continue
		}
		if h.ids[i] != f.round.id {
			f.round.from = minInt64
		}
		if whole := db.copySeries(f, h, h.order[i]); !whole {
			f.round.id, f.round.from = h.ids[i], f.buf[len(f.buf)-1].t+1
			return true
		}
	}
	return false
}

// copySeries copies the frozen samples of a series from f.round.from on. It returns false if there was no room for all.
func (db *DB) copySeries(f *flushing, h *head, at slot) (whole bool) {
	s := h.at(at)
	c := copied{id: s.id, at: at, stored: *h.storedOf(at)}
	if f.round.from == minInt64 { // else it is the rest of a series that was begun
		if s.id > db.recordedID {
			c.key = s.key
		}
		for _, e := range h.erased[s.id] {
			if e.gen != h.gen {
				c.erased = append(c.erased, e)
			}
		}
	}
	start := len(f.buf)
	if r := h.frozen(at, s); r != nil {
		h.settle(r)
		f.buf = r.read(&h.slab, f.round.from, maxInt64-1, f.buf)
	}
	c.samples = f.buf[start:]
	if c.key != "" || len(c.erased) > 0 || len(c.samples) > 0 || f.learn && c.stored.known == unknown {
		f.series = append(f.series, c)
	}
	return len(f.buf) < cap(f.buf) || len(c.samples) == 0
}

// thaw is step 4 in memory.
func (db *DB) thaw(f *flushing) {
	for page := 0; db.thawPage(page); page++ {
	}
	db.storedSamples.Store(f.merge.state.samples) // till now they were counted in memory
	db.recordedID = max(db.recordedID, f.lastID)
	f.begun, f.wrote, f.dead = false, false, nil
}

// value returns the float64 of an entry.
func (e entry) value() float64 { return math.Float64frombits(e.v) }

// tell gives the head what a round found out about the chunks of its series, as they will be with the next commit.
func (db *DB) tell(series []copied) {
	db.mu.Lock()
	defer db.mu.Unlock()
	h := db.mu.head
	if h == nil {
		return
	}
	for _, s := range series {
		if h.at(s.at).id != s.id {
			continue
		}
		*h.storedOf(s.at) = s.stored
	}
}

// forgetChunks makes all unknown that the head knows of chunks: after a failure some of what it was told was not committed.
func (db *DB) forgetChunks() {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.mu.head == nil {
		return
	}
	for _, page := range db.mu.head.stored {
		for i := range page {
			page[i] = stored{known: unknown}
		}
	}
}
