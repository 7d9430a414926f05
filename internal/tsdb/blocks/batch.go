package blocks

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Batch gathers changes that take effect together. Not for concurrent use. Slices that are given to it are copied.
// From LargeBatch on it is written to tables as it is, without a memtable between; then it should be in order of keys: chunks by
// window, series and first, then series, then the state. 4 GiB is the limit.
type Batch struct {
	s   *Store
	b   *pebble.Batch
	key chunkKey
	err error // the first
}

// LargeBatch is the size of a batch, in bytes, from which on no memtable takes it. Sorted batches of it, compared to memtables
// filled by batches of 100 KB, take half the CPU.
const LargeBatch = memTableSize / 2

// NewBatch returns an empty batch. Close it.
func (s *Store) NewBatch() *Batch { return &Batch{s: s, b: s.db.NewBatch()} }

func (b *Batch) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

// PutSeries stores the record of a series, in place of an older one.
func (b *Batch) PutSeries(id uint64, record []byte) { b.note(b.b.Set(seriesKey(id), record, nil)) }

// DeleteSeries deletes the record of a series, if there is one. Its chunks stay.
func (b *Batch) DeleteSeries(id uint64) { b.note(b.b.Delete(seriesKey(id), nil)) }

// PutChunk stores a chunk whose first sample is at first (ms), in place of one that has the same window, id and first.
func (b *Batch) PutChunk(window int64, id uint64, first int64, chunk []byte) {
	b.note(b.b.Set(b.key.set(window, id, first), chunk, nil))
}

// DeleteChunk deletes a chunk, if there is one.
func (b *Batch) DeleteChunk(window int64, id uint64, first int64) {
	b.note(b.b.Delete(b.key.set(window, id, first), nil))
}

// SetCount stores how many samples the chunks of a window have; 0 forgets the window.
func (b *Batch) SetCount(window int64, samples uint64) {
	if samples == 0 {
		b.note(b.b.Delete(countKey(window), nil))
		return
	}
	b.note(b.b.Set(countKey(window), binary.BigEndian.AppendUint64(nil, samples), nil))
}

// DeleteWindows deletes all chunks of the windows first to last, both included, and their counts.
func (b *Batch) DeleteWindows(first, last int64) {
	start, end := windowRange(first, last)
	b.note(b.b.DeleteRange(start, end, nil))
	start, end = countRange(first, last)
	b.note(b.b.DeleteRange(start, end, nil))
}

// SetState stores the state of the engine, in place of the one before.
func (b *Batch) SetState(state []byte) { b.note(b.b.Set(stateKey, state, nil)) }

// Len returns the batch's size in bytes.
func (b *Batch) Len() int { return b.b.Len() }

// entryOverhead is what an entry takes in a memtable besides its key and value, bytes: at most, since
// nodes have towers of random height.
const entryOverhead = 128

// Commit makes the changes visible to all reads that begin after it, and empties the batch for reuse. They become durable by
// the next Flush. It waits while much is committed and not yet in tables. After ErrNoSpace none of it was
// done, and the batch is as it was: it may be committed later. After ErrFailed it may have been done or not, but never by half.
func (b *Batch) Commit() error {
	if b.err != nil {
		return fmt.Errorf("chunks: batch: %w", b.err)
	}
	s := b.s
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	if s.marks.Load() == nil {
		return errReadOnly
	}
	if b.b.Empty() {
		return nil
	}
	if err := s.makeRoom(b.b.Len() + entryOverhead*int(b.b.Count())); err != nil {
		return err
	}
	if err := s.db.Apply(b.b, pebble.NoSync); err != nil {
		return s.health.fail(err)
	}
	b.b.Reset()
	return s.health.failure()
}

// Close gives the batch's memory back. It must not be used any more.
func (b *Batch) Close() error { return b.b.Close() }
