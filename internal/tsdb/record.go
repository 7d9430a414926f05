package tsdb

import (
	"slices"
)

// A record of the log is one batch, in its order: rows, and now and then a series that comes into
// being or a removal. A row is told from the row before, so most are three bytes:
//
//	byte    0         1
//	       +---------+---------+---------+----
//	       | version | entry   | entry   | …
//	       +---------+---------+---------+----
//
//	byte    0         1          …            …
//	row    +---------+----------+------------+----------------------
//	       | control | id       | time       | value
//	       +---------+----------+------------+----------------------
//	                  varint     varint       1 to 9 bytes
//	                  if idStep  if timeSeconds or timeMillis
//
//	bit     7       4 3      2 1    0
//	       +---------+--------+------+
//	       | value   | time   | id   |     control of a row
//	       +---------+--------+------+
//
//	id      idNext: that of the row before and 1; idSame; idStep: what to add to it, zigzag
//	time    timeSame; timeStep: as long after that of the row before as it was when it last changed;
//	        timeSeconds, timeMillis: what to add to it, zigzag
//	value   0-5     the float64 nearest to m / 10^that; m follows, a varint
//	        6-11    the same below zero (and -0), with that less 6
//	        12      a byte follows, whose low 7 bits are the exponent (up to maxRecordExponent) and
//	                whose high bit is the sign; then m
//	        13      a byte follows, an index of recordSpecials
//	        14      that of the row before, by its bits
//	        15      its 8 bytes follow, little-endian
//
// The row before the first has id, time, step and value zero. With idOther the byte is no row but
//
//	        +---------+----------+--------+-----
//	series  |  0x03   | id       | length | key            id: less that of the series named before (or 0), zigzag
//	        +---------+----------+--------+-----
//	remove  |  0x07   | mint     | maxt   |                ms, zigzag
//	        +---------+----------+--------+
//	removed |  0x0b   | id       |                         id: less that before of this removal (or 0)
//	        +---------+----------+
//	ended   |  0x0f   | id       |                         removed, and nothing is left
//	        +---------+----------+
//
// Ids and times are added with wrap-around. A varint has as many bytes more as its first byte has zero bits at the
// low end, little-endian; behind the one that ends these, the rest is the number. So it is
// read and written in one piece:
//
//	xxxxxxx1    xxxxxx10 xxxxxxxx    …    10000000 and 7 bytes    00000000 and 8 bytes
const (
	recordVersion = 1

	// maxRow is the most bytes that a row takes: a control byte, two varints, 8 bytes.
	maxRow = 1 + maxVarint + maxVarint + 8

	maxVarint = 9

	// Writing a varint touches as many bytes, whatever it takes.
	varintSlack = 8
)

// How the id of a row is told.
const (
	idNext = iota
	idSame
	idStep
	idOther // it is no row

	idMask = 3
)

// How the time of a row is told.
const (
	timeSame = iota << 2
	timeStep
	timeSeconds
	timeMillis

	timeMask = 3 << 2
)

// What is no row.
const (
	entrySeries = iota<<2 | idOther
	entryRemove
	entryRemoved
	entryEnded
)

// How the value of a row is told.
const (
	valueBelow   = 6 // values 0-5 are above zero
	valueDecimal = 12
	valueSpecial = 13
	valueSame    = 14
	valueRaw     = 15

	valueShift = 4
)

const (
	maxRecordExponent = 14
	signBit           = 1 << 7 // of the byte behind valueDecimal

	// maxRecordInteger bounds m: up to it float64(m) is exact, so that m / 10^k is one rounding.
	maxRecordInteger = 1 << 53

	// What is not below these takes no less than the 8 bytes of valueRaw.
	maxShortInteger = 1 << 49 // values 0 to 11
	maxLongInteger  = 1 << 42 // valueDecimal
)

// recordSpecials are the infinities, NaN as math.NaN returns it, and the NaN that Prometheus
// marks staleness with.
var recordSpecials = [...]uint64{0x7ff << 52, 0xfff << 52, 0x7ff8000000000001, 0x7ff0000000000002}

// recordPowers are what m is divided by: exact, and with the sign of values 6 to 11.
var (
	recordPowers = [maxRecordExponent + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14}
	signedPowers = [valueDecimal]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, -1, -1e1, -1e2, -1e3, -1e4, -1e5}
)

// rowBefore is what a row is told from.
type rowBefore struct {
	id   uint64
	t    int64 // ms
	step int64 // ms, from the last time that was another to t
	bits uint64
}

// record builds one record of the log. The zero value is ready; begin empties it. Not for
// concurrent use.
type record struct {
	buf    []byte // begins with the version, unless it is empty
	before rowBefore

	named     uint64 // id of the series named last
	lastGone  uint64 // id of the series removed last in this removal
	inRemoval bool
}

// begin forgets the content and keeps the memory.
func (r *record) begin() { *r = record{buf: append(r.buf[:0], recordVersion)} }

// bytes returns the record so far, empty if nothing was added. It is the record's memory, valid
// until anything is added or begin.
func (r *record) bytes() []byte {
	if len(r.buf) <= 1 {
		return nil
	}
	return r.buf
}

// room returns at least n bytes behind what there is.
func (r *record) room(n int) []byte {
	if cap(r.buf)-len(r.buf) < n {
		r.grow(n)
	}
	return r.buf[len(r.buf):cap(r.buf)]
}

// grow is room when there is none.
func (r *record) grow(n int) {
	if len(r.buf) == 0 {
		r.buf = append(r.buf, recordVersion)
	}
	r.buf = slices.Grow(r.buf, n)
}

// series adds that a series comes into being under this id and key.
func (r *record) series(id uint64, key []byte) {
	b := r.room(1 + 2*maxVarint + varintSlack)
	b[0] = entrySeries
	n := putVarint(b, 1, zigzag(id-r.named))
	n = putVarint(b, n, uint64(len(key)))
	r.buf = append(r.buf[:len(r.buf)+n], key...)
	r.named = id
}

// remove begins a removal: of the samples in [mint, maxt], in ms, of the series that follow.
func (r *record) remove(mint, maxt int64) {
	b := r.room(1 + 2*maxVarint + varintSlack)
	b[0] = entryRemove
	n := putVarint(b, 1, zigzag(uint64(mint)))
	n = putVarint(b, n, zigzag(uint64(maxt)))
	r.buf = r.buf[:len(r.buf)+n]
	r.lastGone, r.inRemoval = 0, true
}

// removed adds a series to the removal; ids ascend. If it is ended, nothing of the series is
// left, and its id will not come again.
func (r *record) removed(id uint64, ended bool) {
	if !r.inRemoval {
		panic("BUG: removed before remove")
	}
	b := r.room(1 + maxVarint + varintSlack)
	b[0] = entryRemoved
	if ended {
		b[0] = entryEnded
	}
	n := putVarint(b, 1, id-r.lastGone)
	r.buf = r.buf[:len(r.buf)+n]
	r.lastGone = id
}

// row adds a sample: a value, by its bits, at t ms.
func (r *record) row(id uint64, t int64, bits uint64) {
	b := r.room(maxRow + varintSlack)
	n := 1
	control := byte(idNext | timeSame)
	switch step := id - r.before.id; step {
	case 1:
	case 0:
		control = idSame
	default:
		control = idStep
		n = putVarint(b, n, zigzag(step))
	}
	r.before.id = id
	if step := t - r.before.t; step != 0 {
		switch {
		case step == r.before.step:
			control |= timeStep
		case step%1000 == 0:
			control |= timeSeconds
			n = putVarint(b, n, zigzag(uint64(step/1000)))
		default:
			control |= timeMillis
			n = putVarint(b, n, zigzag(uint64(step)))
		}
		r.before.t, r.before.step = t, step
	}
	value := byte(valueSame)
	if bits != r.before.bits {
		value, n = putValue(b, n, bits)
		r.before.bits = bits
	}
	b[0] = control | value<<valueShift
	r.buf = r.buf[:len(r.buf)+n]
}
