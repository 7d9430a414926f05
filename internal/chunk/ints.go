package chunk

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// A sequence of n integers is what times and most values become. The integers are taken
// modulo 2^64. They, their differences (order 1) or the differences of these (order 2) are
//
//	lower + unit·code
//
// and the codes, all small, are packed with one fixed width or in bins (bins.go):
//
//	byte    0      1
//	       +------+-------+-------+-------+-------+------+---------------
//	       | form | width | start | slope | lower | unit | codes …
//	       +------+-------+-------+-------+-------+------+---------------
//	                       order≥1 order=2         hasUnit
//
//	form    bits 0-1 order, 0 to 2 and below n; bit 2 hasUnit; bit 3 binned; bit 4 patched; bits 5-7 are 0
//	width   bits of a code, 0 to 64; of binned ones the largest
//	start   the first integer                           signed varint
//	slope   the second integer less the first           signed varint
//	lower   signed varint
//	unit    what all codes are multiples of, else 1     varint
//
// There are n-order codes. Of fixed width, they follow as bits. If patched, a list comes
// before them: the number of patches, then for each how many codes lie between it and the
// patch before (varint), and the code that stands there instead (signed varint).
//
// Varints are those of encoding/binary; signed ones are zigzag.
const (
	orderMask   = 3
	formUnit    = 1 << 2
	formBinned  = 1 << 3
	formPatched = 1 << 4
	formMask    = orderMask | formUnit | formBinned | formPatched
)

// maxOrder is the largest order.
const maxOrder = 2

// intForm is the head of a sequence.
type intForm struct {
	order        int
	width        uint
	start, slope uint64
	lower, unit  uint64
	binned       bool
	patched      bool
}

// append appends the head as it is drawn above.
func (f *intForm) append(dst []byte) []byte {
	form := byte(f.order)
	if f.unit != 1 {
		form |= formUnit
	}
	if f.binned {
		form |= formBinned
	}
	if f.patched {
		form |= formPatched
	}
	dst = append(dst, form, byte(f.width))
	if f.order >= 1 {
		dst = binary.AppendUvarint(dst, zigzag(f.start))
	}
	if f.order >= 2 {
		dst = binary.AppendUvarint(dst, zigzag(f.slope))
	}
	dst = binary.AppendUvarint(dst, zigzag(f.lower))
	if f.unit != 1 {
		dst = binary.AppendUvarint(dst, f.unit)
	}
	return dst
}

// intEncoder encodes sequences. It holds scratch memory only.
type intEncoder struct {
	codes  []uint64
	ends   ends
	binner binner
}

// append appends xs, which are 1 to MaxSamples.
func (e *intEncoder) append(dst []byte, xs []uint64) []byte {
	f := intForm{order: e.chooseOrder(xs), unit: 1}
	codes := difference(e.codes[:0], xs, f.order)
	e.codes = codes
	switch f.order {
	case 2:
		f.slope = xs[1] - xs[0]
		fallthrough
	case 1:
		f.start = xs[0]
	}
	f.lower, f.unit = reduce(codes)
	ends := &e.ends
	ends.find(codes)
	fixed := ends.planFixed()
	if len(codes) >= minBinned && e.binner.cost(codes, ends.width(), 1) < fixed.bits*worthwhile/64 {
		e.binner.plan()
		f.binned, f.width = true, ends.width()
		return e.binner.append(f.append(dst), codes, f.width)
	}
	return appendFixed(dst, &f, codes, fixed)
}

// difference appends the differences of xs of the given order to dst, len(xs)-order of them.
func difference(dst, xs []uint64, order int) []uint64 {
	switch order {
	case 0:
		return append(dst, xs...)
	case 1:
		dst = slices.Grow(dst, len(xs))[:len(xs)-1]
		last := xs[0]
		for i, x := range xs[1:] {
			dst[i] = x - last
			last = x
		}
		return dst
	}
	dst = slices.Grow(dst, len(xs))[:len(xs)-2]
	last, slope := xs[1], xs[1]-xs[0]
	for i, x := range xs[2:] {
		dst[i] = x - last - slope
		last, slope = x, x-last
	}
	return dst
}

// reduce turns codes into (code - lower) / unit, with lower the least of them as signed
// integers, and unit the greatest common divisor of what is left.
func reduce(codes []uint64) (lower, unit uint64) {
	if len(codes) == 0 {
		return 0, 1
	}
	low := int64(codes[0])
	for _, c := range codes {
		low = min(low, int64(c))
	}
	lower = uint64(low)
	var g uint64
	for _, c := range codes {
		if c -= lower; c != 0 {
			if g = gcd(g, c); g == 1 {
				break
			}
		}
	}
	if g <= 1 {
		for i := range codes {
			codes[i] -= lower
		}
		return lower, 1
	}
	// A multiple of g is divided by shifting the twos out and multiplying by the inverse of
	// what is left of g, modulo 2^64.
	twos := uint(bits.TrailingZeros64(g))
	inverse := inverseOf(g >> twos)
	for i := range codes {
		codes[i] = (codes[i] - lower) >> twos * inverse
	}
	return lower, g
}

// gcd returns the greatest common divisor of a and b > 0; of 0 and b it is b.
func gcd(a, b uint64) uint64 {
	for a != 0 {
		a, b = b%a, a
	}
	return b
}

// inverseOf returns the inverse of an odd number modulo 2^64, by Newton's iteration: each
// doubles the bits that are right, of which there are 3 at first.
func inverseOf(odd uint64) uint64 {
	x := odd
	for range 5 {
		x *= 2 - odd*x
	}
	return x
}

// parseForm reads the head of a sequence of n integers at the front of src, and
// returns how many bytes it took.
func parseForm(src []byte, n int) (f intForm, size int, err error) {
	r := byteReader{src: src}
	form := r.byte()
	f = intForm{order: int(form & orderMask), width: uint(r.byte()), unit: 1}
	f.binned, f.patched = form&formBinned != 0, form&formPatched != 0
	if form&^formMask != 0 || f.order > maxOrder || f.order > 0 && f.order >= n || f.binned && f.patched || f.width > 64 {
		return f, 0, fmt.Errorf("integers have form %#x, width %d, which no chunk of version %d with %d of them has", form, f.width, version, n)
	}
	if f.order >= 1 {
		f.start = unzigzag(r.uvarint())
	}
	if f.order >= 2 {
		f.slope = unzigzag(r.uvarint())
	}
	f.lower = unzigzag(r.uvarint())
	if form&formUnit != 0 {
		f.unit = r.uvarint()
	}
	return f, r.at, r.err
}
