package chunk

import (
	"math"
	"testing"
)

// checkShort appends v as a short float, reads it back and returns it.
func checkShort(t *testing.T, bits uint64) []byte {
	t.Helper()
	text := appendShort([]byte("x"), bits)[1:]
	got, n, err := readShort(append(text, 1, 2, 3))
	if got != bits || n != len(text) || n > 9 || err != nil {
		t.Fatalf("readShort(%x) = %x, %d, %v; want %x, %d", text, got, n, err, bits, len(text))
	}
	for i := range text {
		if _, _, err := readShort(text[:i]); err == nil {
			t.Fatalf("readShort(%x) of %x: no error", text[:i], text)
		}
	}
	return text
}

func TestShort(t *testing.T) {
	tests := []struct {
		v    float64
		size int
	}{
		{0, 1},
		{1, 1},
		{-4, 1},
		{3, 1},
		{4, 2},
		{0.1, 1},
		{23.71, 3},
		{-23.71, 3},
		{100, 2},
		{1e6, 4},
		{1234567, 4},
		{99.9, 3},
		{0.001, 1},
		{1.5e-7, 2},
		{62.77513946, 6},
		{1 << 50, 8},
		{1 << 51, 9},
		{1e300, 9},
		{math.Pi, 9},
		{51.846000000000004, 9},
		{1e-13, 1},
		{1e-14, 9},
		{math.Inf(1), 1},
		{math.Inf(-1), 1},
		{math.NaN(), 1},
		{math.Copysign(0, -1), 1},
		{math.Float64frombits(0x7ff0000000000002), 1},
		{math.Float64frombits(0x7ff8000000000123), 9},
	}
	for _, test := range tests {
		if text := checkShort(t, math.Float64bits(test.v)); len(text) != test.size {
			t.Errorf("%v takes %d bytes, %x, want %d", test.v, len(text), text, test.size)
		}
	}
	for _, v := range edges {
		checkShort(t, math.Float64bits(v))
	}
}

func TestReadShortErrors(t *testing.T) {
	tests := []struct{ name, src, err string }{
		{"empty", "", "the chunk ends too early"},
		{"raw cut short", "\x0f1234567", "the chunk ends too early"},
		{"unknown special", "\x5e", "not a short float: 0x5e"},
		{"raw with a rest", "\x1f12345678", "not a short float: 0x1f"},
		{"too large an integer", "\x80\x80\x80\x80\x80\x80\x80\x80\x01", "not a short float: 0x100000000000000"},
		{"zeros at its end", "\xa0\x80\x80\x80\x80\x80\x80\x80\x80\x00", "not a short float: too long a varint"},
		{"varint too long", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "a varint is longer than 64 bits"},
	}
	for _, test := range tests {
		if _, _, err := readShort([]byte(test.src)); err == nil || err.Error() != test.err {
			t.Errorf("%s: error %v, want %s", test.name, err, test.err)
		}
	}
}
