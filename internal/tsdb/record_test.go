package tsdb

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A recordEntry is one call that adds to a record, or one that reading it makes.
type recordEntry struct {
	what       string // series, row, removed, ended; remove only adds
	id         uint64
	key        string
	t          int64
	bits       uint64
	mint, maxt int64
}

func rowEntry(id uint64, t int64, v float64) recordEntry {
	return recordEntry{what: "row", id: id, t: t, bits: math.Float64bits(v)}
}

// addTo makes the call.
func (e recordEntry) addTo(r *record) {
	switch e.what {
	case "series":
		r.series(e.id, []byte(e.key))
	case "row":
		r.row(e.id, e.t, e.bits)
	case "remove":
		r.remove(e.mint, e.maxt)
	case "removed", "ended":
		r.removed(e.id, e.what == "ended")
	}
}

// visited is what reading a record that was built from these entries gives.
func visited(entries []recordEntry) []recordEntry {
	var vs []recordEntry
	var removal recordEntry
	for _, e := range entries {
		switch e.what {
		case "remove":
			removal = e
			continue
		case "removed", "ended":
			e.mint, e.maxt = removal.mint, removal.maxt
		}
		vs = append(vs, e)
	}
	return vs
}

// entryList is a recordVisitor that keeps what it is given. From the entry failAt on, if that is
// not 0, it returns errVisitor.
type entryList struct {
	entries []recordEntry
	failAt  int
}

var errVisitor = errors.New("the visitor's error")

func (l *entryList) add(e recordEntry) error {
	l.entries = append(l.entries, e)
	if l.failAt > 0 && len(l.entries) >= l.failAt {
		return errVisitor
	}
	return nil
}

func (l *entryList) series(id uint64, key []byte) error {
	return l.add(recordEntry{what: "series", id: id, key: string(key)})
}

func (l *entryList) row(id uint64, t int64, bits uint64) error {
	return l.add(recordEntry{what: "row", id: id, t: t, bits: bits})
}

func (l *entryList) removed(id uint64, mint, maxt int64, ended bool) error {
	e := recordEntry{what: "removed", id: id, mint: mint, maxt: maxt}
	if ended {
		e.what = "ended"
	}
	return l.add(e)
}

// checkRecord builds a record of the entries in r and reads it, and returns its bytes.
func checkRecord(t *testing.T, r *record, entries []recordEntry) []byte {
	t.Helper()
	r.begin()
	for _, e := range entries {
		e.addTo(r)
	}
	var got entryList
	if err := readRecord(r.bytes(), &got); err != nil {
		t.Fatalf("%+v: reading %x: %v", entries, r.bytes(), err)
	}
	if want := visited(entries); !slices.Equal(got.entries, want) {
		t.Fatalf("%x reads as\n%+v, want\n%+v", r.bytes(), got.entries, want)
	}
	return r.bytes()
}

// TestRecordBytes: the format is stored data.
func TestRecordBytes(t *testing.T) {
	const now = 1_700_000_000_000
	stale := math.Float64frombits(0x7ff0000000000002)
	for _, tt := range []struct {
		name    string
		entries []recordEntry
		want    string // hexadecimal, the version apart; a bar behind each entry
	}{
		{"nothing", nil, ""},
		{"a walk", []recordEntry{rowEntry(7, now, 23.71), rowEntry(8, now, 80.5), rowEntry(9, now, 42), rowEntry(10, now, 42), rowEntry(11, now, 99.99)}, "2a 1d 1040fc5419 0e25 | 10 960c | 00 55 | e0 | 20 3e9c"},
		{"ids", []recordEntry{rowEntry(1, 0, 0), rowEntry(1, 0, 0), rowEntry(3, 0, 0), rowEntry(2, 0, 0), rowEntry(1<<40, 0, 0), rowEntry(math.MaxUint64, 0, 0), rowEntry(0, 0, 0)}, "e0 | e1 | e2 09 | e2 03 | e2 20ffffffff7f | e2 600000000080 | e0"},
		{"times", []recordEntry{rowEntry(0, now, 0), rowEntry(0, now+10_000, 0), rowEntry(0, now+20_000, 0), rowEntry(0, now+20_000, 0), rowEntry(0, now+30_000, 0), rowEntry(0, now+30_001, 0), rowEntry(0, now-30_000, 0), rowEntry(0, math.MinInt64, 0), rowEntry(0, math.MaxInt64, 0)}, "e9 1040fc5419 | e9 29 | e5 | e1 | e5 | ed 05 | ed 0ca60e | ed 00601a3660e8fcffff | ed 03"},
		{"decimals", []recordEntry{rowEntry(0, 0, 1), rowEntry(0, 0, -1), rowEntry(0, 0, 0.1), rowEntry(0, 0, -0.25), rowEntry(0, 0, 1.125), rowEntry(0, 0, 0.1234), rowEntry(0, 0, -1.12345), rowEntry(0, 0, 1<<49-1), rowEntry(0, 0, 1<<49)}, "01 03 | 61 03 | 11 03 | 81 33 | 31 9611 | 41 4a13 | b1 ccb60d | 01 c0ffffffffffff | f1 0000000000000043"},
		{"long decimals", []recordEntry{rowEntry(0, 0, 0.123456), rowEntry(0, 0, -12.3456789012), rowEntry(0, 0, 0.01234567890123), rowEntry(0, 0, 1e-14), rowEntry(0, 0, 1e-15)}, "c1 06 04120f | c1 8a 208546a62f07 | c1 0e e032c17edc47 | c1 0e 03 | f1 1656e79eaf03d23c"},
		{"other values", []recordEntry{rowEntry(0, 0, math.Copysign(0, -1)), rowEntry(0, 0, 0), rowEntry(0, 0, math.Inf(1)), rowEntry(0, 0, math.Inf(-1)), rowEntry(0, 0, math.NaN()), rowEntry(0, 0, math.NaN()), rowEntry(0, 0, stale), rowEntry(0, 0, 51.846000000000004), rowEntry(0, 0, math.Float64frombits(0xfff8000000000123))}, "61 01 | 01 01 | d1 00 | d1 01 | d1 02 | e1 | d1 03 | f1 40355eba49ec4940 | f1 230100000000f8ff"},
		{"new series", []recordEntry{{what: "series", id: 5, key: "cpu;host=a"}, rowEntry(5, now, 1), {what: "series", id: 6, key: "b"}, rowEntry(6, now, 2), {what: "series", id: 7}}, "03 15 15 6370753b686f73743d61 | 0a 15 1040fc5419 03 | 03 05 03 62 | 00 05 | 03 05 01"},
		{"removals", []recordEntry{
			{what: "remove", mint: math.MinInt64, maxt: math.MaxInt64},
			{what: "removed", id: 3},
			{what: "ended", id: 4},
			{what: "ended", id: 300},
			{what: "remove", mint: -1000, maxt: 5},
			{what: "ended", id: 3},
			rowEntry(1, 0, 5),
			{what: "removed", id: math.MaxUint64},
		}, "07 00ffffffffffffffff 00feffffffffffffff | 0b 07 | 0f 03 | 0f a204 | 07 3e1f 15 | 0f 07 | 00 0b | 0b 00fcffffffffffffff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := checkRecord(t, new(record), tt.entries)
			want, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "").Replace(tt.want))
			if err != nil {
				t.Fatal(err)
			}
			if len(tt.entries) > 0 {
				want = append([]byte{recordVersion}, want...)
			}
			if !bytes.Equal(b, want) {
				t.Errorf("got  %x\nwant %x", b, want)
			}
		})
	}
}

// TestReadRecordMalformed: what no record holds is refused, with its place.
func TestReadRecordMalformed(t *testing.T) {
	const raw = 0xf0 | idSame
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"version 0", []byte{0, 0xe0}, "byte 0: its version is 0"},
		{"a newer version", []byte{2}, "byte 0: its version is 2"},
		{"no integer", []byte{1, 0xe0, 0x00}, "byte 2 of 3: it is cut off"},
		{"half an integer", []byte{1, 0x00, 0x02}, "byte 1 of 3: it is cut off"},
		{"half a long integer", []byte{1, 0x00, 0, 1, 2, 3, 4, 5, 6, 7}, "byte 1 of 10: it is cut off"},
		{"no id", []byte{1, 0xe0 | idStep}, "byte 1 of 2: it is cut off"},
		{"no time", []byte{1, 0xe0 | timeSeconds}, "byte 1 of 2: it is cut off"},
		{"half a raw value", []byte{1, raw, 1, 2, 3, 4, 5, 6, 7}, "byte 1 of 9: it is cut off"},
		{"no special value", []byte{1, 0xd0}, "byte 1 of 2: it is cut off"},
		{"an unknown special value", []byte{1, 0xd0, 4}, "byte 1 of 3: there is no such special value"},
		{"no exponent", []byte{1, 0xc0}, "byte 1 of 2: it is cut off"},
		{"a large exponent", []byte{1, 0xc0, 15, 1}, "byte 1 of 4: the exponent"},
		{"a large integer", []byte{1, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0x20}, "byte 1 of 10: the integer"},
		{"an unknown entry", []byte{1, 0xe0, 0x13}, "byte 2 of 3: there is no such entry"},
		{"half a key", []byte{1, entrySeries, 1, 2<<1 | 1, 'a'}, "byte 1 of 5: it is cut off"},
		{"an endless key", []byte{1, entrySeries, 1, 0, 255, 255, 255, 255, 255, 255, 255, 255}, "byte 1 of 12: it is cut off"},
		{"no key", []byte{1, entrySeries, 1}, "byte 1 of 3: it is cut off"},
		{"half a removal", []byte{1, entryRemove, 1}, "byte 1 of 3: it is cut off"},
		{"no removal", []byte{1, entryRemoved, 1}, "byte 1 of 3: a removed series without a removal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l entryList
			if err := readRecord(tt.b, &l); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %+v, want an error with %q", err, l.entries, tt.want)
			}
		})
	}
}

// TestReadRecordVisitorError: reading ends at the error of the visitor and returns it.
func TestReadRecordVisitorError(t *testing.T) {
	var r record
	entries := []recordEntry{
		{what: "series", id: 5, key: "a"},
		rowEntry(5, 1, 1),
		{what: "remove", mint: 1, maxt: 2},
		{what: "removed", id: 5},
		{what: "ended", id: 6},
		rowEntry(6, 2, 2),
	}
	whole := checkRecord(t, &r, entries)
	for n := 1; n <= len(visited(entries)); n++ {
		l := entryList{failAt: n}
		if err := readRecord(whole, &l); err != errVisitor || len(l.entries) != n {
			t.Errorf("failing at entry %d: got %v after %d entries", n, err, len(l.entries))
		}
	}
}

// TestRecordExtremes: what is large or odd, in all combinations with what is before.
func TestRecordExtremes(t *testing.T) {
	ids := []uint64{0, 1, 2, 127, 1 << 32, 1 << 56, 1<<63 - 1, 1 << 63, math.MaxUint64 - 1, math.MaxUint64}
	times := []int64{0, 1, -1, 999, 1000, -1000, 9e18, -9e18, math.MinInt64, math.MinInt64 + 1, math.MaxInt64}
	values := []uint64{
		0, 1 << 63, 1, 1<<52 - 1, 1 << 52, 0x7fefffffffffffff, 0x7ff << 52, 0xfff << 52,
		0x7ff0000000000001, 0x7ff0000000000002, 0x7ff8000000000000, 0x7ff8000000000001, 0x7fffffffffffffff, 0xfff8000000000001, math.MaxUint64,
	}
	for _, v := range []float64{0.1, -0.1, 1 << 42, 1 << 49, 1 << 53, 1 << 63, 1 << 64, 1e14, 1e22, 1e300, 1e-14, 1e-300, 9007199254740991, 90071992547409.91, 0.3, 0.1 + 0.2} {
		values = append(values, math.Float64bits(v), math.Float64bits(-v), math.Float64bits(v)+1, math.Float64bits(v)-1)
	}
	r := rand.New(rand.NewPCG(1, 2))
	entries := []recordEntry{{what: "series", key: ""}, {what: "series", id: math.MaxUint64, key: strings.Repeat("k", 4096)}}
	for _, id := range ids {
		for _, tm := range times {
			for _, bits := range values {
				entries = append(entries, recordEntry{what: "row", id: id, t: tm, bits: bits})
			}
			entries = append(entries, recordEntry{what: "remove", mint: tm, maxt: times[r.IntN(len(times))]}, recordEntry{what: "ended", id: id}, recordEntry{what: "series", id: id, key: "k"})
		}
	}
	var rec record
	for range 20 {
		checkRecord(t, &rec, entries)
		r.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		at := slices.IndexFunc(entries, func(e recordEntry) bool { return e.what == "remove" })
		entries[0], entries[at] = entries[at], entries[0] // no removed before it
	}
}

// TestRecordRowSize: the bytes of a row behind another.
func TestRecordRowSize(t *testing.T) {
	first := rowEntry(1, 1_700_000_000_000, 1.5)
	for _, tt := range []struct {
		name string
		row  recordEntry
		want int
	}{
		{"the same", first, 1},
		{"the next series, the same value", rowEntry(2, first.t, 1.5), 1},
		{"two decimals", rowEntry(2, first.t, 23.71), 3},
		{"two decimals, below zero", rowEntry(2, first.t, -23.71), 3},
		{"an integer", rowEntry(2, first.t, 100), 2},
		{"one decimal", rowEntry(2, first.t, 12.5), 2},
		{"another series at another second", rowEntry(50, first.t+10_000, 23.71), 5},
		{"eight decimals", rowEntry(2, first.t, 0.12345678), 6},
		{"17 digits", rowEntry(2, first.t, 51.846000000000004), 9},
		{"the largest", recordEntry{what: "row", id: 1 << 63, t: math.MinInt64 + 1, bits: math.MaxUint64}, maxRow},
	} {
		b := checkRecord(t, new(record), []recordEntry{first, tt.row})
		one := checkRecord(t, new(record), []recordEntry{first})
		if got := len(b) - len(one); got != tt.want || got > 30 {
			t.Errorf("%s: %d bytes, want %d", tt.name, got, tt.want)
		}
	}
}

// TestRecordAllocs: a record keeps its memory, and reading needs none.
func TestRecordAllocs(t *testing.T) {
	var rec record
	rows := walkRows(1000)
	var sum rowSum
	key := []byte("host_0042.cpu.usage_user")
	allocs := testing.AllocsPerRun(10, func() {
		rec.begin()
		rec.series(1, key)
		for _, e := range rows {
			rec.row(e.id, e.t, e.bits)
		}
		if err := readRecord(rec.bytes(), &sum); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
