package chunk

import (
	"errors"
	"math"
)

// intReader reads a sequence of integers, any number at a time. It holds nothing but src.
type intReader struct {
	intForm
	n      int    // integers in all
	starts int    // of start and slope, those that were not given yet
	left   int    // codes not yet read
	value  uint64 // the last integer given
	step   uint64 // and how far it is from the one before

	src []byte // the codes' bits
	at  uint   // the next one

	patches []byte // the list of patches that were not yet read
	gap     int    // codes before the next patch, -1 without
	patch   uint64 // that patch

	bins binReader
}

var errPatches = errors.New("a patch stands behind the last code")

// reset begins to read the sequence of n integers at the front of src and returns how
// many bytes it takes. Of a fixed width, it is checked completely.
func (r *intReader) reset(src []byte, n int) (size int, err error) {
	r.intForm, size, err = parseForm(src, n)
	if err != nil {
		return size, err
	}
	r.n, r.starts, r.left = n, r.order, n-r.order
	r.value, r.step = r.start, r.slope
	r.at, r.gap = 0, -1
	b := byteReader{src: src, at: size}
	if r.binned {
		r.bins.reset(&b, r.width)
		return b.at, b.err
	}
	if r.patched {
		r.patches = patchList(&b, r.left)
		if b.err != nil {
			return b.at, b.err
		}
		r.nextPatch()
	}
	r.src = b.bytes(uint64(uint(r.left)*r.width+7) / 8)
	return b.at, b.err
}

// patchList returns the list of patches to n codes without its length. That it ends as it should is for ended to see.
func patchList(b *byteReader, n int) []byte {
	count := b.uvarint()
	if count > uint64(n) && b.err == nil {
		b.err = errPatches
	}
	from := b.at
	b.skipVarints(2 * count)
	return b.src[from:b.at]
}

// nextPatch takes a patch off the list.
func (r *intReader) nextPatch() {
	if p := r.patches; len(p) >= 2 && p[0]|p[1] < 0x80 {
		r.gap, r.patch, r.patches = int(p[0]), unzigzag(uint64(p[1])), p[2:]
		return
	}
	if len(r.patches) == 0 {
		r.gap = -1
		return
	}
	b := byteReader{src: r.patches}
	r.gap = int(min(b.uvarint(), math.MaxInt))
	r.patch = unzigzag(b.uvarint())
	r.patches = r.patches[b.at:]
	if b.err != nil { // it stays behind the last code
		r.gap = math.MaxInt
	}
}

// skip moves on by n integers; there must be as many.
func (r *intReader) skip(n int) error {
	if !r.binned && !r.patched && r.order == 0 {
		r.at += uint(n) * r.width
		r.left -= n
		return nil
	}
	var block [blockSize]int64
	for n > 0 {
		some := min(n, blockSize)
		if err := r.read(block[:some]); err != nil {
			return err
		}
		n -= some
	}
	return nil
}

// read sets dst to the next integers; there must be as many.
func (r *intReader) read(dst []int64) error {
	for r.starts > 0 && len(dst) > 0 {
		if r.starts < r.order {
			r.value += r.step
		}
		dst[0] = int64(r.value)
		dst = dst[1:]
		r.starts--
	}
	if len(dst) == 0 {
		return nil
	}
	if err := r.readCodes(dst); err != nil {
		return err
	}
	r.integrate(dst)
	return nil
}

// readDecimals is read, and sets decimals, which is as long, to the decimals of the integers.
func (r *intReader) readDecimals(dst []int64, decimals []float64, scale *scale) error {
	s := *scale
	for r.starts > 0 && len(dst) > 0 {
		if err := r.read(dst[:1]); err != nil {
			return err
		}
		decimals[0] = s.decimal(dst[0])
		dst, decimals = dst[1:], decimals[1:]
	}
	if err := r.readCodes(dst); err != nil {
		return err
	}
	decimals = decimals[:len(dst)]
	value, step, lower, unit := r.value, r.step, r.lower, r.unit
	switch r.order {
	case 0:
		for i, c := range dst {
			value = lower + unit*uint64(c)
			dst[i], decimals[i] = int64(value), s.decimal(int64(value))
		}
	case 1:
		for i, c := range dst {
			value += lower + unit*uint64(c)
			dst[i], decimals[i] = int64(value), s.decimal(int64(value))
		}
	default:
		for i, c := range dst {
			step += lower + unit*uint64(c)
			value += step
			dst[i], decimals[i] = int64(value), s.decimal(int64(value))
		}
	}
	r.value, r.step = value, step
	return nil
}

// readCodes sets dst to the next codes.
func (r *intReader) readCodes(dst []int64) error {
	if r.binned {
		r.bins.read(dst)
		if r.left -= len(dst); r.left == 0 && !r.bins.ended() {
			return errLanes
		}
		return nil
	}
	unpack(dst, r.src, r.at, r.width)
	r.at += uint(len(dst)) * r.width
	r.left -= len(dst)
	for i, ok := r.patchBelow(0, len(dst)); ok; i, ok = r.patchBelow(i+1, len(dst)) {
		dst[i] = int64(r.patch)
		r.nextPatch()
	}
	return r.ended()
}

// ended returns an error if all codes were read and there are patches left.
func (r *intReader) ended() error {
	if r.left == 0 && r.gap >= 0 {
		return errPatches
	}
	return nil
}

// patchBelow returns where among the next n codes the next patch is, if it is there, of which those before from have
// been dealt with.
func (r *intReader) patchBelow(from, n int) (i int, ok bool) {
	if r.gap < 0 {
		return 0, false
	}
	if r.gap >= n-from {
		r.gap -= n - from
		return 0, false
	}
	return from + r.gap, true
}

// integrate turns codes into integers.
func (r *intReader) integrate(dst []int64) {
	value, step, lower, unit := r.value, r.step, r.lower, r.unit
	switch r.order {
	case 0:
		if lower == 0 && unit == 1 {
			return
		}
		for i, c := range dst {
			dst[i] = int64(lower + unit*uint64(c))
		}
	case 1:
		for i, c := range dst {
			value += lower + unit*uint64(c)
			dst[i] = int64(value)
		}
	default:
		for i, c := range dst {
			step += lower + unit*uint64(c)
			value += step
			dst[i] = int64(value)
		}
	}
	r.value, r.step = value, step
}

// sparse says whether all integers are 0 but for patches.
func (r *intReader) sparse() bool {
	return r.width == 0 && r.order == 0 && r.lower == 0 && !r.binned
}

// addPatches adds the next integers, which are sparse, to the bits of the values dst.
func (r *intReader) addPatches(dst []float64) error {
	r.left -= len(dst)
	for i, ok := r.patchBelow(0, len(dst)); ok; i, ok = r.patchBelow(i+1, len(dst)) {
		dst[i] = math.Float64frombits(math.Float64bits(dst[i]) + r.unit*r.patch)
		r.nextPatch()
	}
	return r.ended()
}
