package chunk

import (
	"math"
	"math/bits"
)

const (
	// A sequence is judged, and its bins are found, by so many codes, in stretches from all over it.
	sampleSize    = 192
	sampleStretch = 32

	// minSampled is how many integers at least are judged so. Fewer are never in bins, and patched only from
	// minPatched of them and widePatched bits each.
	minSampled  = 32
	minBinned   = 96 // integers that are put in bins
	minPatched  = 8
	widePatched = 12

	// Bins take longer to write and to read than a fixed width. They have to make codes smaller by so many
	// bits each.
	worthwhile = 3
)

// intPlan says how to code a sequence.
type intPlan struct {
	order  int
	binned bool

	// The codes of the sample are (difference - lower) / unit.
	lower, unit uint64

	// Most codes are from low to high, as signed integers.
	low, high uint64
}

// choose finds out in which way xs are probably smallest.
func (e *intEncoder) choose(xs []uint64) intPlan {
	if len(xs) < minSampled {
		return e.chooseShort(xs)
	}
	// A value that wanders has much smaller differences; noise has larger ones, by half a
	// bit. In between, and with values that return to a few levels, only trying tells.
	d0, d1, d2, n := magnitudes(xs)
	var best intPlan
	least := math.MaxInt
	for order, try := range [...]bool{d0 <= d1+3*n, d1 <= d0+n/4, d2 <= d1} {
		if !try {
			continue
		}
		if p, size := e.judge(xs, order); size < least {
			best, least = p, size
		}
	}
	return best
}

// chooseShort is choose for few integers.
func (e *intEncoder) chooseShort(xs []uint64) intPlan {
	if len(xs) < 2 {
		return intPlan{}
	}
	var ranges [maxOrder + 1]extent
	last, slope := xs[0], xs[1]-xs[0]
	ranges[0] = extent{int64(last), int64(last)}
	ranges[1] = extent{int64(slope), int64(slope)}
	ranges[2] = extent{math.MaxInt64, math.MinInt64}
	for i, x := range xs[1:] {
		d := x - last
		ranges[0].add(x)
		ranges[1].add(d)
		if i > 0 {
			ranges[2].add(d - slope)
		}
		last, slope = x, d
	}
	best, least, starts := 0, math.MaxInt, 0
	for order := 0; order <= maxOrder && order < len(xs); order++ {
		r := &ranges[order]
		size := starts + (len(xs)-order)*r.width() + varintBits(uint64(r.low))
		if size < least {
			best, least = order, size
		}
		starts += varintBits([...]uint64{xs[0], xs[1] - xs[0], 0}[order])
	}
	r := &ranges[best]
	if len(xs) >= minPatched && r.width() >= widePatched {
		p, _ := e.judge(xs, best)
		return p
	}
	return intPlan{order: best, low: uint64(r.low), high: uint64(r.high)}
}

// extent is a range of signed integers.
type extent struct{ low, high int64 }

func (e *extent) add(x uint64) { e.low, e.high = min(e.low, int64(x)), max(e.high, int64(x)) }

// width returns how many bits the distance from low to high has.
func (e *extent) width() int { return bits.Len64(uint64(e.high) - uint64(e.low)) }

// varintBits returns how many bits v takes as a signed varint.
func varintBits(v uint64) int { return 8 * varintLen(zigzag(v)) }

// magnitudes returns the sum of bits of the distances of some xs from their middle one, of
// their differences, and of the differences of these, and how many they are.
func magnitudes(xs []uint64) (d0, d1, d2, n int) {
	middle, step := xs[len(xs)/2], 3+len(xs)/128
	for i := 2; i < len(xs); i += step {
		d := xs[i] - xs[i-1]
		d0 += bits.Len64(zigzag(xs[i] - middle))
		d1 += bits.Len64(zigzag(d))
		d2 += bits.Len64(zigzag(d - xs[i-1] + xs[i-2]))
		n++
	}
	return d0, d1, d2, n
}

// judge returns the plan with that order, and about its size in bits.
func (e *intEncoder) judge(xs []uint64, order int) (p intPlan, size int) {
	codes, spread := sample(e.samples[order][:0], xs, order)
	lower, unit, most := spread.reduce(codes)
	width := uint(bits.Len64(most))
	codes = e.sorter.sort(codes, width)
	e.samples[order] = codes
	n := len(xs) - order
	low, high, size := planFixed(codes, n)
	p = intPlan{order: order, lower: lower, unit: unit, low: lower + low*unit, high: lower + high*unit}
	if len(xs) >= minBinned && size > n*(worthwhile+1) { // a prefix has one bit at least
		if binned := e.binner.plan(codes, width, n) + n*worthwhile; binned < size {
			p.binned, size = true, binned
		}
	}
	size += varintBits(lower)
	if order > 0 {
		size += varintBits(xs[0])
	}
	return p, size
}

// sample appends differences of xs of the given order to dst, all or sampleSize of them, and returns their
// spread.
func sample(dst, xs []uint64, order int) ([]uint64, spread) {
	if len(xs) <= sampleSize+order {
		return difference(dst, xs, order)
	}
	const stretches = sampleSize / sampleStretch
	var all, s spread
	for i := range stretches {
		at := i * (len(xs) - sampleStretch - order) / (stretches - 1)
		dst, s = difference(dst, xs[at:at+sampleStretch+order], order)
		if i == 0 {
			all = s
			continue
		}
		all.low, all.high = min(all.low, s.low), max(all.high, s.high)
		all.bits |= s.bits | (s.first - all.first)
	}
	return dst, all
}

// planFixed finds a range such that codes, which are sorted and stand for n, are small if all in it have
// the width of its distances, and the others are patches. It returns about that size in bits, too.
func planFixed(codes []uint64, n int) (low, high uint64, size int) {
	m := len(codes)
	low, high = codes[0], codes[m-1]
	patch := 8 + 8*varintLen(2*high)
	size = n * bits.Len64(high-low)
	for outliers := 1; outliers <= m/8; outliers += 1 + outliers/4 {
		least, from := high-low, 0
		for i := range outliers + 1 {
			if d := codes[m-1-outliers+i] - codes[i]; d < least {
				least, from = d, i
			}
		}
		if s := n*bits.Len64(least) + 8 + patch*outliers*n/m; s < size {
			size, low, high = s, codes[from], codes[m-1-outliers+from]
		}
	}
	return low, high, size
}
