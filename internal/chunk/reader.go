package chunk

import (
	"encoding/binary"
	"errors"
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
