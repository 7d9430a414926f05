package tsdb

import (
	"encoding/binary"
	"fmt"
)

// window is the width of a window of chunks, in ms: 30 days. It is part of what is stored.
const window = 30 * 24 * 3600 * 1000

// windowOf returns the number of the window that t is in.
func windowOf(t int64) int64 {
	w := t / window
	if t < w*window {
		w--
	}
	return w
}

// state is what a flush leaves in blocks beside chunks and series, all of one batch.
//
//	0        8         16        24        32
//	+--------+---------+---------+---------+
//	| width  | last id | flushed | samples |     big-endian; width in ms
//	+--------+---------+---------+---------+
type state struct {
	lastID  uint64 // the highest id that was ever in use up to flushed
	flushed uint64 // all batches up to this sequence are in chunks
	samples int64  // in chunks
}

func (s state) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, window)
	b = binary.BigEndian.AppendUint64(b, s.lastID)
	b = binary.BigEndian.AppendUint64(b, s.flushed)
	return binary.BigEndian.AppendUint64(b, uint64(s.samples))
}

// decodeState reads a state; of nothing it is that of an empty store.
func decodeState(b []byte) (s state, err error) {
	if len(b) == 0 {
		return s, nil
	}
	if len(b) != 32 || binary.BigEndian.Uint64(b) != window {
		return s, fmt.Errorf("the state of the chunks is damaged: % x", b)
	}
	return state{
		lastID:  binary.BigEndian.Uint64(b[8:]),
		flushed: binary.BigEndian.Uint64(b[16:]),
		samples: int64(binary.BigEndian.Uint64(b[24:])),
	}, nil
}
