package remotewrite

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding): a message is fields, one after the
// other, in any order, each
//
//	key: varint, number<<3 | type    value, by type
//	                            0    varint: 7 bits a byte, low ones first, the top bit says that more follow; 10 bytes at most
//	                            1    8 bytes, little endian
//	                            2    length: varint; so many bytes: a text, a message, or packed numbers
//	                            3, 4 the ends of a group: nobody writes them, they are skipped
//	                            5    4 bytes
//
// The rulers beside the decoders give a key as its one byte, in hexadecimal: 0a is number 1 of type 2.
const (
	varintType  = 0
	fixed64Type = 1
	bytesType   = 2
)

// message reads the fields of one message. The usual loop:
//
//	m := message{rest: b}
//	for m.next() {
//		switch m.key { … }
//	}
//	if m.bad { … }
type message struct {
	rest []byte // behind the field at hand
	key  uint64
	bits uint64 // the value, of types 0 and 1
	data []byte // the value, of type 2; a part of the message
	bad  bool   // what follows is no field
}

// next moves to the next field and says whether there is one.
func (m *message) next() bool {
	if len(m.rest) == 0 || m.bad {
		return false
	}
	if n := shortField(m.rest); n > 0 {
		m.key, m.data, m.rest = uint64(m.rest[0]), m.rest[2:n], m.rest[n:]
		return true
	}
	return m.long()
}

// long is next for a field that is not short.
func (m *message) long() bool {
	key, b, ok := uvarint(m.rest)
	if !ok || key>>3 == 0 || key>>3 > uint64(protowire.MaxValidNumber) {
		m.bad = true
		return false
	}
	m.key = key
	switch key & 7 {
	case varintType:
		m.bits, m.rest, ok = uvarint(b)
	case fixed64Type:
		if ok = len(b) >= 8; ok {
			m.bits, m.rest = binary.LittleEndian.Uint64(b), b[8:]
		}
	case bytesType:
		var n uint64
		n, b, ok = uvarint(b)
		if ok = ok && n <= uint64(len(b)); ok {
			m.data, m.rest = b[:n], b[n:]
		}
	default:
		n := protowire.ConsumeFieldValue(protowire.Number(key>>3), protowire.Type(key&7), b)
		if ok = n >= 0; ok {
			m.rest = b[n:]
		}
	}
	m.bad = !ok
	return ok
}

// shortField returns how long the field is with which b begins, if it is of type 2, its number is below 16 and its data
// are no longer than 127 bytes, as most are; else 0.
func shortField(b []byte) int {
	if len(b) < 2 || b[0]&0x87 != bytesType || b[0] < 8 || b[1] >= 0x80 || int(b[1])+2 > len(b) {
		return 0
	}
	return int(b[1]) + 2
}

// skipRun returns where the run of fields of this key (a byte, of type 2) ends with which b begins.
func skipRun(b []byte, key byte) int {
	at := 0
	for at < len(b) && b[at] == key {
		n := shortField(b[at:])
		if n == 0 {
			m := message{rest: b[at:]}
			if !m.long() {
				break // whoever reads on from here finds it broken
			}
			n = len(b) - at - len(m.rest)
		}
		at += n
	}
	return at
}

// other is told of a field that the caller does not read, and which numbers, a bit each, it does. Other numbers are skipped, so that senders may
// add fields. One of these with another type is an error: to take its value for absent would store what nobody sent.
func (m *message) other(known uint64) {
	if n := m.key >> 3; n < 64 && known>>n&1 != 0 {
		m.bad = true
	}
}

// float returns the value of a field of type double.
func (m *message) float() float64 { return math.Float64frombits(m.bits) }

// uvarint reads a varint at the beginning of b.
func uvarint(b []byte) (v uint64, rest []byte, ok bool) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), b[1:], true
	}
	return longVarint(b)
}

func longVarint(b []byte) (uint64, []byte, bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}

// appendLabel appends a label as prometheus.TimeSeries has it.
//
//	0a  length  { 0a  length  name  12  length  value }
func appendLabel(dst, name, value []byte) []byte {
	inner := 2 + protowire.SizeBytes(len(name)) + protowire.SizeBytes(len(value))
	dst = binary.AppendUvarint(append(dst, 0x0a), uint64(inner))
	dst = binary.AppendUvarint(append(dst, 0x0a), uint64(len(name)))
	dst = append(dst, name...)
	dst = binary.AppendUvarint(append(dst, 0x12), uint64(len(value)))
	return append(dst, value...)
}

// decodeSample reads a Sample of either version.
//
//	09  value, a double  10  time, a varint of ms  (18  start time)
//
// What is absent is 0, and what comes twice counts the second time. The start time has no place in a store.
func decodeSample(b []byte) (t int64, v float64, ok bool) {
	if len(b) >= 11 && b[0] == 0x09 && b[9] == 0x10 { // as all senders write it
		if ms, rest, good := uvarint(b[10:]); good && len(rest) == 0 {
			return int64(ms), math.Float64frombits(binary.LittleEndian.Uint64(b[1:])), true
		}
	}
	m := message{rest: b}
	for m.next() {
		switch m.key {
		case 1<<3 | fixed64Type:
			v = m.float()
		case 2<<3 | varintType:
			t = int64(m.bits)
		default:
			m.other(1<<1 | 1<<2)
		}
	}
	return t, v, !m.bad
}
