package chunk

import (
	"encoding/binary"
	"math/bits"
)

// window is a range of codes that are packed with one width: from lower on, 2^width of them. Those outside
// are patches.
type window struct {
	lower   uint64
	width   uint
	patches int
}

// window returns the window of the plan for codes that are up to most and have the head f. It is not ok if it is
// no narrower than all codes.
func (p *intPlan) window(f *intForm, most uint64) (w window, ok bool) {
	if f.width == 0 || int64(p.high) < int64(f.lower) {
		return w, false
	}
	low := uint64(0)
	if int64(p.low) > int64(f.lower) {
		low = (p.low - f.lower) / f.unit
	}
	high := min(most, (p.high-f.lower)/f.unit)
	w.width = uint(bits.Len64(high - low))
	// What the width has room for beyond the range is left on both sides.
	room := (uint64(1)<<w.width - 1) - (high - low)
	w.lower = low - min(low, room/2)
	return w, w.width < f.width
}

// patchBits is about the size of a patch.
func patchBits(code uint64) int { return 8 + varintBits(code) }

// count counts the patches and says whether codes are smaller with them, than with f's width.
func (w *window) count(codes []uint64, width uint) bool {
	size := 8
	for _, c := range codes {
		if c -= w.lower; c>>w.width != 0 {
			size += patchBits(c)
			w.patches++
		}
	}
	return size < len(codes)*int(width-w.width)
}

// append appends the sequence of head f with codes, which it changes, after count.
func (w *window) append(dst []byte, f *intForm, codes []uint64) []byte {
	f.lower += w.lower * f.unit
	f.width, f.patched = w.width, w.patches > 0
	dst = f.append(dst)
	if f.patched {
		dst = binary.AppendUvarint(dst, uint64(w.patches))
	}
	gap := 0
	for i, c := range codes {
		c -= w.lower
		if c>>w.width != 0 {
			dst = binary.AppendUvarint(dst, uint64(gap))
			dst = binary.AppendUvarint(dst, zigzag(c))
			c, gap = 0, -1
		}
		codes[i] = c
		gap++
	}
	return pack(dst, codes, w.width)
}
