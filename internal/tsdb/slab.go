package tsdb

import "slices"

// Slabs hold the samples of the head, and the nodes of the trees over them, in memory
// that the garbage collector never scans: blocks of 16-byte entries in nine sizes, cut
// from pages.
//
//	ref   31                        13 12             0
//	     +----------------------------+----------------+
//	     | page                       | entry in it / 2|    0: no block
//	     +----------------------------+----------------+
//
//	block of size c: 2<<c entries (2, 4, 8, 16, 32, 64, 128; 256 and 512 only for late samples)
//
//	entry 0                 8                 16
//	     +-----------------+-----------------+
//	     | time, ms        | value bits      |    of a raw leaf: a sample (leaf.go)
//	     | first time, ms  | n<<32 | ref     |    of an inner node: a child with n entries
//	     +-----------------+-----------------+
//
// Small blocks come first so that a series with few samples costs little; 128 entries are
// 2 KiB, so that a merge into the middle copies a few of them.
const (
	sizes       = 7  // of leaves and nodes
	classes     = 32 // the size, and the bit regular
	minBlock    = 2
	maxBlock    = minBlock << (sizes - 1)
	pageEntries = 1 << 14 // 256 KiB
	pageShift   = 13
	maxPages    = 1 << (32 - pageShift)
	// lateClass is the size that blocks made for late samples begin with.
	lateClass = 2
	// maxHeld is the number of late samples that a series holds at most: with 4 times as many as fit
	// into a leaf, most of what a merge copies is new.
	maxHeld = 4 * maxBlock
)

// ref names a block.
type ref uint32

// entry is one element of a block.
type entry struct {
	t int64
	v uint64
}

func child(t int64, r ref, n int) entry { return entry{t, uint64(r) | uint64(n)<<32} }

// child returns the block that an entry of an inner node stands for and its length.
func (e entry) child() (r ref, n int) { return ref(e.v), int(e.v >> 32) }

func (r ref) page() uint32 { return uint32(r) >> pageShift }

// slab is the memory that blocks come from. The zero value is ready. The memory of pages whose blocks
// were all released, all but one a class, is kept for others: what a flush gives back is wanted again until the next one, and
// memory that is new costs more than to fill it. Trim gives what was not wanted to the garbage collector.
type slab struct {
	pages  []page
	avail  [classes][]uint32 // pages with blocks to give, the last one first, none twice
	idle   [classes]int      // pages with memory of which no block is handed out: one at most
	empty  []uint32          // pages without memory
	held   int               // pages with memory
	spare  []*[pageEntries]entry
	unused int // the least there was in spare since trim
}

// page is a piece of memory for blocks of one class.
type page struct {
	mem   *[pageEntries]entry
	free  ref // released blocks, linked by the v of their first entries
	class uint16
	used  uint16 // blocks cut from mem so far
	live  uint16 // blocks handed out
}

// at returns entry i of block r.
func (s *slab) at(r ref, i int) *entry {
	return &s.pages[r.page()].mem[(uint32(r)*minBlock+uint32(i))%pageEntries]
}

func (s *slab) class(r ref) int { return int(s.pages[r.page()].class) }

// size returns how many entries fit into block r.
func (s *slab) size(r ref) int { return minBlock << (s.class(r) % regular) }

// block returns the entries of block r, all of them.
func (s *slab) block(r ref) []entry {
	p := &s.pages[r.page()]
	off := uint32(r) * minBlock % pageEntries
	return p.mem[off : off+minBlock<<(p.class%regular)]
}

// alloc returns a block of the class; its content is arbitrary.
func (s *slab) alloc(class int) ref {
	if len(s.avail[class]) == 0 {
		s.newPage(class)
	}
	avail := &s.avail[class]
	number := (*avail)[len(*avail)-1]
	p := &s.pages[number]
	r := p.free
	if r != 0 {
		p.free = ref(s.at(r, 0).v)
	} else {
		r = ref(number<<pageShift | uint32(p.used)<<(class%regular))
		p.used++
	}
	if p.live == 0 {
		s.idle[class]--
	}
	p.live++
	if p.full() {
		*avail = (*avail)[:len(*avail)-1]
	}
	return r
}

// full says whether all blocks of the page are handed out.
func (p *page) full() bool {
	return p.free == 0 && p.used == pageEntries/minBlock>>(p.class%regular)
}

// newPage makes a page of the class and puts it on top of its list.
func (s *slab) newPage(class int) {
	n := len(s.empty) - 1
	if n < 0 {
		s.empty = append(s.empty, uint32(len(s.pages)))
		s.pages = append(s.pages, page{})
		n = 0
	}
	number := s.empty[n]
	s.empty = s.empty[:n]
	s.pages[number] = page{mem: s.memory(), class: uint16(class)}
	if number == 0 {
		s.pages[0].used = 1 // the first block's ref would be 0
	}
	s.held++
	s.idle[class]++
	s.avail[class] = append(s.avail[class], number)
}

// memory returns memory for a page, with arbitrary content.
func (s *slab) memory() *[pageEntries]entry {
	n := len(s.spare) - 1
	if n < 0 {
		return new([pageEntries]entry)
	}
	m := s.spare[n]
	s.spare[n] = nil
	s.spare = s.spare[:n]
	s.unused = min(s.unused, n)
	return m
}

// trim lets go of the spare memory that was not needed since the last trim.
func (s *slab) trim() {
	kept := len(s.spare) - s.unused
	clear(s.spare[kept:])
	s.spare = s.spare[:kept]
	s.unused = kept
}

// release gives block r back.
func (s *slab) release(r ref) {
	number := r.page()
	p := &s.pages[number]
	if p.full() {
		s.avail[p.class] = append(s.avail[p.class], number)
	}
	s.at(r, 0).v = uint64(p.free)
	p.free = r
	p.live--
	if p.live > 0 {
		return
	}
	s.idle[p.class]++
	if s.idle[p.class] > 1 {
		s.idle[p.class]--
		avail := &s.avail[p.class]
		*avail = slices.DeleteFunc(*avail, func(n uint32) bool { return n == number })
		s.spare = append(s.spare, p.mem)
		*p = page{}
		s.empty = append(s.empty, number)
		s.held--
	}
}

// insertChild puts e before entry i of the inner node r, which holds n entries. The block may move.
// If it was full there are two afterwards: the left one is returned as r and n, the right one as an
// entry for their parent.
func (s *slab) insertChild(r ref, n, i int, e entry) (left ref, leftN int, right entry, split bool) {
	switch {
	case n < s.size(r):
	case n < maxBlock:
		old := r
		r = s.alloc(s.class(old) + 1)
		copy(s.block(r), s.block(old)[:n])
		s.release(old)
	case i == n: // ascending insertions fill blocks whole
		more := s.alloc(lateClass)
		*s.at(more, 0) = e
		return r, n, child(e.t, more, 1), true
	default:
		return s.splitNode(r, n, i, e)
	}
	b := s.block(r)[:n+1]
	copy(b[i+1:], b[i:])
	b[i] = e
	return r, n + 1, entry{}, false
}

// splitNode inserts e into the full node r of n entries by moving the upper half of it to a new block.
func (s *slab) splitNode(r ref, n, i int, e entry) (left ref, leftN int, right entry, split bool) {
	half := n / 2
	upper := s.alloc(s.class(r))
	copy(s.block(upper), s.block(r)[half:n])
	leftN, rightN := half, n-half
	if i <= half {
		_, leftN, _, _ = s.insertChild(r, leftN, i, e)
	} else {
		_, rightN, _, _ = s.insertChild(upper, rightN, i-half, e)
	}
	return r, leftN, child(s.at(upper, 0).t, upper, rightN), true
}
