package chunk

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Encoder encodes chunks. It holds scratch memory, some 100 bytes a sample of the
// largest chunk, so that after the first chunks it allocates nothing. The zero value is ready;
// it is not for concurrent use.
type Encoder struct {
	ints     intEncoder
	numbers  []uint64 // distances of times, integers of decimals, ordered values
	residual []uint64
	except   []int // which samples are exceptions
	others   []float64
	best     []byte
	other    []byte
}

// Append appends the chunk of the samples (times[i], values[i]) to dst. There must be as many
// times as values, 1 to MaxSamples, and the times, in milliseconds, must be strictly ascending. The slices
// are not kept.
func (e *Encoder) Append(dst []byte, times []int64, values []float64) []byte {
	if len(times) != len(values) || len(times) == 0 || len(times) > MaxSamples {
		panic(fmt.Sprintf("BUG: chunk: %d times and %d values, want as many, 1 to %d", len(times), len(values), MaxSamples))
	}
	dst = e.appendTimes(dst, times)
	return e.appendValues(dst, values)
}

// appendTimes appends the head and the times.
func (e *Encoder) appendTimes(dst []byte, times []int64) []byte {
	h := head{Header: Header{Count: len(times), First: times[0], Last: times[len(times)-1]}}
	if h.Count > 1 {
		h.step = uint64(times[1]) - uint64(times[0])
	}
	h.irregular = !regular(times, h.step)
	dst = h.append(dst)
	if !h.irregular {
		return dst
	}
	e.numbers = slices.Grow(e.numbers[:0], len(times)-1)[:len(times)-1]
	last := times[0]
	for i, t := range times[1:] {
		if t <= last {
			panic(fmt.Sprintf("BUG: chunk: time %d follows %d", t, last))
		}
		e.numbers[i] = uint64(t) - uint64(last)
		last = t
	}
	return e.ints.append(dst, e.numbers)
}

// regular says whether times ascend by steps of that size; a step of 0 is that of one.
func regular(times []int64, step uint64) bool {
	other, n := uint64(0), len(times)-1
	for i, t := range times[1:] {
		other |= uint64(t) - uint64(times[i]) ^ step
	}
	over, span := bits.Mul64(step, uint64(n))
	return other == 0 && over == 0 && times[n] >= times[0] && (n == 0 || step > 0) && span == uint64(times[n])-uint64(times[0])
}

// appendValues appends the values in the smallest form.
func (e *Encoder) appendValues(dst []byte, values []float64) []byte {
	if constant(values) {
		return appendShort(append(dst, kindConstant), math.Float64bits(values[0]))
	}
	n := len(values)
	k, residuals, ok := e.decimals(values)
	e.best = e.best[:0]
	if ok {
		e.best = e.appendDecimals(e.best, values, k, residuals)
	}
	if !ok || len(e.best) > 4*n {
		e.toOrdered(values)
		e.other = e.ints.append(append(e.other[:0], kindOrdered), e.numbers)
		if !ok || len(e.other) < len(e.best) {
			e.best, e.other = e.other, e.best
		}
	}
	if len(e.best) > 1+8*n {
		return appendRaw(append(dst, kindRaw), values)
	}
	return append(dst, e.best...)
}

func constant(values []float64) bool {
	first := math.Float64bits(values[0])
	for _, v := range values {
		if math.Float64bits(v) != first {
			return false
		}
	}
	return true
}

func appendRaw(dst []byte, values []float64) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// toOrdered sets numbers to the values as ordered integers.
func (e *Encoder) toOrdered(values []float64) {
	e.numbers = e.numbers[:0]
	for _, v := range values {
		e.numbers = append(e.numbers, ordered(math.Float64bits(v)))
	}
}

// decimals finds out with which exponent the values are decimals, and calls toDecimals with it.
func (e *Encoder) decimals(values []float64) (k int, residuals, ok bool) {
	k, residuals, ok = chooseExponent(values)
	if !ok || !e.toDecimals(values, k, residuals) {
		return k, residuals, false
	}
	if len(e.except) <= len(values)/16 {
		return k, residuals, true
	}
	// The values looked at say too little: ask the others.
	e.others = e.others[:0]
	for _, i := range e.except {
		e.others = append(e.others, values[i])
	}
	if more, rests, ok := chooseExponent(e.others); ok && more > k {
		k, residuals = more, residuals || rests
	}
	return k, residuals, e.toDecimals(values, k, residuals)
}

// maxResidual is how many units in the last place a residual may be.
const maxResidual = 64

// toDecimals sets numbers to the integers of the values with exponent k, residual to what is left,
// and except to those that are no such decimals. It gives up when these are too many.
func (e *Encoder) toDecimals(values []float64, k int, residuals bool) bool {
	s := &scales[k]
	e.except = e.except[:0]
	e.numbers = slices.Grow(e.numbers[:0], len(values))[:len(values)]
	e.residual = slices.Grow(e.residual[:0], len(values))[:len(values)]
	numbers, rests := e.numbers, e.residual
	most := uint64(0)
	if residuals {
		most = maxResidual
	}
	for i := 0; ; i++ {
		i += s.split(numbers[i:], rests[i:], values[i:], most)
		if i == len(values) {
			return true
		}
		m := s.nearest(values[i])
		rest := math.Float64bits(values[i]) - math.Float64bits(s.decimal(m))
		if rest+most > 2*most {
			if len(e.except) >= len(values)/2 {
				return false
			}
			e.except = append(e.except, i)
			m, rest = 0, 0
			if i > 0 {
				m = int64(numbers[i-1])
			}
		}
		numbers[i], rests[i] = uint64(m), rest
	}
}

// appendDecimals appends what toDecimals found.
func (e *Encoder) appendDecimals(dst []byte, values []float64, k int, residuals bool) []byte {
	kind := byte(kindDecimal + k)
	if residuals {
		kind |= kindResiduals
	}
	if len(e.except) > 0 {
		kind |= kindExceptions
	}
	dst = append(dst, kind)
	if len(e.except) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(e.except)))
		next := 0
		for _, i := range e.except {
			dst = binary.AppendUvarint(dst, uint64(i-next))
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(values[i]))
			next = i + 1
		}
		if e.except[0] == 0 {
			e.fillFront()
		}
	}
	dst = e.ints.append(dst, e.numbers)
	if residuals {
		dst = e.ints.append(dst, e.residual)
	}
	return dst
}

// fillFront gives the exceptions at the front the first integer that means something, so
// that they cost no difference.
func (e *Encoder) fillFront() {
	n := 0
	for n < len(e.except) && e.except[n] == n {
		n++
	}
	for i := range n {
		e.numbers[i] = e.numbers[n]
	}
}
