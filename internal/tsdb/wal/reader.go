package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
)

// chunkReader reads the chunks of one segment and makes records of them. It does what record.Reader
// does, but knows where everything lies, takes no chunk of another format, never passes over a piece
// without its beginning, and can go on behind damage. Not for concurrent use.
type chunkReader struct {
	r    io.ReaderAt
	size int64  // of the file
	num  uint32 // what chunks must carry

	off   int64 // of the next chunk: never in the last, unused bytes of a block
	block int64 // offset in the file of buf; -1: nothing was read
	buf   []byte
	rec   []byte // the record being put together
}

// stopError says where the chunks end. Unless clean, the reason is a sentence's part.
type stopError struct {
	off    int64 // where the record begins that can't be read: all before off is valid
	reason string
	clean  bool // at the trailer of a closed segment
}

func (e *stopError) Error() string { return fmt.Sprintf("byte %d: %s", e.off, e.reason) }

func newChunkReader(r io.ReaderAt, size int64, number uint64) *chunkReader {
	return &chunkReader{r: r, size: size, num: uint32(number), off: headerLen, block: -1, buf: make([]byte, 0, blockSize)}
}

// blockAt returns the offset in the file of the block that off lies in.
func blockAt(off int64) int64 { return off - (off-headerLen)%blockSize }

// load makes buf hold the block that starts at the given offset of the file.
func (c *chunkReader) load(block int64) error {
	if c.block == block {
		return nil
	}
	c.block = -1
	c.buf = c.buf[:max(0, min(blockSize, c.size-block))]
	if n, err := c.r.ReadAt(c.buf, block); n < len(c.buf) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("byte %d: %w", block+int64(n), err)
	}
	c.block = block
	return nil
}

// chunkAt looks at b for a whole and valid chunk at its start; reason says why there is none.
func (c *chunkReader) chunkAt(b []byte) (kind byte, payload []byte, reason string) {
	if len(b) < chunkLen {
		return 0, nil, "the file ends within a chunk"
	}
	kind = b[6]
	if kind < kindFull || kind > kindLast {
		return 0, nil, "there is no such kind of chunk"
	}
	if binary.LittleEndian.Uint32(b[7:]) != c.num {
		return 0, nil, "the chunk is of another segment"
	}
	end := chunkLen + int(binary.LittleEndian.Uint16(b[4:]))
	if end > len(b) {
		return 0, nil, "the chunk goes on behind its block or the file"
	}
	sum := crc32.Checksum(b[6:end], castagnoli)
	if binary.LittleEndian.Uint32(b) != bits.RotateLeft32(sum, 17)+0xa282ead8 {
		return 0, nil, "the checksum of the chunk is wrong"
	}
	return kind, b[chunkLen:end], ""
}

// trailerAt tells whether b starts with the trailer of a closed segment.
func (c *chunkReader) trailerAt(b []byte) bool {
	return len(b) >= chunkLen && binary.LittleEndian.Uint32(b) == 0 && binary.LittleEndian.Uint16(b[4:]) == 0 &&
		b[6] == kindFull && binary.LittleEndian.Uint32(b[7:]) == c.num+1
}

// next returns where the next record begins and its bytes, valid until the next call. A *stopError
// says that there is none; any other error is one of reading the file. After an error next
// returns the same again.
func (c *chunkReader) next() (start int64, rec []byte, err error) {
	start = c.off
	stop := func(reason string, clean bool) (int64, []byte, error) {
		c.off = start
		return start, nil, &stopError{off: start, reason: reason, clean: clean}
	}
	c.rec = c.rec[:0]
	for first := true; ; first = false {
		if c.off >= c.size {
			return stop("the file ends", false)
		}
		if err := c.load(blockAt(c.off)); err != nil {
			c.off = start
			return start, nil, err
		}
		b := c.buf[c.off-c.block:]
		if first && c.trailerAt(b) {
			return stop("the segment was closed", true)
		}
		kind, payload, reason := c.chunkAt(b)
		switch {
		case reason != "":
			return stop(reason, false)
		case first != (kind == kindFull || kind == kindFirst):
			return stop("the pieces of a record are not in order", false)
		}
		c.skip(len(payload))
		if kind == kindFull {
			return start, payload, nil
		}
		if c.rec = append(c.rec, payload...); kind == kindLast {
			return start, c.rec, nil
		}
	}
}

// skip steps over a chunk with a payload of n bytes.
func (c *chunkReader) skip(n int) {
	c.off += int64(chunkLen + n)
	if end := blockAt(c.off) + blockSize; end-c.off < chunkLen {
		c.off = end
	}
}

// resync moves to the first place from off on where a record may begin: a valid chunk that is all
// or the first piece of one. It returns io.EOF if there is none. Chunks may lie anywhere, since the
// length of a damaged one is not to be trusted.
func (c *chunkReader) resync(off int64) error {
	for off < c.size {
		block := blockAt(off)
		if err := c.load(block); err != nil {
			return err
		}
		for at := int(off - block); at+chunkLen <= len(c.buf); at++ {
			if kind, _, reason := c.chunkAt(c.buf[at:]); reason == "" && (kind == kindFull || kind == kindFirst) {
				c.off = block + int64(at)
				return nil
			}
		}
		off = block + blockSize
	}
	c.off = c.size
	return io.EOF
}

// promiseBehind looks behind off, where the chunks stopped, for a promise that the file was synced
// beyond off, and returns where it found one, or 0. It leaves the reader anywhere.
func (c *chunkReader) promiseBehind(off int64) (at int64, err error) {
	for at := off + 1; ; at = c.off {
		if err := c.resync(at); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return 0, err
		}
		found := c.off
		_, payload, _ := c.chunkAt(c.buf[found-c.block:])
		if p, _, ok := parsePrefix(payload); ok && p.promise > off && p.promise <= found {
			return found, nil
		}
		c.skip(len(payload))
	}
}
