package chunk

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// decodeAll reads src in every way and returns the first error.
func decodeAll(src []byte) error {
	var d Decoder
	var it Iterator
	_, _, err := d.Append(nil, nil, src)
	it.Reset(src)
	for it.Next() {
	}
	it.Reset(src)
	it.SkipTo(math.MaxInt64 / 2)
	return err
}

func TestCutOrLonger(t *testing.T) {
	for _, g := range golden() {
		src := new(Encoder).Append(nil, g.times, g.values)
		for n := range src {
			if decodeAll(src[:n]) == nil {
				t.Errorf("%s: no error when %d of %d bytes are there", g.name, n, len(src))
			}
		}
		if err := decodeAll(append(src, 0)); err == nil || !strings.Contains(err.Error(), "behind the last value") {
			t.Errorf("%s: error %v when a byte is appended", g.name, err)
		}
	}
}

// TestFlippedBits: no damage makes decoding panic; what it gives keeps the promises (FuzzDecode checks these).
func TestFlippedBits(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, set := range makeSets() {
		s := set.series[0].runs(600)[1]
		src := new(Encoder).Append(nil, s.times, s.values)
		for range 2000 {
			damaged := append([]byte(nil), src...)
			// Half of the damage where the structure is.
			n := len(damaged)
			if r.IntN(2) == 0 {
				n = min(n, 60)
			}
			for range 1 + r.IntN(3) {
				damaged[r.IntN(n)] ^= 1 << r.IntN(8)
			}
			decodeAll(damaged)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ name, hex, err string }{
		{"empty", "", "chunk: head, before byte 0: the chunk ends too early"},
		{"newer version", "21", "chunk: version 2 at byte 0, but this program knows version 1 only"},
		{"unknown form", "14", "chunk: form 0x14 at byte 0 is not one of version 1"},
		{"no samples", "110000", "chunk: head, before byte 2: the number of samples is not 1 to 8192"},
		{"too many samples", "118140000a0003", "chunk: head, before byte 3: the number of samples is not 1 to 8192"},
		{"one irregular sample", "130100000003", "chunk: head, before byte 2: the number of samples is not 1 to 8192"},
		{"first time beyond 64 bits", "1101ffffffffffffffffff01", "chunk: head, before byte 12: times are not ascending, or beyond 64 bits"},
		{"last time beyond 64 bits", "1003feffffffffffffffff01010003", "chunk: head, before byte 13: times are not ascending, or beyond 64 bits"},
		{"step 0", "100200000003", "chunk: head, before byte 4: times are not ascending, or beyond 64 bits"},
		{"long varint", "1080808080808080808080", "chunk: head, before byte 1: the chunk ends too early"},
		{"too long a varint", "10ffffffffffffffffffffff", "chunk: head, before byte 1: a varint is longer than 64 bits"},
		{"unknown kind", "10010003", "chunk: values, which begin at byte 3: before byte 4: kind 0x3 is not one of version 1"},
		{"exponent 19", "10010053000000", "chunk: values, which begin at byte 3: before byte 4: kind 0x53 is not one of version 1"},
		{"constant cut short", "100100000f", "chunk: values, which begin at byte 3: before byte 4: the chunk ends too early"},
		{"raw cut short", "1001000100", "chunk: values, which begin at byte 3: before byte 4: the chunk ends too early"},
		{"left over", "1001000003ff", "chunk: values, which begin at byte 3: before byte 5: bytes are left behind the last value"},
		{"order 3", "10030001400300", "chunk: values, which begin at byte 4: before byte 5: integers have form 0x3, width 0, which no chunk of version 1 with 3 of them has"},
		{"order of as many as there are", "1001004001000000", "chunk: values, which begin at byte 3: before byte 4: integers have form 0x1, width 0, which no chunk of version 1 with 1 of them has"},
		{"width 65", "100200014000410000", "chunk: values, which begin at byte 4: before byte 5: integers have form 0x0, width 65, which no chunk of version 1 with 2 of them has"},
		{"patch behind the end", "1002000140100000010200", "chunk: values, which begin at byte 4: before byte 11: a patch stands behind the last code"},
		{"exception behind the end", "10020001c001020000000000000000", "chunk: values, which begin at byte 4: before byte 15: an exception stands behind the last value"},
		{"bins of 2^0 states", "1002000140080800010000", "chunk: values, which begin at byte 4: before byte 10: bins have 2^0 states, want 2^5 to 2^9"},
		{"no bins", "10020001400808000405000000", "chunk: values, which begin at byte 4: before byte 13: the tree of bins is damaged"},
		{"times that stand still", "120300020000000003", "chunk: times, which begin at byte 4: before byte 7: times are not ascending, or beyond 64 bits"},
		{"times that end elsewhere", "120300050000020003", "chunk: times, which begin at byte 4: before byte 7: times are not ascending, or beyond 64 bits"},
	}
	for _, test := range tests {
		src, err := hex.DecodeString(test.hex)
		if err != nil {
			t.Fatal(err)
		}
		if err := decodeAll(src); err == nil || err.Error() != test.err {
			t.Errorf("%s: error\n%v, want\n%s", test.name, err, test.err)
		}
	}
}
