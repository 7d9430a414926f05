package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// A segment file is a header, then blocks of 32 KiB that hold chunks. Integers are little-endian.
//
//	0        8       12       20       28       36       44    48
//	+--------+-------+--------+--------+--------+--------+-----+----------+----------+--
//	| magic  |version| log id | number |  base  |  prev  | crc | block 0  | block 1  | …
//	+--------+-------+--------+--------+--------+--------+-----+----------+----------+--
//
//	log id  Options.ID, or drawn when the first segment was made; the same in all segments of a log, never 0
//	number  of this segment, as in its name; one more than that of the segment before
//	base    highest sequence before this segment; its records are all above it
//	prev    how far the segment before is valid, in bytes from its start; 0: there was none
//	crc     CRC-32C of the 44 bytes before it
//
// A chunk is all or a piece of a record; it lies in one block. Its format is that of package record,
// the recyclable kind; it counts offsets from block 0:
//
//	0     4      6      7      11
//	+-----+------+------+------+---------+
//	| crc | size | kind | num  | payload |     kind: 5 all of a record, 6 first piece, 7 middle, 8 last
//	+-----+------+------+------+---------+     num: low 32 bits of the segment's number
//	crc: CRC-32C of all behind size, rotated right by 15 and 0xa282ead8 added
//
// Where less than 11 bytes remain in a block it is filled with zeros. A closed file ends in a trailer: a
// chunk with crc and size 0, kind 5 and num+1.
//
// A record begins with a prefix of varints (LEB128, at most 10 bytes each):
//
//	delta*2 + p | promise, if p | sequence, if delta | the caller's bytes, if delta
//
//	delta     this sequence minus that of the record before it, in whatever segment; 0: a marker, which
//	          is no record and carries at most a promise
//	promise   the file was synced up to this byte (from its start) before this was written
const (
	magic     = "MDLOG\r\n\x00"
	version   = 1
	headerLen = 48

	blockSize = 32 << 10
	chunkLen  = 11 // of a chunk's header

	kindFull, kindFirst, kindMiddle, kindLast = 5, 6, 7, 8

	// MaxRecord is the size of the largest record that Append takes, in bytes.
	MaxRecord = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the head of a segment file.
type header struct {
	id, number, base uint64
	prev             int64
}

// append appends the encoded header to dst.
func (h header) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint32(dst, version)
	dst = binary.LittleEndian.AppendUint64(dst, h.id)
	dst = binary.LittleEndian.AppendUint64(dst, h.number)
	dst = binary.LittleEndian.AppendUint64(dst, h.base)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.prev))
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// errTornHeader is the state that a crash leaves while a segment is being made.
var errTornHeader = errors.New("the header is not whole")

// parseHeader decodes the header at the start of b, which holds the first headerLen bytes of a file of
// size bytes, or all if it is shorter. It returns errTornHeader if a crash can have left the file so.
func parseHeader(b []byte, size int64) (header, error) {
	start := bytes.TrimRight(b[:min(len(b), len(magic))], "\x00")
	unfinished := size <= headerLen
	switch {
	case !bytes.Equal(start, []byte(magic)[:len(start)]), !unfinished && len(start) < len(magic)-1:
		return header{}, errors.New("this is not a segment of a log")
	case len(b) < headerLen:
		return header{}, errTornHeader
	}
	switch v := binary.LittleEndian.Uint32(b[8:]); {
	case v == 0 && unfinished:
		return header{}, errTornHeader
	case v != version:
		return header{}, fmt.Errorf("format version %d is unknown, this program reads version %d: a newer one wrote it, or it is damaged", v, version)
	}
	if got, want := crc32.Checksum(b[:44], castagnoli), binary.LittleEndian.Uint32(b[44:]); got != want {
		if unfinished {
			return header{}, errTornHeader
		}
		return header{}, fmt.Errorf("the checksum of the header is %08x, it should be %08x", got, want)
	}
	h := header{
		id:     binary.LittleEndian.Uint64(b[12:]),
		number: binary.LittleEndian.Uint64(b[20:]),
		base:   binary.LittleEndian.Uint64(b[28:]),
		prev:   int64(binary.LittleEndian.Uint64(b[36:])),
	}
	if h.prev < 0 {
		return header{}, fmt.Errorf("the segment before can't end at byte %d", h.prev)
	}
	return h, nil
}

// prefix is what a record begins with.
type prefix struct {
	delta   uint64 // 0: a marker
	seq     uint64 // 0 in a marker
	promise int64  // 0: none
}

// append appends the encoded prefix to dst. delta is below 1<<63.
func (p prefix) append(dst []byte) []byte {
	if p.promise == 0 {
		dst = binary.AppendUvarint(dst, p.delta<<1)
	} else {
		dst = binary.AppendUvarint(dst, p.delta<<1|1)
		dst = binary.AppendUvarint(dst, uint64(p.promise))
	}
	if p.delta > 0 {
		dst = binary.AppendUvarint(dst, p.seq)
	}
	return dst
}

// parsePrefix decodes the prefix at the start of b and returns what is behind it; ok is false if
// there is none, or one that append does not write.
func parsePrefix(b []byte) (p prefix, rest []byte, ok bool) {
	x, n := binary.Uvarint(b)
	if n <= 0 {
		return p, nil, false
	}
	b = b[n:]
	p.delta = x >> 1
	if x&1 != 0 {
		promise, n := binary.Uvarint(b)
		if n <= 0 || promise == 0 || promise > 1<<62 {
			return p, nil, false
		}
		p.promise, b = int64(promise), b[n:]
	}
	if p.delta == 0 {
		return p, nil, len(b) == 0
	}
	p.seq, n = binary.Uvarint(b)
	if n <= 0 || p.seq < p.delta {
		return p, nil, false
	}
	return p, b[n:], true
}

const suffix = ".wal"

// segmentName is the name of the file of a segment; names sort by number.
func segmentName(number uint64) string { return fmt.Sprintf("%010d"+suffix, number) }

// parseName returns the number in the name of a segment file; segment is false if the name is none
// of ours, and err says that it looks like one and is not.
func parseName(name string) (number uint64, segment bool, err error) {
	digits, segment := strings.CutSuffix(name, suffix)
	if !segment {
		return 0, false, nil
	}
	number, err = strconv.ParseUint(digits, 10, 64)
	if err != nil || number == 0 || segmentName(number) != name {
		return 0, true, errors.New("this is not the name of a segment of a log")
	}
	return number, true, nil
}
