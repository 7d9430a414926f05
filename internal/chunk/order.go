package chunk

import (
	"math"
	"math/bits"
)

// chooseOrder returns the order in which xs are probably smallest.
func (e *intEncoder) chooseOrder(xs []uint64) int {
	switch n := len(xs); {
	case n < 2:
		return 0
	case n < 2*minBinned:
		return e.smallestOrder(xs, 1, [maxOrder + 1]bool{true, true, n > 2})
	}
	// A value that wanders has much smaller differences; noise has larger ones, by half a
	// bit. In between, and with values that return to a few levels, only trying tells.
	d0, d1, d2, n := magnitudes(xs)
	try := [maxOrder + 1]bool{
		d0 <= d1+3*n,
		d1 <= d0+n/4,
		d2 <= d1,
	}
	switch try {
	case [...]bool{true, false, false}:
		return 0
	case [...]bool{false, true, false}:
		return 1
	}
	return e.smallestOrder(xs, len(xs)/256, try)
}

// magnitudes returns the sum of bits of the distances of some xs from their middle one, of
// their differences, and of the differences of these, and how many they are.
func magnitudes(xs []uint64) (d0, d1, d2, n int) {
	middle := xs[len(xs)/2]
	for i := 2; i < len(xs); i += 4 {
		d := xs[i] - xs[i-1]
		d0 += bits.Len64(zigzag(xs[i] - middle))
		d1 += bits.Len64(zigzag(d))
		d2 += bits.Len64(zigzag(d - xs[i-1] + xs[i-2]))
		n++
	}
	return d0, d1, d2, n
}

// smallestOrder compares the sizes of the orders to try, of one code in so many.
func (e *intEncoder) smallestOrder(xs []uint64, stride int, try [maxOrder + 1]bool) int {
	best, least := 0, math.MaxInt
	for order, yes := range try {
		if !yes {
			continue
		}
		codes := difference(e.codes[:0], xs, order)
		e.codes = codes
		if stride > 1 {
			sample := codes[:0]
			for i := 0; i < len(codes); i += stride {
				sample = append(sample, codes[i])
			}
			codes = sample
		}
		size := e.size(codes, max(stride, 1))
		switch {
		case order == 1:
			size += patchBits(xs[0])
		case order == 2:
			size += patchBits(xs[0]) + patchBits(xs[1]-xs[0])
		}
		if size < least {
			best, least = order, size
		}
	}
	return best
}

// size returns about how many bits stride times as many codes would take.
func (e *intEncoder) size(codes []uint64, stride int) int {
	lower, _ := reduce(codes)
	ends := &e.ends
	ends.find(codes)
	fixed := ends.planFixed().bits * stride
	if len(codes) >= minBinned {
		fixed = min(fixed, e.binner.cost(codes, ends.width(), stride))
	}
	return fixed + varintLen(zigzag(lower))*8
}
