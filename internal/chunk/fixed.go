package chunk

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// window is a range of codes that are packed with one width: from lower on, 2^width of them. Those outside
// are patches.
type window struct {
	lower   uint64
	width   uint
	patches []uint32 // where they are
}

// window returns the window of the plan for codes that are up to most and have the head f. It is not ok if it is
// no narrower than all codes. Its patches are in memory of patches.
func (p *intPlan) window(f *intForm, most uint64, patches []uint32) (w window, ok bool) {
	if f.width == 0 || int64(p.high) < int64(f.lower) {
		return w, false
	}
	low := uint64(0)
	if int64(p.low) > int64(f.lower) {
		low = (p.low - f.lower) / f.unit
	}
	high := min(most, (p.high-f.lower)/f.unit)
	w.patches = patches[:0]
	w.width = uint(bits.Len64(high - low))
	// What the width has room for beyond the range is left on both sides.
	room := (uint64(1)<<w.width - 1) - (high - low)
	w.lower = low - min(low, room/2)
	return w, w.width < f.width
}

// patchBits is about the size of a patch.
func patchBits(code uint64) int { return 8 + varintBits(code) }

// count finds the patches and says whether codes are smaller with them, than with f's width.
func (w *window) count(codes []uint64, width uint) bool {
	where := slices.Grow(w.patches, len(codes)+1)[:len(codes)+1]
	n, lower, within := uint(0), w.lower, uint64(1)<<w.width-1
	for i, c := range codes {
		where[n] = uint32(i)
		_, outside := bits.Sub64(within, c-lower, 0)
		n += uint(outside)
	}
	w.patches = where[:n]
	size := 8
	for _, i := range w.patches {
		size += patchBits(codes[i] - lower)
	}
	return size < len(codes)*int(width-w.width)
}

// append appends the sequence of head f with codes, which it changes, after count.
func (w *window) append(dst []byte, f *intForm, codes []uint64) []byte {
	f.lower += w.lower * f.unit
	f.width, f.patched = w.width, len(w.patches) > 0
	dst = f.append(dst)
	if f.patched {
		dst = binary.AppendUvarint(dst, uint64(len(w.patches)))
	}
	next := 0
	for _, at := range w.patches {
		dst = binary.AppendUvarint(dst, uint64(int(at)-next))
		dst = binary.AppendUvarint(dst, zigzag(codes[at]-w.lower))
		codes[at] = w.lower
		next = int(at) + 1
	}
	return pack(dst, codes, w.lower, w.width)
}
