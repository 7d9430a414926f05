package chunk

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// maxOutliers is how many codes at either end planFixed may leave to patches.
const maxOutliers = 6

// fixedPlan says which codes a fixed width is for: width bits from lower on. Those outside
// are patches.
type fixedPlan struct {
	lower uint64
	width uint
	bits  int // size, without the head
}

// ends are the least and the largest of n codes.
type ends struct {
	n    int
	low  [maxOutliers + 1]uint64 // ascending
	high [maxOutliers + 1]uint64 // descending
}

// find finds them.
func (e *ends) find(codes []uint64) {
	*e = ends{n: len(codes)}
	for i := range e.low {
		e.low[i] = math.MaxUint64
	}
	for _, c := range codes {
		if c < e.low[maxOutliers] {
			i := maxOutliers
			for ; i > 0 && c < e.low[i-1]; i-- {
				e.low[i] = e.low[i-1]
			}
			e.low[i] = c
		}
		if c > e.high[maxOutliers] {
			i := maxOutliers
			for ; i > 0 && c > e.high[i-1]; i-- {
				e.high[i] = e.high[i-1]
			}
			e.high[i] = c
		}
	}
}

// width returns how many bits the largest code has.
func (e *ends) width() uint { return uint(bits.Len64(e.high[0])) }

// planFixed finds the smallest way to pack the codes with one width.
func (e *ends) planFixed() fixedPlan {
	n := e.n
	if n == 0 {
		return fixedPlan{}
	}
	width := bits.Len64(e.high[0] - e.low[0])
	best := fixedPlan{lower: e.low[0], width: uint(width), bits: n * width}
	most := min(maxOutliers, n/4)
	for low := 0; low <= most; low++ {
		lower := e.low[low]
		for high := 0; low+high <= most; high++ {
			width := bits.Len64(e.high[high] - lower)
			size := n * width
			if low+high == 0 || size >= best.bits {
				continue
			}
			size += 8
			for i := range low {
				size += patchBits(e.low[i] - lower)
			}
			for i := range high {
				size += patchBits(e.high[i] - lower)
			}
			if size < best.bits {
				best = fixedPlan{lower, uint(width), size}
			}
		}
	}
	return best
}

// patchBits is about the size of a patch.
func patchBits(code uint64) int { return 8 + 8*varintLen(zigzag(code)) }

// appendFixed appends the sequence of head f with codes as p says.
func appendFixed(dst []byte, f *intForm, codes []uint64, p fixedPlan) []byte {
	f.lower += p.lower * f.unit
	patches := 0
	for i := range codes {
		codes[i] -= p.lower
		if codes[i]>>p.width != 0 {
			patches++
		}
	}
	f.width, f.patched = p.width, patches > 0
	dst = f.append(dst)
	if f.patched {
		dst = binary.AppendUvarint(dst, uint64(patches))
		gap := 0
		for i, c := range codes {
			if c>>p.width == 0 {
				gap++
				continue
			}
			dst = binary.AppendUvarint(dst, uint64(gap))
			dst = binary.AppendUvarint(dst, zigzag(c))
			codes[i], gap = 0, 0
		}
	}
	if p.width == 0 {
		return dst
	}
	w := bitWriter{dst: dst}
	for _, c := range codes {
		w.write(c, p.width)
	}
	return w.flush()
}
