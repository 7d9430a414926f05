package blocks

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Keys in Pebble sort as bytes do. Numbers are big-endian, and the signed ones have their
// sign bit flipped, so that bytes sort as the numbers do, negative ones first.
//
//	0    2              10             18             26
//	+----+--------------+--------------+--------------+
//	| c/ | window ^1<<63| series id    | first ^1<<63 |    a chunk; window: int64, first: int64 ms
//	+----+--------------+--------------+--------------+
//	| k/ | series id    |                                  a series' record
//	+----+--------+-----+
//	| m/ | name   |                                        one of the three below
//	+----+--------+-----+
//	| n/ | window ^1<<63|                                  samples in a window: big-endian uint64
//	+----+--------------+
//
// A window comes first so that new data lands at the end, old data is left alone by
// compactions, and a window is one range to delete.
const (
	chunkKeyLen  = 2 + 8 + 8 + 8
	seriesKeyLen = 2 + 8
	countKeyLen  = 2 + 8
	windowEnd    = 2 + 8     // where the window ends in a chunk's key
	idEnd        = 2 + 8 + 8 // where the id does
	sign         = 1 << 63
)

var (
	chunkPrefix, chunkLimit   = []byte("c/"), []byte("c0")
	seriesPrefix, seriesLimit = []byte("k/"), []byte("k0")
	countPrefix, countLimit   = []byte("n/"), []byte("n0")

	formatKey     = []byte("m/format") // big-endian uint32: the version of all of this
	formatLimit   = []byte("m/format\x00")
	generationKey = []byte("m/generation") // big-endian uint64: flushes completed, see marks
	stateKey      = []byte("m/state")      // the caller's
	stateLimit    = []byte("m/state\x00")
)

// chunkKey is the key of a chunk, in an array so that cursors and batches need no memory for it.
type chunkKey [chunkKeyLen]byte

func (k *chunkKey) set(window int64, id uint64, first int64) []byte {
	copy(k[:], chunkPrefix)
	binary.BigEndian.PutUint64(k[2:], uint64(window)^sign)
	binary.BigEndian.PutUint64(k[windowEnd:], id)
	binary.BigEndian.PutUint64(k[idEnd:], uint64(first)^sign)
	return k[:]
}

// parseChunkKey takes a key apart. It is the inverse of set.
func parseChunkKey(key []byte) (window int64, id uint64, first int64, err error) {
	if len(key) != chunkKeyLen || string(key[:2]) != string(chunkPrefix) {
		return 0, 0, 0, fmt.Errorf("%w: %q is no key of a chunk", ErrDamaged, key)
	}
	window = int64(binary.BigEndian.Uint64(key[2:]) ^ sign)
	id = binary.BigEndian.Uint64(key[windowEnd:])
	first = int64(binary.BigEndian.Uint64(key[idEnd:]) ^ sign)
	return window, id, first, nil
}

// windowRange returns the range of keys [start, end) of all chunks of windows first to last, both included.
func windowRange(first, last int64) (start, end []byte) {
	var a, b chunkKey
	start = a.set(first, 0, math.MinInt64)[:windowEnd]
	if last == math.MaxInt64 {
		return start, chunkLimit
	}
	return start, b.set(last+1, 0, math.MinInt64)[:windowEnd]
}

func seriesKey(id uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, seriesKeyLen), seriesPrefix...), id)
}

// parseSeriesKey is the inverse of seriesKey.
func parseSeriesKey(key []byte) (id uint64, err error) {
	if len(key) != seriesKeyLen || string(key[:2]) != string(seriesPrefix) {
		return 0, fmt.Errorf("%w: %q is no key of a series", ErrDamaged, key)
	}
	return binary.BigEndian.Uint64(key[2:]), nil
}

func countKey(window int64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, countKeyLen), countPrefix...), uint64(window)^sign)
}

// countRange returns the range of keys [start, end) of the counts of windows first to last, both included.
func countRange(first, last int64) (start, end []byte) {
	if last == math.MaxInt64 {
		return countKey(first), countLimit
	}
	return countKey(first), countKey(last + 1)
}
