package chunk

import (
	"math"
	"math/bits"
)

// binner finds bins and encodes with them. It holds scratch memory only.
type binner struct {
	total    int // codes
	log      int // log2 of that
	scale    int // each code stands for so many
	binCost  int
	tree     []node // in preorder
	bins     []bin
	levels   []*halving
	from, to []uint64

	table   tansEncoder
	steps   []step
	open    []uint
	payload []byte
}

// Costs are in 1/256 bit.
const (
	bitCost    = 256
	binCost    = 7 * bitCost // the mark of a bin and its weight
	emptyCost  = 2 * bitCost
	binnedBits = 60 // log, states, length
)

// cost returns about how many bits scale times as many codes would take, all below 2^width.
func (b *binner) cost(codes []uint64, width uint, scale int) int {
	b.total, b.scale, b.binCost = len(codes), scale, binCost
	b.log = log2(b.total)
	b.from = append(b.from[:0], codes...)
	b.to = append(b.to[:0], codes...)
	return b.halve(b.from, b.to, 0, 0, width)/bitCost + binnedBits
}

// plan makes the tree for append.
func (b *binner) plan() {
	for {
		b.tree, b.bins = b.tree[:0], b.bins[:0]
		b.emit(0, 1, 0)
		if len(b.bins) <= maxBins {
			return
		}
		b.binCost *= 2
		h := b.levels[0]
		b.halve(b.from, b.to, 0, 0, h.width)
	}
}

// maxDepth is how many times a range is halved at once: its codes are counted in 2^maxDepth cells, or
// in fewer if they are few. Cells with many of them are halved on in the same way.
const maxDepth = 8

// halving is a range of codes, halved depth times. It is a binary tree, in which node 1 is the root and
// below node i are 2i and 2i+1. From node 1<<depth on, they are cells.
type halving struct {
	from, to     []uint64
	lower        uint64
	width, depth uint
	count        [2 << maxDepth]int32
	cost         [2 << maxDepth]int32
	start        [1<<maxDepth + 1]int32 // codes below each cell, if grouped
}

// halve finds the best tree for the codes from, which are in [lower, lower + 2^width), and returns its cost. It
// changes their order; to is as long.
func (b *binner) halve(from, to []uint64, level int, lower uint64, width uint) int {
	if level == len(b.levels) {
		b.levels = append(b.levels, new(halving))
	}
	h := b.levels[level]
	h.from, h.to, h.lower, h.width = from, to, lower, width
	h.depth = min(width, maxDepth, uint(max(2, bits.Len(uint(len(from)))-3)))
	cells, width := 1<<h.depth, width-h.depth
	clear(h.count[cells : 2*cells])
	for _, c := range from {
		h.count[(cells+int((c-lower)>>width))&(2<<maxDepth-1)]++
	}
	grouped := false
	for i := range cells {
		n := int(h.count[cells+i])
		h.cost[cells+i] = b.leafCost(n, width)
		if n < max(8, b.total/64) || n*int(width) < 64 {
			continue
		}
		if !grouped {
			h.group(cells, width)
			grouped = true
		}
		j, k := h.start[i], h.start[i+1]
		cost := b.halve(from[j:k], to[j:k], level+1, lower+uint64(i)<<width, width)
		if cost < int(h.cost[cells+i]) {
			h.cost[cells+i] = int32(cost)
		}
	}
	for i := cells - 1; i > 0; i-- {
		if i&(i+1) == 0 {
			width++
		}
		n := h.count[2*i] + h.count[2*i+1]
		h.count[i] = n
		h.cost[i] = b.leafCost(int(n), width)
		if split := bitCost + h.cost[2*i] + h.cost[2*i+1]; n > 0 {
			h.cost[i] = min(h.cost[i], split)
		}
	}
	return int(h.cost[1])
}

// leafCost is the cost of n codes in a range that is not halved.
func (b *binner) leafCost(n int, width uint) int32 {
	if n == 0 {
		return emptyCost
	}
	return int32(b.binCost + b.scale*(n*(int(width)*bitCost+b.log)-timesLog2(n)))
}

// group orders the codes by cells of that width.
func (h *halving) group(cells int, width uint) {
	var at [1 << maxDepth]int32
	sum := int32(0)
	for i, n := range h.count[cells : 2*cells] {
		h.start[i], at[i] = sum, sum
		sum += n
	}
	h.start[cells] = sum
	for _, c := range h.from {
		cell := (c - h.lower) >> width & (1<<maxDepth - 1)
		h.to[at[cell]] = c
		at[cell]++
	}
	copy(h.from, h.to)
}

// emit appends the tree below node i of the halving at a level, which is halved depth times at that node.
func (b *binner) emit(level, i int, depth uint) {
	h := b.levels[level]
	n, width := int(h.count[i]), h.width-depth
	lower := h.lower + uint64(i-1<<depth)<<width
	if n == 0 {
		b.tree = append(b.tree, nodeEmpty)
		return
	}
	leaf := h.cost[i] == b.leafCost(n, width)
	switch {
	case leaf:
		b.tree = append(b.tree, nodeBin)
		b.bins = append(b.bins, bin{lower: lower, width: width, count: n})
	case depth < h.depth:
		b.tree = append(b.tree, nodeHalved)
		b.emit(level, 2*i, depth+1)
		b.emit(level, 2*i+1, depth+1)
	default:
		cell := i - 1<<h.depth
		j, k := h.start[cell], h.start[cell+1]
		b.halve(h.from[j:k], h.to[j:k], level+1, lower, width)
		b.emit(level+1, 1, 0)
	}
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
