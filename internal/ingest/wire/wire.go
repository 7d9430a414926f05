// Package wire reads the wire format of protocol buffers without allocation: the decoders of remotewrite and otlp are written
// with it.
//
// A message (https://protobuf.dev/programming-guides/encoding) is fields, one after the other, in any order, each
//
//	key: varint, number<<3 | type    value, by type
//	                            0    varint: 7 bits a byte, low ones first, the top bit says that more follow; 10 bytes at most
//	                            1    8 bytes, little endian
//	                            2    length: varint; so many bytes: a text, a message, or packed numbers
//	                            3, 4 the ends of a group: nobody writes them, they are skipped
//	                            5    4 bytes
//
// The rulers beside the decoders give a key as its one byte, in hexadecimal: 0a is number 1 of type 2.
package wire

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The types of fields that decoders ask for.
const (
	Varint  = 0
	Fixed64 = 1
	Bytes   = 2
)

// Message reads the fields of one message. It is for one goroutine, and never writes into the bytes. The usual loop:
//
//	m := wire.Message{Rest: b}
//	for m.Next() {
//		switch m.Key { … }
//	}
//	if m.Bad { … }
type Message struct {
	Rest []byte // behind the field at hand
	Key  uint64 // number<<3 | type
	Bits uint64 // the value, of types 0 and 1
	Data []byte // the value, of type 2; a part of the message
	Bad  bool   // what follows is no field, or Other met a wrong one
}

// Next moves to the next field and says whether there is one.
func (m *Message) Next() bool {
	if len(m.Rest) == 0 || m.Bad {
		return false
	}
	if n := shortField(m.Rest); n > 0 {
		m.Key, m.Data, m.Rest = uint64(m.Rest[0]), m.Rest[2:n], m.Rest[n:]
		return true
	}
	return m.long()
}

// long is Next for a field that is not short.
func (m *Message) long() bool {
	key, b, ok := Uvarint(m.Rest)
	if !ok || key>>3 == 0 || key>>3 > uint64(protowire.MaxValidNumber) {
		m.Bad = true
		return false
	}
	m.Key = key
	switch key & 7 {
	case Varint:
		m.Bits, m.Rest, ok = Uvarint(b)
	case Fixed64:
		if ok = len(b) >= 8; ok {
			m.Bits, m.Rest = binary.LittleEndian.Uint64(b), b[8:]
		}
	case Bytes:
		var n uint64
		n, b, ok = Uvarint(b)
		if ok = ok && n <= uint64(len(b)); ok {
			m.Data, m.Rest = b[:n], b[n:]
		}
	default:
		n := protowire.ConsumeFieldValue(protowire.Number(key>>3), protowire.Type(key&7), b)
		if ok = n >= 0; ok {
			m.Rest = b[n:]
		}
	}
	m.Bad = !ok
	return ok
}

// shortField returns how long the field is with which b begins, if it is of type 2, its number is below 16 and its data
// are no longer than 127 bytes, as most are; else 0.
func shortField(b []byte) int {
	if len(b) < 2 || b[0]&0x87 != Bytes || b[0] < 8 || b[1] >= 0x80 || int(b[1])+2 > len(b) {
		return 0
	}
	return int(b[1]) + 2
}

// SkipRun returns where the run of fields of this key (a byte, of type 2) ends with which b begins.
func SkipRun(b []byte, key byte) int {
	at := 0
	for at < len(b) && b[at] == key {
		n := shortField(b[at:])
		if n == 0 {
			m := Message{Rest: b[at:]}
			if !m.long() {
				break // whoever reads on from here finds it broken
			}
			n = len(b) - at - len(m.Rest)
		}
		at += n
	}
	return at
}

// Other is told of a field that the caller does not read, and which numbers, a bit each, it does. Other numbers are skipped, so that senders may
// add fields. One of these with another type is an error: to take its value for absent would store what nobody sent.
func (m *Message) Other(known uint64) {
	if n := m.Key >> 3; n < 64 && known>>n&1 != 0 {
		m.Bad = true
	}
}

// Float returns the value of a field of type double.
func (m *Message) Float() float64 { return math.Float64frombits(m.Bits) }

// Uvarint reads a varint at the beginning of b.
func Uvarint(b []byte) (v uint64, rest []byte, ok bool) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), b[1:], true
	}
	return LongVarint(b)
}

// LongVarint is Uvarint for one that is likely to be long; it is not inlined.
func LongVarint(b []byte) (v uint64, rest []byte, ok bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}
