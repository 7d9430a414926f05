package decimal

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// TestWords splits every number of four digits in both lanes, and joins it again.
func TestWords(t *testing.T) {
	for lane := range uint64(10000) {
		for _, n := range []uint64{lane, lane * 10000, lane*10000 + lane, lane*10000 + 9999 - lane} {
			x := splitDigits(n)
			text := binary.LittleEndian.AppendUint64(nil, x|zeros)
			if want := fmt.Sprintf("%08d", n); string(text) != want {
				t.Fatalf("splitDigits(%d) gives %q", n, text)
			}
			if back := joinDigits(x); back != n || notDigits(x) != 0 {
				t.Fatalf("joinDigits(splitDigits(%d)) = %d", n, back)
			}
		}
	}
	for place := range 8 {
		for c := range uint64(256) {
			x := 0x0909090909090909&^(0xFF<<(8*place)) | c<<(8*place)
			if (notDigits(x) == 0) != (c <= 9) {
				t.Errorf("notDigits(%#x) = %#x", x, notDigits(x))
			}
		}
	}
}
