package tsdb

import (
	"encoding/binary"
	"fmt"
	"math"

	"metricd/internal/tsdb/blocks"
)

// state is what a flush leaves in blocks beside chunks and series, all of one batch.
//
//	0         1         9         17        25      33      41
//	+---------+---------+---------+---------+-------+-------+----
//	| version | last id | flushed | samples | from  | width | …    big-endian; from and width of each era, ms
//	+---------+---------+---------+---------+-------+-------+----
type state struct {
	lastID  uint64 // the highest id that was ever in use up to flushed
	flushed uint64 // all batches up to this sequence are in chunks
	samples int64  // in chunks
	eras    eras
}

const (
	stateVersion = 1
	stateLen     = 25
	eraLen       = 16
)

// firstState is that of an empty store.
func firstState(width int64) state { return state{eras: eras{{math.MinInt64, width}}} }

func (s state) encode() []byte {
	b := append(make([]byte, 0, stateLen+len(s.eras)*eraLen), stateVersion)
	b = binary.BigEndian.AppendUint64(b, s.lastID)
	b = binary.BigEndian.AppendUint64(b, s.flushed)
	b = binary.BigEndian.AppendUint64(b, uint64(s.samples))
	for _, e := range s.eras {
		b = binary.BigEndian.AppendUint64(b, uint64(e.from))
		b = binary.BigEndian.AppendUint64(b, uint64(e.width))
	}
	return b
}

// errState: what was read is no state.
var errState = fmt.Errorf("%w: the state of the engine", blocks.ErrDamaged)

// decodeState reads a state.
func decodeState(b []byte) (s state, err error) {
	if len(b) > 0 && b[0] > stateVersion {
		return s, fmt.Errorf("%w: the state of the engine has version %d, this program knows %d", blocks.ErrNewer, b[0], stateVersion)
	}
	if len(b) < stateLen || (len(b)-stateLen)%eraLen != 0 || b[0] != stateVersion {
		return s, fmt.Errorf("%w: % x", errState, b)
	}
	s = state{
		lastID:  binary.BigEndian.Uint64(b[1:]),
		flushed: binary.BigEndian.Uint64(b[9:]),
		samples: int64(binary.BigEndian.Uint64(b[17:])),
	}
	for b := b[stateLen:]; len(b) > 0; b = b[eraLen:] {
		s.eras = append(s.eras, era{int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))})
	}
	if err := s.eras.check(); err != nil {
		return s, fmt.Errorf("%w: %w", errState, err)
	}
	return s, nil
}

// appendSeries appends the record of a series to dst: a version and its key as first put.
func appendSeries(dst []byte, key string) []byte {
	return append(append(dst, seriesVersion), key...)
}

const seriesVersion = 1

// decodeSeries returns the key that a record of a series holds. It refers to record.
func decodeSeries(record []byte) ([]byte, error) {
	if len(record) < 2 || record[0] != seriesVersion {
		return nil, fmt.Errorf("%w: the record of a series: % x", blocks.ErrDamaged, record)
	}
	return record[1:], nil
}
