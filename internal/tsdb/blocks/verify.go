package blocks

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// Visitor is called by Verify and Salvage with what can be read, in this order: series, the state, chunks. An error of its
// functions ends that; slices are valid during the call. Nil functions are not called.
type Visitor struct {
	Series func(id uint64, record []byte) error
	Chunk  func(window int64, id uint64, first int64, chunk []byte) error
	// State is called with the state of the engine, if there is one.
	State func(state []byte) error
	// Damage is called with what can't be read.
	Damage func(Damage)
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
	Marks      Marks    // Salvage's; zero if they can't be read
	Identity   Identity // likewise
}

// verifier is one run of Verify.
type verifier struct {
	visitor Visitor
	sum     Summary
	s       *Store
	window  int64 // the last that had a chunk, if Windows is not 0
}

// Verify reads all there is, first every block of every table for its checksum, then the order of keys in all levels, then
// all series and chunks in order of their keys, as a reader sees them. It goes on past damage.
func (s *Store) Verify(ctx context.Context, v Visitor) (Summary, error) {
	if err := s.acquire(); err != nil {
		return Summary{}, err
	}
	defer s.release()
	r := &verifier{visitor: v, s: s}
	err := r.tables(ctx)
	if err == nil {
		if err := s.db.CheckLevels(nil); err != nil {
			r.damagedKey(fmt.Errorf("order of keys: %w", err))
		}
		err = r.scan(ctx, seriesPrefix, seriesLimit, r.series)
	}
	if err == nil {
		err = r.scan(ctx, stateKey, stateLimit, r.state)
	}
	if err == nil {
		err = r.scan(ctx, chunkPrefix, chunkLimit, r.chunk)
	}
	return r.sum, err
}

func (r *verifier) damage(d Damage) {
	r.sum.Damages++
	if r.visitor.Damage != nil {
		r.visitor.Damage(d)
	}
}

// damagedKey reports what has no range.
func (r *verifier) damagedKey(err error) { r.damage(Damage{Err: asDamage(err)}) }

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
				r.damagedKey(fmt.Errorf("%s: %w", r.s.opts.FS.PathJoin(r.s.opts.Dir, name), corruption{err}))
			}
		}
	}
	return errors.Join(err, ctx.Err(), pin.Close())
}

func (r *verifier) table(ctx context.Context, name string) error {
	reader, size, err := openTable(ctx, &r.s.opts, r.s.identity, name)
	r.sum.TableBytes += size
	if err != nil {
		return err
	}
	return errors.Join(reader.ValidateBlockChecksums(), reader.Close())
}

// openTable opens a table of a store on its own, and returns its size as well.
func openTable(ctx context.Context, o *Options, id Identity, name string) (*sstable.Reader, int64, error) {
	f, err := o.FS.Open(o.FS.PathJoin(o.Dir, name))
	if err != nil {
		return nil, 0, err
	}
	reader, size, err := readTable(ctx, f)
	if err == nil {
		if err = id.check(reader); err == nil {
			return reader, size, nil
		}
	}
	return nil, size, errors.Join(err, f.Close())
}

// readTable returns a reader of a table, which then owns the file, and the size of it.
func readTable(ctx context.Context, f sstable.ReadableFile) (*sstable.Reader, int64, error) {
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return nil, 0, err
	}
	var p pebble.Options
	p.EnsureDefaults()
	reader, err := sstable.NewReader(ctx, readable, p.MakeReaderOptions())
	return reader, readable.Size(), err
}

// scan visits the keys from start to limit as a reader of the store sees them.
func (r *verifier) scan(ctx context.Context, start, limit []byte, visit func(key, value []byte) error) error {
	it, err := r.s.db.NewIter(&pebble.IterOptions{LowerBound: start, UpperBound: limit})
	if err != nil {
		return damaged(err)
	}
	err = scan(ctx, it, start, limit, visit, r.damage)
	_ = it.Close() // its errors were reported
	return err
}

func (r *verifier) series(key, value []byte) error {
	id, err := parseSeriesKey(key)
	if err != nil {
		r.damagedKey(err)
		return nil
	}
	r.sum.Series++
	if r.visitor.Series == nil {
		return nil
	}
	return r.visitor.Series(id, value)
}

func (r *verifier) state(_, value []byte) error {
	if r.visitor.State == nil {
		return nil
	}
	return r.visitor.State(value)
}

func (r *verifier) chunk(key, value []byte) error {
	window, id, first, err := parseChunkKey(key)
	if err != nil {
		r.damagedKey(err)
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
