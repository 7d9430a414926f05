package chunk

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

var (
	errShort  = errors.New("the chunk ends too early")
	errVarint = errors.New("a varint is longer than 64 bits")
)

// byteReader reads the parts of a chunk that are whole bytes. After the first error it
// gives zeros.
type byteReader struct {
	src []byte
	at  int
	err error
}

func (r *byteReader) byte() byte {
	if r.err == nil && r.at >= len(r.src) {
		r.err = errShort
	}
	if r.err != nil {
		return 0
	}
	r.at++
	return r.src[r.at-1]
}

func (r *byteReader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	if r.at < len(r.src) && r.src[r.at] < 0x80 {
		r.at++
		return uint64(r.src[r.at-1])
	}
	v, n := binary.Uvarint(r.src[r.at:])
	if n <= 0 {
		r.err = errShort
		if n < 0 {
			r.err = errVarint
		}
		return 0
	}
	r.at += n
	return v
}

// skipVarints moves behind the next n varints, and does not see if they are too long.
func (r *byteReader) skipVarints(n uint64) {
	const ends = 0x8080808080808080 // of the last byte of a varint, its highest bit is 0
	at := r.at
	for ; n > 8 && at+8 <= len(r.src); at += 8 {
		n -= uint64(bits.OnesCount64(^binary.LittleEndian.Uint64(r.src[at:]) & ends))
	}
	for ; n > 0 && at < len(r.src); at++ {
		n -= uint64(^r.src[at] >> 7)
	}
	if n > 0 && r.err == nil {
		r.err = errShort
	}
	if r.err == nil {
		r.at = at
	}
}

// bytes returns the next n bytes, which stay part of src.
func (r *byteReader) bytes(n uint64) []byte {
	if r.err == nil && n > uint64(len(r.src)-r.at) {
		r.err = errShort
	}
	if r.err != nil {
		return nil
	}
	r.at += int(n)
	return r.src[r.at-int(n) : r.at : r.at]
}
