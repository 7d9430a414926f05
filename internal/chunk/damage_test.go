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
		{"newer version", "81", "chunk: version 2 at byte 0, but this program knows version 1 only"},
		{"no samples", "400000", "chunk: head, before byte 2: the number of samples is not 1 to 8192"},
		{"too many samples", "408140000a0003", "chunk: head, before byte 3: the number of samples is not 1 to 8192"},
		{"one irregular sample", "6100000003", "chunk: head, before byte 1: the number of samples is not 1 to 8192"},
		{"first time beyond 64 bits", "51ffffffffffffffffff01", "chunk: head, before byte 11: times are not ascending, or beyond 64 bits"},
		{"last time beyond 64 bits", "43feffffffffffffffff01010003", "chunk: head, before byte 12: times are not ascending, or beyond 64 bits"},
		{"step 0", "4200000003", "chunk: head, before byte 3: times are not ascending, or beyond 64 bits"},
		{"long varint", "4080808080808080808080", "chunk: head, before byte 1: the chunk ends too early"},
		{"too long a varint", "40ffffffffffffffffffffff", "chunk: head, before byte 1: a varint is longer than 64 bits"},
		{"unknown kind", "410003", "chunk: values, which begin at byte 2: before byte 3: kind 0x3 is not one of version 1"},
		{"exponent 19", "410053000000", "chunk: values, which begin at byte 2: before byte 3: kind 0x53 is not one of version 1"},
		{"constant cut short", "4100000f", "chunk: values, which begin at byte 2: before byte 3: the chunk ends too early"},
		{"raw cut short", "41000100", "chunk: values, which begin at byte 2: before byte 3: the chunk ends too early"},
		{"left over", "41000003ff", "chunk: values, which begin at byte 2: before byte 4: bytes are left behind the last value"},
		{"order 3", "43000140c300", "chunk: values, which begin at byte 3: before byte 4: integers have form 0xc3, width 0, which is not one of version 1"},
		{"order of as many as there are", "410040400000", "chunk: values, which begin at byte 2: before byte 3: 1 integers have order 1"},
		{"width 65", "42000140c04100", "chunk: values, which begin at byte 3: before byte 4: integers have form 0xc0, width 65, which is not one of version 1"},
		{"patch behind the end", "42000140d00000010200", "chunk: values, which begin at byte 3: before byte 10: a patch stands behind the last code"},
		{"exception behind the end", "420001c001020000000000000000", "chunk: values, which begin at byte 3: before byte 14: an exception stands behind the last value"},
		{"no bins", "42000140c808000000000000", "chunk: values, which begin at byte 3: before byte 12: the tree of bins is damaged"},
		{"lanes too short", "42000140c80100000000002300", "chunk: values, which begin at byte 3: before byte 13: the codes take other than their number of bytes"},
		{"times that stand still", "63000200000003", "chunk: times, which begin at byte 3: before byte 5: times are not ascending, or beyond 64 bits"},
		{"times that end elsewhere", "63000500020003", "chunk: times, which begin at byte 3: before byte 5: times are not ascending, or beyond 64 bits"},
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
