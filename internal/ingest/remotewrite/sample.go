package remotewrite

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"metricd/internal/ingest/wire"
)

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
		if ms, rest, good := wire.Uvarint(b[10:]); good && len(rest) == 0 {
			return int64(ms), math.Float64frombits(binary.LittleEndian.Uint64(b[1:])), true
		}
	}
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 1<<3 | wire.Fixed64:
			v = m.Float()
		case 2<<3 | wire.Varint:
			t = int64(m.Bits)
		default:
			m.Other(1<<1 | 1<<2)
		}
	}
	return t, v, !m.Bad
}
