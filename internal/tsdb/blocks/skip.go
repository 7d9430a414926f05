package blocks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"sort"
)

// source goes through keys and values in order; a pebble.Iterator is one. Key and value are valid until it moves. After
// an error it is nowhere, until a SeekGE that succeeds.
type source interface {
	SeekGE(key []byte) bool
	SeekLT(key []byte) bool
	Next() bool
	Prev() bool
	Key() []byte
	ValueAndErr() ([]byte, error)
	Error() error
}

// Position is that of a chunk, or of the record of a series, which has an ID only.
type Position struct {
	Window int64
	ID     uint64
	First  int64 // ms
}

// Range is a stretch of records of series, or of chunks, in the order in which they are kept.
type Range struct {
	Series bool // of records of series
	// After and Before are the next to the stretch on either side: they were read. Nil: there are none.
	After, Before *Position
}

// Damage is something that can't be read, or is not as it was written.
type Damage struct {
	Err  error  // wraps ErrDamaged, and names the file where that is known
	Lost *Range // what may be missing for it; nil: it is not known, or nothing
}

// scan calls visit with all keys of src from start up to limit that can be read, and damage with what can't. It returns the
// error of visit or of ctx.
func scan(ctx context.Context, src source, start, limit []byte, visit func(key, value []byte) error, damage func(Damage)) error {
	var last []byte // the last key read
	valid := src.SeekGE(start)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		value, err := valueAt(src, valid)
		if err != nil {
			lost := &Range{Series: bytes.Equal(start, seriesPrefix), After: position(last)}
			if valid = resume(src, later(start, last), limit); valid {
				lost.Before = position(src.Key())
			}
			if bytes.Equal(start, stateKey) {
				lost = nil
			}
			damage(Damage{Err: asDamage(err), Lost: lost})
			if !valid {
				return nil
			}
			continue
		}
		if !valid || bytes.Compare(src.Key(), limit) >= 0 {
			return nil
		}
		last = append(last[:0], src.Key()...)
		if err := visit(last, value); err != nil {
			return err
		}
		valid = src.Next()
	}
}

// later returns the larger of two keys.
func later(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return b
	}
	return a
}

// valueAt returns the value at which src is, if it is at one.
func valueAt(src source, valid bool) ([]byte, error) {
	if !valid {
		return nil, src.Error()
	}
	return src.ValueAndErr()
}

func asDamage(err error) error {
	if errors.Is(err, ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, corruption{err})
}

// resume moves src, which failed behind key bad, to the first key behind the damage; false: there is none below the limit.
// It looks for the shortest step, a power of two, that leads over it, and goes back from there. Few steps meet the
// damage again: each costs up to a tenth of a second, since Pebble looks for the bit of a block that would have to change.
func resume(src source, bad, limit []byte) bool {
	base, end := keyNumber(bad), keyNumber(limit)
	step := func(k int) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), uint(k))
		return n.Add(n, base)
	}
	k := sort.Search(8*chunkKeyLen, func(k int) bool {
		at := step(k)
		if at.Cmp(end) >= 0 {
			return true
		}
		_, err := valueAt(src, src.SeekGE(numberKey(at)))
		return err == nil
	})
	from := limit
	if at := step(k); at.Cmp(end) < 0 {
		from = numberKey(at)
	}
	var first []byte
	if src.SeekGE(from) {
		first = bytes.Clone(src.Key())
	}
	for ok := src.SeekLT(from); ok && bytes.Compare(src.Key(), bad) > 0; ok = src.Prev() {
		if _, err := src.ValueAndErr(); err != nil {
			break
		}
		first = append(first[:0], src.Key()...)
	}
	return first != nil && src.SeekGE(first) && bytes.Compare(src.Key(), limit) < 0
}

// keyNumber returns a key, filled up with zeros to the length of the longest, as a number.
func keyNumber(key []byte) *big.Int {
	var b chunkKey
	copy(b[:], key)
	return new(big.Int).SetBytes(b[:])
}

// numberKey is the inverse of keyNumber.
func numberKey(n *big.Int) []byte { return n.FillBytes(make([]byte, chunkKeyLen)) }

// position returns the position in a key, nil if there is none.
func position(key []byte) *Position {
	var p Position
	var err error
	if bytes.HasPrefix(key, seriesPrefix) {
		p.ID, err = parseSeriesKey(key)
	} else {
		p.Window, p.ID, p.First, err = parseChunkKey(key)
	}
	if err != nil {
		return nil
	}
	return &p
}
