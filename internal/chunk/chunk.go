package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// MaxSamples is the most that a chunk holds.
const MaxSamples = 8192

// A chunk is its head, its times and its values, without anything between or behind them:
//
//	byte    0
//	       +------+-------+-------+----------+-----------------+----------------
//	       | form | count | first | distance | times           | values
//	       +------+-------+-------+----------+-----------------+----------------
//	               many            count > 1  irregular (ints.go)     (values.go)
//
//	form      bits 6-7 the version, 1; bit 5 irregular; bit 4 seconds: first and distance are
//	          in seconds, else in milliseconds; bits 0-3 the count, or 0 if it is many
//	count     samples, if more than 15, up to MaxSamples        varint
//	first     the first time                                    signed varint
//	distance  from the first time to the last if irregular,
//	          else between any two that follow each other       varint
//	times     the count-1 distances of times that follow each other, in milliseconds
const (
	version       = 1
	versionShift  = 6
	formIrregular = 1 << 5
	formSeconds   = 1 << 4
	maxFormCount  = 15

	second = 1000 // milliseconds
)

// Header is what is known of a chunk without decoding it.
type Header struct {
	Count       int   // samples, 1 to MaxSamples
	First, Last int64 // times of the first and the last sample, in milliseconds
}

// head is the head of a chunk.
type head struct {
	Header
	irregular bool
	step      uint64 // milliseconds, if it is regular and has two samples at least
}

var (
	errTimes = errors.New("times are not ascending, or beyond 64 bits")
	errCount = fmt.Errorf("the number of samples is not 1 to %d", MaxSamples)
)

// ReadHeader reads what stands at the front of a chunk. It does not look at the rest.
func ReadHeader(src []byte) (Header, error) {
	h, _, err := parseHead(src)
	return h.Header, err
}

// append appends the head as it is drawn above.
func (h *head) append(dst []byte) []byte {
	form, first, distance := byte(version<<versionShift), uint64(h.First), h.step
	if h.irregular {
		form |= formIrregular
		distance = uint64(h.Last) - first
	}
	if h.First%second == 0 && distance%second == 0 {
		form |= formSeconds
		first = uint64(h.First / second)
		distance /= second
	}
	if h.Count <= maxFormCount {
		dst = append(dst, form|byte(h.Count))
	} else {
		dst = binary.AppendUvarint(append(dst, form), uint64(h.Count))
	}
	dst = binary.AppendUvarint(dst, zigzag(first))
	if h.Count > 1 {
		dst = binary.AppendUvarint(dst, distance)
	}
	return dst
}

// parseHead reads the head of a chunk and returns its size in bytes. The times of a regular one are
// right: ascending and without overflow.
func parseHead(src []byte) (h head, size int, err error) {
	r := byteReader{src: src}
	form := r.byte()
	if v := form >> versionShift; r.err == nil && v != version {
		return h, 0, fmt.Errorf("chunk: version %d at byte 0, but this program knows version %d only", v, version)
	}
	h.irregular = form&formIrregular != 0
	unit := uint64(1)
	if form&formSeconds != 0 {
		unit = second
	}
	count := uint64(form & maxFormCount)
	if count == 0 {
		count = r.uvarint()
	}
	if r.err == nil && (count == 0 || count > MaxSamples || count == 1 && h.irregular) {
		r.err = errCount
	}
	h.Count = int(count)
	first := int64(unzigzag(r.uvarint()))
	h.First = first * int64(unit)
	if h.First/int64(unit) != first && r.err == nil {
		r.err = errTimes
	}
	var distance, steps uint64
	if count > 1 {
		distance, steps = r.uvarint(), 1
		if !h.irregular {
			steps = count - 1
		}
	}
	h.step = distance * unit
	span := h.step * steps
	h.Last = int64(uint64(h.First) + span)
	over, _ := bits.Mul64(distance, unit*steps)
	if r.err == nil && (over != 0 || span > uint64(math.MaxInt64)-uint64(h.First) || count > 1 && distance == 0) {
		r.err = errTimes
	}
	if r.err != nil {
		return head{}, 0, fmt.Errorf("chunk: head, before byte %d: %w", r.at, r.err)
	}
	return h, r.at, nil
}
