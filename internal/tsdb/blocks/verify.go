package blocks

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// Visitor is called by Verify with what can be read. An error of Series or Chunk ends it; slices are valid during the call. Nil
// functions are not called.
type Visitor struct {
	Series func(id uint64, record []byte) error
	Chunk  func(window int64, id uint64, first int64, chunk []byte) error
	// Damage is called with what can't be read, the file or the range of keys in the text.
	Damage func(error)
}

// Summary counts what Verify read.
type Summary struct {
	Tables     int
	TableBytes int64
	Series     int64
	Windows    int64
	Chunks     int64
	ChunkBytes int64
	Damages    int
}

// verifier is one run of Verify.
type verifier struct {
	visitor Visitor
	sum     Summary
	s       *Store
	window  int64 // the last that had a chunk, if Windows is not 0
}

// Verify reads all there is, first every block of every table for its checksum, then the order of keys in all levels, then
// all series and chunks in order of their keys. It goes on past damage, where it may skip up to as much as is damaged.
func (s *Store) Verify(ctx context.Context, v Visitor) (Summary, error) {
	if err := s.acquire(); err != nil {
		return Summary{}, err
	}
	defer s.release()
	r := &verifier{visitor: v, s: s}
	err := r.tables(ctx)
	if err == nil {
		if err := s.db.CheckLevels(nil); err != nil {
			r.damage(fmt.Errorf("order of keys: %w", err))
		}
		err = r.scan(ctx, seriesPrefix, seriesLimit, r.series)
	}
	if err == nil {
		err = r.scan(ctx, chunkPrefix, chunkLimit, r.chunk)
	}
	return r.sum, err
}

func (r *verifier) damage(err error) {
	r.sum.Damages++
	if r.visitor.Damage != nil {
		r.visitor.Damage(fmt.Errorf("%w: %w", ErrDamaged, err))
	}
}

// tables verifies the checksums of all tables.
func (r *verifier) tables(ctx context.Context) error {
	pin, err := r.s.db.NewIter(nil) // keeps the tables from being deleted
	if err != nil {
		return damaged(err)
	}
	levels, err := r.s.db.SSTables()
	seen := map[string]bool{}
	for _, level := range levels {
		for _, table := range level {
			name := table.BackingSSTNum.String() + ".sst"
			if seen[name] || ctx.Err() != nil {
				continue
			}
			seen[name] = true
			r.sum.Tables++
			if err := r.table(ctx, name); err != nil {
				r.damage(fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return errors.Join(err, ctx.Err(), pin.Close())
}

func (r *verifier) table(ctx context.Context, name string) error {
	fs := r.s.opts.FS
	f, err := fs.Open(fs.PathJoin(r.s.opts.Dir, name))
	if err != nil {
		return err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.sum.TableBytes += readable.Size()
	var o pebble.Options
	o.EnsureDefaults()
	reader, err := sstable.NewReader(ctx, readable, o.MakeReaderOptions()) // closes readable on errors
	if err != nil {
		return err
	}
	return errors.Join(reader.ValidateBlockChecksums(), reader.Close())
}

// scan calls visit with all keys from start to limit that can be read.
func (r *verifier) scan(ctx context.Context, start, limit []byte, visit func(key, value []byte) error) error {
	it, err := r.s.db.NewIter(&pebble.IterOptions{LowerBound: start, UpperBound: limit})
	if err != nil {
		return damaged(err)
	}
	at := append([]byte{}, start...)
	skip := uint64(1)
	for valid := it.SeekGE(at); ; {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, it.Close())
		}
		if !valid && it.Error() == nil {
			return damaged(it.Close())
		}
		value, err := it.ValueAndErr()
		if !valid || err != nil {
			r.damage(fmt.Errorf("after the key %x: %w", at, errors.Join(it.Error(), err)))
			if at = skipKey(at, limit, skip); at == nil {
				_ = it.Close() // its error was reported
				return nil
			}
			skip = min(skip*2, math.MaxInt64)
			valid = it.SeekGE(at)
			continue
		}
		at, skip = append(at[:0], it.Key()...), 1
		if err := visit(at, value); err != nil {
			return errors.Join(err, it.Close())
		}
		valid = it.Next()
	}
}

// skipKey returns a key that is n series behind key, nil if that is behind the limit. In chunks, the last series of a window
// is followed by the first one of the next.
func skipKey(key, limit []byte, n uint64) []byte {
	var b chunkKey
	copy(b[:], key)
	if limit[0] != chunkLimit[0] {
		id, over := bits.Add64(binary.BigEndian.Uint64(b[2:]), n, 0)
		if over != 0 {
			return nil
		}
		return seriesKey(id)
	}
	id, over := bits.Add64(binary.BigEndian.Uint64(b[windowEnd:]), n, 0)
	window, end := bits.Add64(binary.BigEndian.Uint64(b[2:]), 0, over)
	if end != 0 {
		return nil
	}
	binary.BigEndian.PutUint64(b[2:], window)
	binary.BigEndian.PutUint64(b[windowEnd:], id)
	return b[:idEnd]
}

func (r *verifier) series(key, value []byte) error {
	id, err := parseSeriesKey(key)
	if err != nil {
		r.damage(err)
		return nil
	}
	r.sum.Series++
	if r.visitor.Series == nil {
		return nil
	}
	return r.visitor.Series(id, value)
}

func (r *verifier) chunk(key, value []byte) error {
	window, id, first, err := parseChunkKey(key)
	if err != nil {
		r.damage(err)
		return nil
	}
	if r.sum.Windows == 0 || window != r.window {
		r.sum.Windows++
		r.window = window
	}
	r.sum.Chunks++
	r.sum.ChunkBytes += int64(len(value))
	if r.visitor.Chunk == nil {
		return nil
	}
	return r.visitor.Chunk(window, id, first, value)
}
