package chunk

import (
	"math"
	"math/bits"
	"slices"
)

// binner finds bins and encodes with them. It holds scratch memory only.
type binner struct {
	log                            int // log2 of how many codes there are
	few                            int // codes that are not worth halving their range
	binCost, emptyCost, halvedCost int
	tree                           []node // in preorder
	bins                           []bin
	lengths                        []uint8 // of the bins' prefixes

	which []uint8 // bin each code has
	open  []uint
	lanes []byte
}

// bin is an interval of codes, [lower, lower + 2^width).
type bin struct {
	lower  uint64
	width  uint
	count  int
	prefix uint64
	length uint // of prefix
}

// Costs are in 1/256 bit.
const (
	bitCost    = 256
	binCost    = 6 * bitCost // its mark, its length, and that lengths are whole bits
	binnedBits = 64          // lane sizes, bits left over at the ends
)

// plan finds the tree for codes, which are sorted, below 2^width and a sample of n. It returns about how many bits
// all take.
func (b *binner) plan(codes []uint64, width uint, n int) int {
	m := len(codes)
	b.log, b.few = log2(m), max(8, m/32)
	b.halvedCost = bitCost * m / n
	b.emptyCost = 2 * b.halvedCost
	for b.binCost = binCost * m / n; ; b.binCost *= 2 {
		b.tree, b.bins = b.tree[:0], b.bins[:0]
		if cost := b.halve(codes, 0, width); len(b.bins) <= maxBins {
			return cost/bitCost*n/m + binnedBits
		}
	}
}

// halve appends the best tree for the codes, which are in [lower, lower + 2^width), and returns its cost.
func (b *binner) halve(codes []uint64, lower uint64, width uint) int {
	n := len(codes)
	if n == 0 {
		b.tree = append(b.tree, nodeLeaf)
		b.bins = append(b.bins, bin{lower: lower, width: width})
		return b.emptyCost
	}
	leaf := b.binCost + n*(int(width)*bitCost+b.log) - timesLog2(n)
	node, bins := len(b.tree), len(b.bins)
	if n > b.few && width > 0 {
		b.tree = append(b.tree, nodeHalved)
		middle := lower + 1<<(width-1)
		i := below(codes, middle)
		cost := b.halvedCost + b.halve(codes[:i], lower, width-1)
		if cost < leaf {
			cost += b.halve(codes[i:], middle, width-1)
		}
		if cost < leaf {
			return cost
		}
	}
	b.tree = append(b.tree[:node], nodeLeaf)
	b.bins = append(b.bins[:bins], bin{lower: lower, width: width, count: n})
	return leaf
}

// below returns how many of the sorted xs are below x.
func below(xs []uint64, x uint64) int {
	n := len(xs)
	if xs[0] >= x {
		return 0
	}
	if xs[n-1] < x {
		return n
	}
	low := 0
	for n > 1 {
		half := n >> 1
		_, less := bits.Sub64(xs[low+half-1], x, 0)
		low += half & -int(less)
		n -= half
	}
	if xs[low] < x {
		low++
	}
	return low
}

// count finds which bin each of the codes has, and counts them. It says whether bins can code them:
// there must be two at least.
func (b *binner) count(codes []uint64) bool {
	var before [maxBins]uint64 // the largest code before each bin but the first
	for i := range before {
		before[i] = math.MaxUint64
		if i < len(b.bins) {
			before[i] = b.bins[i].lower - 1
		}
	}
	half := 1 << bits.Len(uint(len(b.bins)-1)) >> 1
	var counts [maxBins]int32
	b.which = slices.Grow(b.which[:0], len(codes))[:len(codes)]
	// Four searches at a time do not wait for each other.
	i := 0
	for ; i+4 <= len(codes); i += 4 {
		c, w := (*[4]uint64)(codes[i:]), (*[4]uint8)(b.which[i:])
		j0, j1, j2, j3 := 0, 0, 0, 0
		for step := half; step > 0; step >>= 1 {
			_, less := bits.Sub64(before[(j0+step)&(maxBins-1)], c[0], 0)
			j0 += step & -int(less)
			_, less = bits.Sub64(before[(j1+step)&(maxBins-1)], c[1], 0)
			j1 += step & -int(less)
			_, less = bits.Sub64(before[(j2+step)&(maxBins-1)], c[2], 0)
			j2 += step & -int(less)
			_, less = bits.Sub64(before[(j3+step)&(maxBins-1)], c[3], 0)
			j3 += step & -int(less)
		}
		w[0], w[1], w[2], w[3] = uint8(j0), uint8(j1), uint8(j2), uint8(j3)
	}
	for ; i < len(codes); i++ {
		j := 0
		for j+1 < len(b.bins) && b.bins[j+1].lower <= codes[i] {
			j++
		}
		b.which[i] = uint8(j)
	}
	for _, j := range b.which {
		counts[j&(maxBins-1)]++
	}
	most := 0
	for i := range b.bins {
		b.bins[i].count = int(counts[i])
		most = max(most, b.bins[i].count)
	}
	return most < len(codes)
}

// log2s holds log2 of 1 to 1024, and timesLog2s the products with it.
var log2s, timesLog2s = func() (l [1025]uint16, t [1025]int32) {
	for n := 1; n < len(l); n++ {
		x := bitCost * math.Log2(float64(n))
		l[n], t[n] = uint16(math.Round(x)), int32(math.Round(float64(n)*x))
	}
	return l, t
}()

// log2 returns 256 times the binary logarithm of n > 0, within two.
func log2(n int) int {
	if n < len(log2s) {
		return int(log2s[n])
	}
	more := bits.Len(uint(n)) - 10
	return int(log2s[n>>more]) + more*bitCost
}

// timesLog2 returns n·log2(n).
func timesLog2(n int) int {
	if n < len(timesLog2s) {
		return int(timesLog2s[n])
	}
	return n * log2(n)
}
