package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// valueReader reads the values of a chunk, any number at a time.
type valueReader struct {
	kind     byte
	constant float64
	raw      []byte
	ints     intReader
	rests    intReader
	scale    *scale

	except []byte // the list of exceptions that were not yet read
	gap    int    // values before the next exception, -1 without
	value  uint64 // that exception's bits
}

var errExcept = errors.New("an exception stands behind the last value")

// reset begins to read the n values at the front of src and returns how many bytes they take.
func (r *valueReader) reset(src []byte, n int) (size int, err error) {
	b := byteReader{src: src}
	r.kind, r.gap = b.byte(), -1
	switch {
	case b.err != nil:
	case r.kind == kindConstant:
		bits, size, err := readShort(src[b.at:])
		r.constant = math.Float64frombits(bits)
		return b.at + size, err
	case r.kind == kindRaw:
		r.raw = b.bytes(8 * uint64(n))
	case r.kind == kindOrdered:
		b.sequence(&r.ints, n)
	case r.kind&kindDecimal == 0 || r.kind&kindExponent > maxExponent:
		b.err = fmt.Errorf("kind %#x is not one of version %d", r.kind, version)
	default:
		r.scale = &scales[r.kind&kindExponent]
		if r.kind&kindExceptions != 0 {
			r.except = exceptionList(&b, n)
			if b.err == nil {
				r.nextException()
			}
		}
		b.sequence(&r.ints, n)
		if r.kind&kindResiduals != 0 {
			b.sequence(&r.rests, n)
		}
	}
	return b.at, b.err
}

// sequence resets r to the sequence of n integers that comes next.
func (b *byteReader) sequence(r *intReader, n int) {
	if b.err == nil {
		var size int
		size, b.err = r.reset(b.src[b.at:], n)
		b.at += size
	}
}

// exceptionList returns the list of exceptions among n values without its length, having checked it.
func exceptionList(b *byteReader, n int) []byte {
	count := b.uvarint()
	from, behind := b.at, uint64(0)
	for ; count > 0 && b.err == nil; count-- {
		gap := b.uvarint()
		b.bytes(8)
		if gap >= uint64(n)-behind && b.err == nil {
			b.err = errExcept
		}
		behind += gap + 1
	}
	return b.src[from:b.at]
}

// nextException takes an exception off the list, which is whole.
func (r *valueReader) nextException() {
	if len(r.except) == 0 {
		r.gap = -1
		return
	}
	gap, n := binary.Uvarint(r.except)
	r.gap = int(gap)
	r.value = binary.LittleEndian.Uint64(r.except[n:])
	r.except = r.except[n+8:]
}

// exact says whether every value is exactly its integer by the scale.
func (r *valueReader) exact() bool {
	return r.kind&^kindExponent == kindDecimal
}

// read sets dst to the next values, blockSize at most; there must be as many. Of decimals it sets ints, which is as long,
// to the integers.
func (r *valueReader) read(dst []float64, ints []int64) error {
	switch r.kind {
	case kindConstant:
		for i := range dst {
			dst[i] = r.constant
		}
		return nil
	case kindRaw:
		for i := range dst {
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(r.raw[8*i:]))
		}
		r.raw = r.raw[8*len(dst):]
		return nil
	}
	if r.kind == kindOrdered {
		if err := r.ints.read(ints); err != nil {
			return err
		}
		for i, x := range ints {
			dst[i] = math.Float64frombits(ordered(uint64(x)))
		}
		return nil
	}
	if err := r.ints.readDecimals(ints, dst, r.scale); err != nil {
		return err
	}
	if r.kind&kindResiduals != 0 {
		if err := r.addRests(dst); err != nil {
			return err
		}
	}
	r.setExceptions(dst)
	return nil
}

// addRests adds the residuals to the values dst, blockSize at most.
func (r *valueReader) addRests(dst []float64) error {
	if r.rests.sparse() {
		return r.rests.addPatches(dst)
	}
	var block [blockSize]int64
	rests := block[:len(dst)]
	lower, unit := uint64(0), uint64(1)
	var err error
	if r.rests.order == 0 {
		lower, unit = r.rests.lower, r.rests.unit
		err = r.rests.readCodes(rests)
	} else {
		err = r.rests.read(rests)
	}
	for i, rest := range rests {
		dst[i] = math.Float64frombits(math.Float64bits(dst[i]) + lower + unit*uint64(rest))
	}
	return err
}

// setExceptions sets those of the values dst that are exceptions.
func (r *valueReader) setExceptions(dst []float64) {
	behind := 0
	for r.gap >= 0 && behind+r.gap < len(dst) {
		dst[behind+r.gap] = math.Float64frombits(r.value)
		behind += r.gap + 1
		r.nextException()
	}
	if r.gap >= 0 {
		r.gap -= len(dst) - behind
	}
}

// skip moves on by n values; there must be as many.
func (r *valueReader) skip(n int) error {
	switch r.kind {
	case kindConstant:
		return nil
	case kindRaw:
		r.raw = r.raw[8*n:]
		return nil
	}
	for left := n; r.gap >= 0; {
		if left <= r.gap {
			r.gap -= left
			break
		}
		left -= r.gap + 1
		r.nextException()
	}
	if err := r.ints.skip(n); err != nil || r.kind&kindResiduals == 0 || r.kind == kindOrdered {
		return err
	}
	return r.rests.skip(n)
}
