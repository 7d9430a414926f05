package chunk

import (
	"math"
	"math/bits"
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
		if xs[low+half-1] < x {
			low += half
		}
		n -= half
	}
	if xs[low] < x {
		low++
	}
	return low
}

// count finds which bin each of the codes has, all below 2^width, and counts them. It says whether bins can code them:
// there must be two at least.
func (b *binner) count(codes []uint64, width uint) bool {
	for i := range b.bins {
		b.bins[i].count = 0
	}
	shift := topShift(width)
	tops := b.tops(shift)
	b.which = b.which[:0]
	for _, c := range codes {
		j := int(tops[c>>(shift&63)&255])
		for j+1 < len(b.bins) && b.bins[j+1].lower <= c {
			j++
		}
		b.bins[j].count++
		b.which = append(b.which, uint8(j))
	}
	most := 0
	for i := range b.bins {
		most = max(most, b.bins[i].count)
	}
	return most < len(codes)
}

// topShift is by how much codes below 2^width are shifted so that 8 bits are left.
func topShift(width uint) uint { return max(width, 8) - 8 }

// tops returns, for each number that the highest 8 bits of a code may be, the bin of the lowest such code, or one below
// it.
func (b *binner) tops(shift uint) (t [256]uint8) {
	bin := 0
	for top := range t {
		for bin+1 < len(b.bins) && b.bins[bin+1].lower <= uint64(top)<<shift {
			bin++
		}
		t[top] = uint8(bin)
	}
	return t
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
