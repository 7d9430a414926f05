package blocks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

// Cursor goes through chunks in the order of window, series and time. It sees the store as it was when it was made.
// It pins that state, so it is for short work, not for the time a client takes to read: a position is (window, id,
// first), from which a new cursor goes on. Not for concurrent use. After an error it stays where it is: see Err.
type Cursor struct {
	s      *Store
	it     *pebble.Iterator
	key    chunkKey // scratch
	within int      // how many leading bytes of the key stay the same
	window int64
	id     uint64
	first  int64
	err    error
}

// NewCursor returns a cursor. Close it.
func (s *Store) NewCursor() (*Cursor, error) {
	if err := s.acquire(); err != nil {
		return nil, err
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: chunkPrefix, UpperBound: chunkLimit})
	if err != nil {
		s.release()
		return nil, damaged(err)
	}
	return &Cursor{s: s, it: it}, nil
}

// Close ends the cursor, and returns its error, if there was one.
func (c *Cursor) Close() error {
	err := c.it.Close()
	c.s.release()
	if c.err == nil {
		c.err = damaged(err)
	}
	return c.err
}

// Err returns the error that made a method return false, if one did.
func (c *Cursor) Err() error { return c.err }

// SeekTime moves to the chunk of a series in a window that may hold time t (ms), the last one that begins at t or before; if there is
// none, to the first one. Next then stays within that series and window.
func (c *Cursor) SeekTime(window int64, id uint64, t int64) bool {
	c.within = idEnd
	if t > math.MinInt64 {
		found := false
		if t < math.MaxInt64 {
			found = c.it.SeekLT(c.key.set(window, id, t+1))
		} else if found = c.it.SeekGE(c.key.set(window, id, t)) && bytes.Equal(c.it.Key(), c.key[:]); !found {
			found = c.it.SeekLT(c.key[:])
		}
		if found && bytes.Equal(c.it.Key()[:idEnd], c.key[:idEnd]) {
			return c.at(true)
		}
		if c.it.Error() != nil {
			return c.at(false)
		}
	}
	return c.at(c.it.SeekGE(c.key.set(window, id, math.MinInt64)))
}

// SeekFrom moves to the first chunk at or after (window, id, first). Next then goes through all there are.
func (c *Cursor) SeekFrom(window int64, id uint64, first int64) bool {
	c.within = 0
	return c.at(c.it.SeekGE(c.key.set(window, id, first)))
}

// Next moves to the next chunk.
func (c *Cursor) Next() bool { return c.err == nil && c.at(c.it.Next()) }

// at takes the key apart on which the iterator is, if it is on one.
func (c *Cursor) at(valid bool) bool {
	if c.err != nil {
		return false
	}
	if !valid {
		c.err = damaged(c.it.Error())
		return false
	}
	key := c.it.Key()
	if c.window, c.id, c.first, c.err = parseChunkKey(key); c.err != nil {
		return false
	}
	return bytes.Equal(key[:c.within], c.key[:c.within])
}

// Window returns the window of the chunk on which the cursor is.
func (c *Cursor) Window() int64 { return c.window }

// ID returns its series.
func (c *Cursor) ID() uint64 { return c.id }

// First returns the time (ms) under which it was put.
func (c *Cursor) First() int64 { return c.first }

// Chunk returns its bytes, valid until the cursor moves.
func (c *Cursor) Chunk() ([]byte, error) {
	b, err := c.it.ValueAndErr()
	if err != nil && c.err == nil {
		c.err = damaged(err)
	}
	return b, c.err
}

// LastWindow returns the last window that has chunks. The cursor is on no chunk then.
func (c *Cursor) LastWindow() (window int64, found bool) {
	c.within = 0
	found = c.at(c.it.Last())
	return c.window, found
}

// FindWindowOf returns the first window at or after from that has chunks of a series, and is on the first of them, as after
// SeekTime. It looks into each window that any series has from there on: one seek a window.
func (c *Cursor) FindWindowOf(id uint64, from int64) (window int64, found bool) {
	c.within = 0
	for {
		if !c.at(c.it.SeekGE(c.key.set(from, id, math.MinInt64))) {
			return 0, false
		}
		switch {
		case c.id == id:
			c.key.set(c.window, id, c.first)
			c.within = idEnd
			return c.window, true
		case c.window > from && c.id < id:
			from = c.window
		case c.window == math.MaxInt64:
			return 0, false
		default:
			from = c.window + 1
		}
	}
}

// FindLastWindowOf returns the last window that has chunks of a series, and is on the last of them, as after SeekTime. It looks
// into each window that any series has behind that: one or two seeks a window.
func (c *Cursor) FindLastWindowOf(id uint64) (window int64, found bool) {
	c.within = 0
	for ok := c.at(c.it.Last()); ok; {
		w := c.window // the cursor is on its last chunk
		if c.id > id {
			if ok = c.at(c.it.SeekLT(c.key.set(w, id+1, math.MinInt64))); !ok || c.window < w {
				continue
			}
		}
		if c.id == id {
			c.key.set(w, id, c.first)
			c.within = idEnd
			return w, true
		}
		ok = c.at(c.it.SeekLT(c.key.set(w, 0, math.MinInt64)))
	}
	return 0, false
}

// State returns the engine's state, nil if none was ever set.
func (s *Store) State() ([]byte, error) { return s.get(stateKey) }

// Series returns the record of a series, nil if there is none.
func (s *Store) Series(id uint64) ([]byte, error) { return s.get(seriesKey(id)) }

func (s *Store) get(key []byte) ([]byte, error) {
	if err := s.acquire(); err != nil {
		return nil, err
	}
	defer s.release()
	b, done, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, damaged(err)
	}
	defer done.Close()
	return append([]byte{}, b...), nil
}

// Count returns how many samples a window has, by SetCount; 0 if that was not told.
func (s *Store) Count(window int64) (samples uint64, err error) {
	b, err := s.get(countKey(window))
	if b == nil || err != nil {
		return 0, err
	}
	return parseCount(b)
}

// Counts returns how many samples the windows first to last, both included, have by SetCount.
func (s *Store) Counts(first, last int64) (samples uint64, err error) {
	if err := s.acquire(); err != nil {
		return 0, err
	}
	defer s.release()
	start, end := countRange(first, last)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: start, UpperBound: end})
	if err != nil {
		return 0, damaged(err)
	}
	for valid := it.First(); valid && err == nil; valid = it.Next() {
		var n uint64
		n, err = parseCount(it.Value())
		samples += n
	}
	if closeErr := it.Close(); err == nil {
		err = damaged(closeErr)
	}
	return samples, err
}

func parseCount(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("%w: the count of a window has %d bytes, not 8", ErrDamaged, len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// EachSeries calls visit with the records of all series from an id on, in order of their ids, until it returns
// an error, which it then returns. The record is valid during the call.
func (s *Store) EachSeries(from uint64, visit func(id uint64, record []byte) error) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: seriesKey(from), UpperBound: seriesLimit})
	if err != nil {
		return damaged(err)
	}
	for valid := it.First(); valid && err == nil; valid = it.Next() {
		err = visitSeries(it, visit)
	}
	if closeErr := it.Close(); err == nil { // Close returns the error of Next as well
		err = damaged(closeErr)
	}
	return err
}

func visitSeries(it *pebble.Iterator, visit func(id uint64, record []byte) error) error {
	id, err := parseSeriesKey(it.Key())
	if err != nil {
		return err
	}
	record, err := it.ValueAndErr()
	if err != nil {
		return damaged(err)
	}
	return visit(id, record)
}
