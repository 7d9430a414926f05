package chunk

import "errors"

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

	binReader
}

var (
	errPatches = errors.New("a patch stands behind the last code")
	errBits    = errors.New("the codes take other than their number of bytes")
)

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
		r.src = b.bytes(b.uvarint())
		if b.err == nil {
			r.at, b.err = r.begin(r.src, r.width)
		}
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

// patchList returns the list of patches to n codes without its length, having checked it.
func patchList(b *byteReader, n int) []byte {
	count := b.uvarint()
	from, behind := b.at, uint64(0) // the codes up to the last patch
	for ; count > 0 && b.err == nil; count-- {
		gap := b.uvarint()
		b.uvarint()
		if gap >= uint64(n)-behind && b.err == nil {
			b.err = errPatches
		}
		behind += gap + 1
	}
	return b.src[from:b.at]
}

// nextPatch takes a patch off the list, which is whole.
func (r *intReader) nextPatch() {
	b := byteReader{src: r.patches}
	if len(r.patches) == 0 {
		r.gap = -1
		return
	}
	r.gap = int(b.uvarint())
	r.patch = unzigzag(b.uvarint())
	r.patches = r.patches[b.at:]
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
	if len(dst) > 0 && r.starts > 0 {
		if err := r.read(dst[:1]); err != nil {
			return err
		}
		decimals[0] = s.decimal(dst[0])
		dst, decimals = dst[1:], decimals[1:]
	}
	if r.order != 1 || r.unit != 1 {
		err := r.read(dst)
		for i, m := range dst {
			decimals[i] = s.decimal(m)
		}
		return err
	}
	err := r.readCodes(dst)
	value, lower := r.value, r.lower
	for i, c := range dst {
		value += lower + uint64(c)
		dst[i] = int64(value)
		decimals[i] = s.decimal(int64(value))
	}
	r.value = value
	return err
}

// readCodes sets dst to the next codes.
func (r *intReader) readCodes(dst []int64) error {
	if r.binned {
		r.at = r.decode(dst, r.src, r.at, r.left)
		r.left -= len(dst)
		if end := uint(len(r.src)) * 8; r.at > end || r.left == 0 && r.at+8 <= end {
			return errBits
		}
		return nil
	}
	unpack(dst, r.src, r.at, r.width)
	r.at += uint(len(dst)) * r.width
	r.left -= len(dst)
	behind := 0
	for r.gap >= 0 && behind+r.gap < len(dst) {
		dst[behind+r.gap] = int64(r.patch)
		behind += r.gap + 1
		r.nextPatch()
	}
	if r.gap >= 0 {
		r.gap -= len(dst) - behind
	}
	return nil
}

// integrate turns codes into integers.
func (r *intReader) integrate(dst []int64) {
	lower, unit := r.lower, r.unit
	if unit != 1 {
		for i := range dst {
			dst[i] *= int64(unit)
		}
	}
	switch r.order {
	case 0:
		if lower != 0 {
			for i := range dst {
				dst[i] += int64(lower)
			}
		}
	case 1:
		value := r.value
		for i, c := range dst {
			value += lower + uint64(c)
			dst[i] = int64(value)
		}
		r.value = value
	default:
		value, step := r.value, r.step
		for i, c := range dst {
			step += lower + uint64(c)
			value += step
			dst[i] = int64(value)
		}
		r.value, r.step = value, step
	}
}
