package chunk

// Bins are an entropy code for integers that cluster: the range of codes, [0, 2^width), is
// halved again and again where that pays, which gives a binary tree; its leaves are the
// bins. A code is written as the prefix of its bin, which is the shorter, the more codes the bin has, and its
// offset in the bin, in as many bits as the bin is wide. A decoder waits for each code to know where the next
// one begins. Therefore four take turns, each in a lane of its own: their waits overlap.
//
//	byte    0
//	       +-------------+------+--------+--------+--------+--------
//	       | lane sizes  | tree | lane 0 | lane 1 | lane 2 | lane 3
//	       +-------------+------+--------+--------+--------+--------
//	        4 varints     bits   codes 0, codes 1, …
//	                             4, 8, …  5, 9, …
//
//	lane sizes  in bytes
//	tree        in preorder, a node is  1           both halves follow, the lower one first
//	                                    0 0         nothing is here
//	                                    0 1 length  a bin, whose prefix has length + 1 bits (3 bits)
//	            A node of one integer cannot be halved: its first bit is left out.
//	lane        its codes, a prefix and an offset each
//
// The tree and the lanes are bits, filled up with zeros to a byte.
//
// Prefixes are found from their lengths: let a bin with a prefix of n bits have 2^(8-n) of 256 slots, first the bins
// with the shortest prefixes, among these first the lowest bins. Then the prefix is what the first n bits of its first
// slot are as a number of 8 bits, in the order from the highest one; there are no other slots.
const (
	maxBins = 128
	lanes   = 4

	lengthBits = 3
)

// node is a node of the tree.
type node uint8

const (
	nodeHalved node = iota
	nodeLeaf
)
