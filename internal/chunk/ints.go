package chunk

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
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
//	               long    order≥1 order=2         hasUnit
//
//	form    short: bits 6-7 order, 0 to 2 and below n; bits 0-5 width
//	        long: bits 6-7 are 3; bits 0-1 order; bit 2 hasUnit; bit 3 binned; bit 4 patched; bit 5 is 0
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
	formMask    = formLong | orderMask | formUnit | formBinned | formPatched

	formLong   = 3 << 6
	orderShift = 6
	shortWidth = 63 // the largest of the short form
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
	if f.unit == 1 && !f.binned && !f.patched && f.width <= shortWidth {
		dst = append(dst, byte(f.order<<orderShift)|byte(f.width))
	} else {
		form := byte(formLong | f.order)
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
	}
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

// parseForm reads the head of a sequence of n integers at the front of src, and
// returns how many bytes it took.
func parseForm(src []byte, n int) (f intForm, size int, err error) {
	r := byteReader{src: src}
	form := r.byte()
	f = intForm{order: int(form >> orderShift), width: uint(form & shortWidth), unit: 1}
	if form >= formLong {
		f.order, f.width = int(form&orderMask), uint(r.byte())
		f.binned, f.patched = form&formBinned != 0, form&formPatched != 0
		if form&^formMask != 0 || f.order > maxOrder || f.binned && f.patched || f.width > 64 {
			return f, 0, fmt.Errorf("integers have form %#x, width %d, which is not one of version %d", form, f.width, version)
		}
	}
	if f.order > 0 && f.order >= n {
		return f, 0, fmt.Errorf("%d integers have order %d", n, f.order)
	}
	if f.order >= 1 {
		f.start = unzigzag(r.uvarint())
	}
	if f.order >= 2 {
		f.slope = unzigzag(r.uvarint())
	}
	f.lower = unzigzag(r.uvarint())
	if form >= formLong && form&formUnit != 0 {
		f.unit = r.uvarint()
	}
	return f, r.at, r.err
}

// intEncoder encodes sequences. It holds scratch memory only.
type intEncoder struct {
	codes   []uint64
	samples [maxOrder + 1][]uint64 // of each order, sorted
	patches []uint32
	sorter  sorter
	binner  binner
}

// append appends xs, which are 1 to MaxSamples.
func (e *intEncoder) append(dst []byte, xs []uint64) []byte {
	p := e.choose(xs)
	f := intForm{order: p.order}
	codes, spread := difference(e.codes[:0], xs, f.order)
	e.codes = codes
	if f.order >= 1 {
		f.start = xs[0]
	}
	if f.order == 2 {
		f.slope = xs[1] - xs[0]
	}
	var most uint64
	f.lower, f.unit, most = spread.reduce(codes)
	f.width = uint(bits.Len64(most))
	if p.binned && e.findBins(&p, &f, codes) {
		f.binned = true
		return e.binner.append(f.append(dst), codes, f.width)
	}
	if w, ok := p.window(&f, most, e.patches); ok {
		smaller := w.count(codes, f.width)
		e.patches = w.patches
		if smaller {
			return w.append(dst, &f, codes)
		}
	}
	return pack(f.append(dst), codes, 0, f.width)
}

// findBins finds the bins of codes, which have the head f, from the sample that was judged. It says whether there are as
// many as can be coded.
func (e *intEncoder) findBins(p *intPlan, f *intForm, codes []uint64) bool {
	sample := e.samples[p.order]
	lower, unit := (p.lower-f.lower)/f.unit, p.unit/f.unit
	for i, c := range sample {
		sample[i] = lower + unit*c
	}
	e.binner.plan(sample, f.width, len(codes))
	return e.binner.count(codes)
}

// difference appends the differences of xs of the given order to dst, len(xs)-order of them, and returns their
// spread.
func difference(dst, xs []uint64, order int) ([]uint64, spread) {
	if order == len(xs) {
		return dst, spread{}
	}
	last, slope := xs[0], uint64(0)
	ds := grow(dst, len(xs)-order)
	to := ds[len(dst):]
	switch order {
	case 0:
		s := spreadOf(last)
		for i, x := range xs[:len(to)] {
			s.add(x)
			to[i] = x
		}
		return ds, s
	case 1:
		s := spreadOf(xs[1] - last)
		for i, x := range xs[1:][:len(to)] {
			s.add(x - last)
			to[i] = x - last
			last = x
		}
		return ds, s
	}
	last, slope = xs[1], xs[1]-last
	s := spreadOf(xs[2] - last - slope)
	for i, x := range xs[2:][:len(to)] {
		s.add(x - last - slope)
		to[i] = x - last - slope
		last, slope = x, x-last
	}
	return ds, s
}

// spread says how integers differ from each other.
type spread struct {
	first     uint64
	low, high int64  // of all, signed
	bits      uint64 // those that are set in the distance of any from the first
}

func spreadOf(first uint64) spread {
	return spread{first: first, low: int64(first), high: int64(first)}
}

func (s *spread) add(x uint64) {
	s.low, s.high = min(s.low, int64(x)), max(s.high, int64(x))
	s.bits |= x - s.first
}

// reduce turns codes, which have that spread, into (code - lower) / unit, with lower the least of them as signed
// integers, and unit the greatest common divisor of what is left. It returns the largest, too.
func (s *spread) reduce(codes []uint64) (lower, unit, most uint64) {
	lower, most = uint64(s.low), uint64(s.high)-uint64(s.low)
	if most == 0 {
		clear(codes)
		return lower, 1, 0
	}
	// A multiple of unit is divided by shifting its twos out and multiplying by the inverse of
	// what is left of unit, modulo 2^64.
	twos := uint(bits.TrailingZeros64(s.bits))
	odd := oddDivisor(codes, s.first)
	if odd == 1 && twos == 0 {
		for i := range codes {
			codes[i] -= lower
		}
		return lower, 1, most
	}
	inverse := inverseOf(odd)
	for i := range codes {
		codes[i] = (codes[i] - lower) >> (twos & 63) * inverse
	}
	return lower, odd << twos, most >> twos * inverse
}

// oddDivisor returns the greatest odd number that divides the distances of all codes from first, which are not all
// 0.
func oddDivisor(codes []uint64, first uint64) uint64 {
	g, inverse, limit := uint64(0), uint64(0), uint64(0)
	for _, c := range codes {
		// Distances of both signs are multiples of g, or not, together.
		d := c - first
		if int64(c) < int64(first) {
			d = -d
		}
		// Of multiples of g, the product with its inverse is the quotient; of other numbers, it is larger than that
		// of any multiple.
		if g != 0 && d*inverse <= limit || d == 0 {
			continue
		}
		if g = gcd(g, d>>bits.TrailingZeros64(d)); g == 1 {
			return 1
		}
		inverse, limit = inverseOf(g), math.MaxUint64/g
	}
	return g
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
