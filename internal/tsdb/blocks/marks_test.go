package blocks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func slots(a, b mark) []byte {
	file := make([]byte, 2*slotSize)
	copy(file, a.encode())
	copy(file[slotSize:], b.encode())
	return file
}

// newerSlot returns the file with a newer version in its first slot.
func newerSlot(t *testing.T, file []byte) []byte {
	t.Helper()
	b := bytes.Clone(file)
	binary.BigEndian.PutUint32(b[8:], marksVersion+1)
	binary.BigEndian.PutUint32(b[marksLen-4:], crc32.Checksum(b[:marksLen-4], castagnoli))
	return b
}

var (
	older = mark{6, 3, Marks{100, 200}, Identity{1}}
	newer = mark{7, 4, Marks{150, 250}, Identity{1}}
)

// TestMarksTorn: however a write is torn, the slot before counts, or the new one if it is whole.
func TestMarksTorn(t *testing.T) {
	before := slots(older, mark{5, 2, Marks{90, 90}, Identity{1}})
	after := slots(older, newer)
	for n := range marksLen + 1 {
		torn := bytes.Clone(before)
		copy(torn[slotSize:], after[slotSize:slotSize+n])
		want := older
		if bytes.Equal(torn, after) {
			want = newer
		}
		if got, _, err := decodeMarks(torn); err != nil || got != want {
			t.Errorf("the first %d bytes written: %v, %v, want %v", n, got, err, want)
		}
	}
}

// TestMarksFlipped: no flipped bit makes other marks.
func TestMarksFlipped(t *testing.T) {
	file := slots(older, newer)
	for bit := range 8 * len(file) {
		b := bytes.Clone(file)
		b[bit/8] ^= 1 << (bit % 8)
		got, warning, err := decodeMarks(b)
		inNewer := bit/8 >= slotSize && bit/8 < slotSize+marksLen
		switch {
		case err != nil:
			t.Errorf("bit %d: %v", bit, err)
		case inNewer && (got != older || warning == nil):
			t.Errorf("bit %d: %v, warning %v", bit, got, warning)
		case !inNewer && got != newer:
			t.Errorf("bit %d: %v, want the newer slot", bit, got)
		}
	}
}

func TestMarksRaise(t *testing.T) {
	fs := vfs.NewMem()
	if err := createMarks(fs, "", mark{identity: Identity{1}}); err != nil {
		t.Fatal(err)
	}
	f, err := openMarks(fs, "", mark{identity: Identity{1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		generation uint64
		give       Marks
		want       mark
	}{
		{1, Marks{0, 0}, mark{1, 1, Marks{0, 0}, Identity{1}}},
		{0, Marks{5, 9}, mark{2, 1, Marks{5, 9}, Identity{1}}},
		{0, Marks{4, 9}, mark{2, 1, Marks{5, 9}, Identity{1}}}, // nothing to do
		{2, Marks{3, 10}, mark{3, 2, Marks{5, 10}, Identity{1}}},
		{1, Marks{6, 1}, mark{4, 2, Marks{6, 10}, Identity{1}}},
	} {
		if err := f.raise(c.generation, c.give); err != nil {
			t.Fatal(err)
		}
		got, warning, err := readMarks(fs, "")
		if got != c.want || f.last() != c.want || warning != nil || err != nil {
			t.Errorf("raise %d, %v: %v, %v, %v, want %v", c.generation, c.give, got, warning, err, c.want)
		}
	}
	if err := f.f.Close(); err != nil {
		t.Fatal(err)
	}
}

func FuzzDecodeMarks(f *testing.F) {
	f.Add(slots(older, newer), uint64(1))
	f.Add([]byte(nil), uint64(0))
	f.Add(slots(mark{}, mark{})[:slotSize+3], uint64(8))
	f.Fuzz(func(t *testing.T, b []byte, n uint64) {
		m, _, err := decodeMarks(b)
		if err == nil {
			again, _, err := decodeMarks(append(make([]byte, m.serial%2*slotSize), m.encode()...))
			if err != nil || again != m {
				t.Errorf("%v, encoded and decoded: %v, %v", m, again, err)
			}
		} else if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
			t.Errorf("an error of no kind: %v", err)
		}
		m = mark{n, n * 3, Marks{n * 5, n * 7}, Identity{1}}
		got, err := decodeSlot(m.encode(), n%2)
		if err != nil || got != m {
			t.Errorf("%v, encoded and decoded: %v, %v", m, got, err)
		}
	})
}

// TestMarksVersion1: marks from before stores had identities are read.
func TestMarksVersion1(t *testing.T) {
	want := mark{serial: 4, generation: 7, Marks: Marks{Flushed: 8, Synced: 9}}
	slot := want.encode()[:marksLen1-4]
	binary.BigEndian.PutUint32(slot[8:], 1)
	slot = binary.BigEndian.AppendUint32(slot, crc32.Checksum(slot, castagnoli))
	b := append(slot, make([]byte, 2*slotSize-len(slot))...)
	if got, warning, err := decodeMarks(b); err != nil || got != want {
		t.Errorf("got %+v, %v, %v, want %+v", got, warning, err, want)
	}
	b[20] ^= 1
	if _, _, err := decodeMarks(b); !errors.Is(err, ErrDamaged) {
		t.Errorf("with a flipped bit: %v", err)
	}
}
