package tsdb

import (
	"bytes"
	"context"
	"math"

	"metricd/internal/storage"
)

// appender takes batches for one sender. All it remembers is the series of the last row, and how
// well it guessed the next ones.
type appender struct {
	db    *DB
	last  slot
	wrong uint // wrong guesses since the last right one
}

// Appender returns a new Appender.
func (db *DB) Appender() storage.Appender { return &appender{db: db} }

// Append takes the rows of b; see storage.Appender.
func (a *appender) Append(b *storage.Batch) (storage.Seq, error) {
	db := a.db
	b.Refused = b.Refused[:0]
	if err := db.throttle(); err != nil {
		return 0, err
	}
	if err := db.room.refusal(); err != nil {
		return db.refuse(b, err)
	}
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	if err := db.failure(); err != nil {
		done = true
		return 0, err
	}
	h := db.mu.head
	last := a.last
	oldest := db.oldest()
	logged := db.log != nil
	db.record.begin()
	for i := range b.Rows {
		row := &b.Rows[i]
		if i%ahead == 0 && a.wrong >= patience {
			h.lookAhead(b.Rows[i:min(i+ahead, len(b.Rows))])
		}
		at := slot(row.Ref)
		s := h.at(at)
		if row.T < oldest || row.T > storage.MaxTime {
			b.Refused = append(b.Refused, storage.Refusal{Row: i, Err: db.timeError(row.T)})
			continue
		}
		if uint32(s.id) != uint32(row.Ref>>32) {
			var err error
			if at, err = a.seriesLocked(last, row.Key, oldest); err != nil {
				b.Refused = append(b.Refused, storage.Refusal{Row: i, Err: err})
				continue
			}
			s = h.at(at)
			row.Ref = refOf(at, s)
		}
		last = at
		v := math.Float64bits(row.V)
		if s.gen == h.gen && s.last >= oldest && s.append(&h.slab, row.T, v) {
			if logged {
				db.record.row(s.id, row.T, v)
			}
			continue
		}
		if err := db.putLocked(at, row, oldest); err != nil {
			b.Refused = append(b.Refused, storage.Refusal{Row: i, Err: err})
		}
	}
	a.last = last
	refused := int64(len(b.Refused))
	taken := int64(len(b.Rows)) - refused
	h.samples += taken
	db.mu.stats.Appended += taken
	db.mu.stats.Refused += refused
	if len(db.mu.watches) > 0 {
		db.noteLocked(b)
	}
	seq, err := db.commitLocked()
	db.flushIfFullLocked()
	done = true
	return seq, err
}

// putLocked takes a row that can't just be appended to the samples of its series.
func (db *DB) putLocked(at slot, row *storage.Row, oldest int64) error {
	h := db.mu.head
	s := h.at(at)
	if oldest > storage.MinTime {
		if err := db.showLocked(at, s, oldest); err != nil {
			return err
		}
	}
	if s.gen != h.gen {
		h.unfreeze(at, s)
	}
	// A new series has its memory already: it must not be left without samples. Nor does
	// it take memory to replace a sample.
	if (s.root != 0 || s.id != h.lastID) && db.fullLocked(db.opts.MemoryLimit) {
		h.settle(&s.run)
		if !h.within(&s.run, row.T, row.T) {
			return db.errMemory
		}
	}
	v := math.Float64bits(row.V)
	switch {
	case s.root != 0 && row.T < s.last:
		h.hold(&s.run, entry{row.T, v})
		db.mu.stats.Late++
	case s.put(&h.slab, row.T, v):
		h.overwritten++
		h.samples--
	}
	if db.log != nil {
		db.record.row(s.id, row.T, v)
	}
	return nil
}

// seriesLocked returns the series that key spells and makes it if there is none. The first
// guess is the series that followed last the last time, whoever sent it: right for agents,
// which send the same series in the same order. A sender whose guesses are always wrong is
// given one now and then: looking at the wrong series costs two lines of memory.
func (a *appender) seriesLocked(last slot, key []byte, oldest int64) (slot, error) {
	const often = 16
	db, h := a.db, a.db.mu.head
	next := &h.at(last).next
	if a.wrong < patience || a.wrong%often == 0 {
		if s := h.at(*next); *next != 0 && s.id != 0 && string(key) == s.key {
			a.wrong = 0
			return *next, nil
		}
	}
	a.wrong++
	h.canonical = storage.AppendCanonical(h.canonical[:0], key)
	if at := h.find(h.canonical); at != 0 {
		*next = at
		return at, nil
	}
	if err := db.roomForSeriesLocked(key, oldest); err != nil {
		return 0, err
	}
	*next = db.addSeriesLocked(key)
	return *next, nil
}

// roomForSeriesLocked says why there can't be a new series with this key, if so.
func (db *DB) roomForSeriesLocked(key []byte, oldest int64) error {
	switch {
	case len(key) == 0:
		return storage.ErrKey
	case db.seriesFullLocked(oldest):
		return db.errSeries
	case db.fullLocked(db.opts.MemoryLimit - db.opts.MemoryLimit/16):
		return db.errMemorySeries
	}
	return nil
}

// addSeriesLocked makes a new series. head.canonical holds its canonical key.
func (db *DB) addSeriesLocked(key []byte) slot {
	h := db.mu.head
	at := h.add(key, h.canonical)
	if db.log != nil {
		db.record.series(h.at(at).id, key)
	}
	return at
}

// refuse takes no row of b, because of err.
func (db *DB) refuse(b *storage.Batch, err error) (storage.Seq, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if failure := db.failure(); failure != nil {
		return 0, failure
	}
	for i := range b.Rows {
		b.Refused = append(b.Refused, storage.Refusal{Row: i, Err: err})
	}
	db.mu.stats.Refused += int64(len(b.Rows))
	return storage.Seq(db.seq.Load()), nil
}

const (
	// patience is how many wrong guesses in a row show a sender without order.
	patience = 8
	// ahead is how many rows of such a sender are looked up together.
	ahead = 32
)

// lookAhead sets the Refs of rows, where it can. To find a series and to store its sample takes
// several reads of memory that is in no cache, each depending on the one before: the index, the
// series, its key and where it holds late samples. Done for several rows in step, the processor
// waits for all of them at once.
func (h *head) lookAhead(rows []storage.Row) {
	var at [ahead]slot
	for i := range rows {
		if key := rows[i].Key; rows[i].Ref == 0 && bytes.IndexByte(key, ';') < 0 {
			at[i] = h.index.first(h.index.hash(key))
		}
	}
	for i := range rows {
		h.touched += h.at(at[i]).id
	}
	for i := range rows {
		if s := h.at(at[i]); s.held != 0 {
			h.touched += uint64(s.key[0]) + h.slab.at(s.held, int(s.heldN)).v
		}
	}
	for i := range rows {
		s := h.at(at[i])
		if at[i] != 0 && !s.respelled && string(rows[i].Key) == s.key {
			rows[i].Ref = refOf(at[i], s)
		}
	}
}

// fullLocked says whether limit is reached.
func (db *DB) fullLocked(limit int64) bool {
	return db.mu.bytes()+db.chunkBytes.Load()+db.labels.Bytes() >= limit
}

// commitLocked gives what was recorded since record.begin a sequence, and hands it to the log. What
// changed nothing has the sequence of what came before.
func (db *DB) commitLocked() (storage.Seq, error) {
	if db.log == nil {
		return storage.Seq(db.seq.Add(1)), nil
	}
	rec := db.record.bytes()
	if len(rec) == 0 {
		return storage.Seq(db.seq.Load()), nil
	}
	db.room.put(len(rec))
	seq := db.seq.Add(1)
	if err := db.log.Append(rec, seq); err != nil {
		db.failLocked(asFailure(err))
		return 0, db.failure()
	}
	return storage.Seq(seq), nil
}

// Wait returns when all up to seq is durable; see storage.Appender.
func (a *appender) Wait(ctx context.Context, seq storage.Seq) error {
	return a.db.wait(ctx, uint64(seq))
}
