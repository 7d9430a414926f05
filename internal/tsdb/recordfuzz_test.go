package tsdb

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// entriesOf makes entries of any bytes.
func entriesOf(b []byte) (entries []recordEntry) {
	var last recordEntry
	removal := false
	next := func(n int) uint64 {
		var word [8]byte
		n = min(n, len(b))
		copy(word[:], b[:n])
		b = b[n:]
		return binary.LittleEndian.Uint64(word[:])
	}
	for len(b) > 0 {
		op := next(1)
		e := last
		e.what, e.key = "row", ""
		switch op & 3 {
		case 0:
			e.id++
		case 1:
			e.id += uint64(int8(next(1)))
		case 2:
			e.id = next(8)
		}
		switch op >> 2 & 3 {
		case 1:
			e.t += int64(next(1)) * 500
		case 2:
			e.t -= int64(next(3))
		case 3:
			e.t = int64(next(8))
		}
		switch op >> 4 & 3 {
		case 1:
			e.bits = math.Float64bits(float64(int16(next(2))) / recordPowers[next(1)%15])
		case 2:
			e.bits += uint64(int8(next(1)))
		case 3:
			e.bits = next(8)
		}
		last = e
		switch op >> 6 {
		case 2:
			n := int(next(1))
			n = min(n, len(b))
			e = recordEntry{what: "series", id: e.id, key: string(b[:n])}
			b = b[n:]
		case 3:
			e = recordEntry{what: []string{"removed", "ended"}[e.bits&1], id: e.id}
			if !removal || op&1 == 0 {
				removal = true
				entries = append(entries, recordEntry{what: "remove", mint: last.t, maxt: last.t + int64(last.bits)})
			}
		}
		entries = append(entries, e)
	}
	return entries
}

// FuzzRecord: what is added is read, and a record that is cut off is an error or holds what is before the cut.
func FuzzRecord(f *testing.F) {
	f.Add([]byte{0x10, 0x43, 0x09, 2, 0x10, 0x44, 0x09, 2, 0x14, 20, 1, 0, 0})
	f.Add([]byte("\x80\x03abc\x10\x01\x00\x02\xc0\xc1\x05\xc2\xff\xff\xff\xff\xff\xff\xff\xff\x3f12345678abcdefgh"))
	f.Add(bytes.Repeat([]byte{0x34, 255, 9, 1, 2, 3, 4, 5, 0xf0, 0x7f}, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r record
		entries := entriesOf(b)
		whole := checkRecord(t, &r, entries)
		var again record
		if b := checkRecord(t, &again, entries); !bytes.Equal(b, whole) {
			t.Fatalf("built again: %x, want %x", b, whole)
		}
		if len(whole) > 0 {
			cut := whole[:len(b)%len(whole)]
			var l entryList
			readRecord(cut, &l)
			if want := visited(entries); len(l.entries) > len(want) || !slices.Equal(l.entries, want[:len(l.entries)]) {
				t.Fatalf("%x cut to %d bytes reads as %+v, want a part of %+v", whole, len(cut), l.entries, want)
			}
		}
	})
}

// FuzzReadRecord: any bytes are a record or an error. What is a record holds what a record that is built
// of it holds.
func FuzzReadRecord(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 0x2e, 0x0f, 0x20, 0xd4, 0x2a, 0x95, 0x0d, 0x20, 0x0a, 0x25})
	f.Add([]byte{1, 3, 0x15, 0x03, 'a', 7, 1, 3, 11, 3, 15, 7, 0xc0, 0x88, 0xff, 0xd0, 3, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{1, 0xee, 0, 1, 2, 3, 4, 5, 6, 7, 0xff, 0, 255, 255, 255, 255, 255, 255, 255, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		var l entryList
		if readRecord(b, &l) != nil {
			return
		}
		var entries []recordEntry
		for _, e := range l.entries {
			if e.what == "removed" || e.what == "ended" {
				entries = append(entries, recordEntry{what: "remove", mint: e.mint, maxt: e.maxt})
			}
			entries = append(entries, e)
		}
		checkRecord(t, new(record), entries)
	})
}
