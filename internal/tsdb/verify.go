package tsdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"metricd/internal/chunk"
	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/wal"
)

// Verify reads all that is in a directory that no DB has open, and changes nothing in it: nil means that Open finds
// everything that was there when the directory was copied. The error names the first damage.
func Verify(ctx context.Context, dir string) error {
	store, err := blocks.Open(blocks.Options{Dir: filepath.Join(dir, chunksDir), ReadOnly: true})
	if err != nil {
		return err
	}
	err = verifyStore(ctx, store)
	if err == nil {
		err = verifyLog(store, filepath.Join(dir, logDir))
	}
	return errors.Join(err, store.Close())
}

// verifyStore reads all tables, and decodes all that is in them.
func verifyStore(ctx context.Context, store *blocks.Store) error {
	var first error
	var dec chunk.Decoder
	var times []int64
	var values []float64
	_, err := store.Verify(ctx, blocks.Visitor{
		Damage: func(err error) { first = cmp.Or(first, err) },
		Series: func(id uint64, record []byte) error {
			if _, err := decodeSeries(record); err != nil {
				return fmt.Errorf("series %d: %w", id, err)
			}
			return nil
		},
		Chunk: func(window int64, id uint64, at int64, data []byte) (err error) {
			times, values, err = dec.Append(times[:0], values[:0], data)
			if err != nil || times[0] != at {
				return fmt.Errorf("series %d: chunk of window %d at %d ms is damaged: %w", id, window, at, cmp.Or(err, errMisplaced))
			}
			return nil
		},
	})
	return cmp.Or(first, err)
}

var errMisplaced = errors.New("it is not where it belongs")

// verifyLog reads the log, and compares what it and the chunks reach to what was there once.
func verifyLog(store *blocks.Store, dir string) error {
	data, err := store.State()
	if err != nil {
		return err
	}
	var st state
	if data != nil {
		if st, err = decodeState(data); err != nil {
			return err
		}
	}
	rec, err := wal.Replay(wal.Options{Dir: dir, Start: st.flushed}, func(_ uint64, record []byte) error {
		return readRecord(record, unread{})
	})
	if err != nil {
		return err
	}
	if was := store.Marks().Synced; rec.Base > st.flushed || max(rec.Last, st.flushed) < was {
		return fmt.Errorf("log in %s: it has records %d to %d, but %d to %d were there", dir, rec.Base+1, rec.Last, st.flushed+1, was)
	}
	return nil
}

// unread is a recordVisitor that wants to know no more than whether a record can be read.
type unread struct{}

func (unread) series(uint64, []byte) error              { return nil }
func (unread) row(uint64, int64, uint64) error          { return nil }
func (unread) removed(uint64, int64, int64, bool) error { return nil }
