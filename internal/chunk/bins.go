package chunk

// Bins are an entropy code for integers that cluster: the range of codes, [0, 2^width), is
// halved again and again where that pays, which gives a binary tree; its leaves are the
// bins. A code is written as its bin, in as many bits as the bin is rare (tans.go), and its
// offset in the bin, in as many bits as the bin is wide.
//
//	bit  0     4
//	    +-----+------+--------+---------+-------
//	    | log | tree | states | codes … | zeros
//	    +-----+------+--------+---------+-------
//	                  4·log              to a byte
//
//	log     the weights of all bins make 2^log: 5 to 9
//	tree    in preorder, a node is  1            both halves follow, the lower one first
//	                                0 0          nothing is here
//	                                0 1 weight   a bin; all but the first have their weight
//	        A node of one integer cannot be halved: its first bit is left out.
//	states  of the four decoders that take turns, of log bits each, first the one of code 0
//	codes   the bits that lead its decoder to its next state, but for the last four codes,
//	        then the offset in the bin
//
// Before the bits stands their number of bytes, as a varint.
//
// A weight is 1 at least. Less one and plus 2^golomb, it is a number of golomb+1 bits or more: as
// many ones as it has more, a zero, and its bits below the first one (exponential Golomb code).
const (
	minLog  = 5
	maxLog  = 9
	maxBins = 128
	golomb  = 3
	lanes   = 4

	// minBinned is how many codes at least are worth trying bins on.
	minBinned = 32

	// Bins take two to three times as long to read as a fixed width. They have to make codes
	// smaller than so many 64ths.
	worthwhile = 62
)

// node is a node of the tree.
type node uint8

const (
	nodeHalved node = iota
	nodeEmpty
	nodeBin
)

// bin is an interval of codes, [lower, lower + 2^width).
type bin struct {
	lower  uint64
	width  uint
	count  int
	weight int
}
