package tsdb

// tree holds the samples of one series by time: a B+-tree whose nodes are blocks of a slab.
// Samples that come in order are appended to the last leaf in O(1); late ones are merged into it
// many at once (late.go, merge.go), in O(log n) each at most. A series that grows in order has one leaf at first, which is made
// anew in twice the size until it has 16 entries; then leaves of 32, 64, 128, 128, … entries follow. The zero value is an empty tree.
//
//	height 0            height 1
//
//	root = tail         root [first,n | first,n | first,-]
//	[t v|t v|…]               |         |         |
//	                        [leaf]    [leaf]    [tail]
//
// The length of the tail is kept in tailN only, that of every other block in its parent
// (of the root in rootN, unless it is the tail).
type tree struct {
	last   int64  // time of the newest sample; without meaning if root is 0
	step   uint32 // between the samples of the tail, in ms, if that is a regular leaf
	root   ref
	tail   ref
	rootN  uint8
	tailN  uint8
	height uint8
}

// append stores a sample newer than all others where there is room for it, which is nearly
// always. Otherwise it does nothing and returns false.
func (tr *tree) append(s *slab, t int64, v uint64) bool {
	if t <= tr.last || tr.root == 0 {
		return false
	}
	p := &s.pages[tr.tail.page()]
	n, size := uint32(tr.tailN), uint32(minBlock)<<(p.class%regular)
	if p.class < regular {
		if n == size {
			return false
		}
		p.mem[(uint32(tr.tail)*minBlock+n)%pageEntries] = entry{t, v}
	} else {
		if n == 2*size-2 || uint64(t)-uint64(tr.last) != uint64(tr.step) {
			return false
		}
		e := &p.mem[(uint32(tr.tail)*minBlock+1+n/2)%pageEntries]
		if n%2 == 0 {
			e.t = int64(v)
		} else {
			e.v = v
		}
	}
	tr.tailN++
	tr.last = t
	return true
}

// put stores a sample that is not older than the newest one and says whether it replaced that.
func (tr *tree) put(s *slab, t int64, v uint64) (replaced bool) {
	switch {
	case tr.append(s, t, v):
		return false
	case tr.root == 0:
		tr.root = s.alloc(0)
		tr.tail = tr.root
	case t == tr.last:
		s.setLeafValue(tr.tail, int(tr.tailN)-1, v)
		return true
	case tr.height == 0 && tr.tailN < smallRun:
		tr.grow(s, t, v)
		return false
	default:
		tr.newTail(s, t)
	}
	if s.isRegular(tr.tail) {
		*s.at(tr.tail, 0) = entry{t, uint64(tr.step)}
		s.setLeafValue(tr.tail, 0, v)
	} else {
		*s.at(tr.tail, 0) = entry{t, v}
	}
	tr.tailN = 1
	tr.last = t
	return false
}

// smallRun is how many samples are kept in one leaf, which is made anew when it is full: a node above it would take a third of
// their memory. 14 regular samples fill one leaf.
const smallRun = 15

// grow adds a sample newer than all others to a tree of one small leaf.
func (tr *tree) grow(s *slab, t int64, v uint64) {
	var buf [smallRun]entry
	samples := append(s.leafRead(tr.tail, int(tr.tailN), minInt64, maxInt64-1, buf[:0]), entry{t, v})
	s.release(tr.tail)
	tr.tail, tr.step = s.smallLeaf(samples)
	tr.root = tr.tail
	tr.tailN++
	tr.last = t
}

// newTail adds an empty leaf behind the tail, for samples from t on.
func (tr *tree) newTail(s *slab, t int64) {
	leaf := s.alloc(tr.nextClass(s, t))
	if tr.height == 0 {
		tr.newRoot(s, child(s.at(tr.tail, 0).t, tr.tail, int(tr.tailN)), child(t, leaf, 0))
	} else {
		root, n, right, split := tr.pushLeaf(s, tr.root, int(tr.rootN), int(tr.height), child(t, leaf, 0))
		tr.setRoot(s, root, n, right, split)
	}
	tr.tail, tr.tailN = leaf, 0
}

// nextClass returns the class of the leaf that follows the tail, for samples from t on, and
// sets step. A regular leaf follows when the last steps were the same. A tail that is left
// with room, because a step differs, is followed by a small leaf: so however often
// that happens, about half of the memory holds samples.
func (tr *tree) nextClass(s *slab, t int64) int {
	n := int(tr.tailN)
	if n < s.leafRoom(tr.tail) {
		return lateClass
	}
	size := min(s.class(tr.tail)%regular+1, sizes-1)
	step := uint64(t) - uint64(tr.last)
	if size < regularSize || step > maxStep {
		return size
	}
	for i := n - 1; i >= n-3; i-- {
		if uint64(s.leafTime(tr.tail, i))-uint64(s.leafTime(tr.tail, i-1)) != step {
			return size
		}
	}
	tr.step = uint32(step)
	return size | regular
}

// pushLeaf adds a leaf as the last one below the inner node r of n entries.
func (tr *tree) pushLeaf(s *slab, r ref, n, level int, leaf entry) (left ref, leftN int, right entry, split bool) {
	last := s.at(r, n-1)
	if level == 1 {
		last.v = child(0, tr.tail, int(tr.tailN)).v
		return s.insertChild(r, n, n, leaf)
	}
	c, cn := last.child()
	c, cn, right, split = tr.pushLeaf(s, c, cn, level-1, leaf)
	last.v = child(0, c, cn).v
	if split {
		return s.insertChild(r, n, n, right)
	}
	return r, n, entry{}, false
}

// rootLen returns the number of entries of the root.
func (tr *tree) rootLen() int {
	if tr.height == 0 {
		return int(tr.tailN)
	}
	return int(tr.rootN)
}

// setRoot makes r the root, and if it was split a new root above it and its sibling.
func (tr *tree) setRoot(s *slab, r ref, n int, right entry, split bool) {
	tr.root, tr.rootN = r, uint8(n)
	if split {
		tr.newRoot(s, child(s.at(r, 0).t, r, n), right)
	}
}

func (tr *tree) newRoot(s *slab, left, right entry) {
	tr.root = s.alloc(0)
	b := s.block(tr.root)
	b[0], b[1] = left, right
	tr.rootN = 2
	tr.height++
}

// childAt returns child i of an inner node with the entries b.
func (tr *tree) childAt(b []entry, i int) (r ref, n int) {
	r, n = b[i].child()
	if r == tr.tail {
		n = int(tr.tailN)
	}
	return r, n
}

// search returns the index of the first entry of b at or after t, len(b) if there is none.
func search(b []entry, t int64) int {
	lo, hi := 0, len(b)
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); b[mid].t < t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// lastBefore returns the index of the last entry of b that begins at or before t, 0 if
// there is none.
func lastBefore(b []entry, t int64) int {
	i := search(b, t)
	if i == len(b) || b[i].t > t {
		i--
	}
	return max(i, 0)
}

// read appends the samples of [mint, maxt] to dst, by ascending time, until there are no
// more or dst is at its capacity.
func (tr *tree) read(s *slab, mint, maxt int64, dst []entry) []entry {
	if tr.root == 0 {
		return dst
	}
	return tr.readBelow(s, tr.root, tr.rootLen(), int(tr.height), mint, maxt, dst)
}

func (tr *tree) readBelow(s *slab, r ref, n, level int, mint, maxt int64, dst []entry) []entry {
	if level == 0 {
		return s.leafRead(r, n, mint, maxt, dst)
	}
	b := s.block(r)[:n]
	for i := lastBefore(b, mint); i < n && b[i].t <= maxt && len(dst) < cap(dst); i++ {
		c, cn := tr.childAt(b, i)
		dst = tr.readBelow(s, c, cn, level-1, mint, maxt, dst)
	}
	return dst
}

// within says whether there is a sample in [mint, maxt].
func (tr *tree) within(s *slab, mint, maxt int64) bool {
	if tr.root == 0 || tr.last <= maxt { // the newest sample tells
		return tr.root != 0 && mint <= tr.last
	}
	var one [1]entry
	return len(tr.read(s, mint, maxt, one[:0])) > 0
}

// drop gives all blocks back and returns how many samples were in them.
func (tr *tree) drop(s *slab) (samples int) {
	if tr.root != 0 {
		samples = tr.dropBelow(s, tr.root, tr.rootLen(), int(tr.height))
	}
	*tr = tree{}
	return samples
}

func (tr *tree) dropBelow(s *slab, r ref, n, level int) (samples int) {
	if level == 0 {
		samples = n
	} else {
		b := s.block(r)[:n]
		for i := range b {
			c, cn := tr.childAt(b, i)
			samples += tr.dropBelow(s, c, cn, level-1)
		}
	}
	s.release(r)
	return samples
}

// cut removes the samples of [mint, maxt] by copying the others into a new tree. It
// returns how many were removed.
func (tr *tree) cut(s *slab, mint, maxt int64) (removed int) {
	var rest tree
	buf := make([]entry, 0, 4*maxBlock)
	kept := 0
	keep := func(mint, maxt int64) {
		for mint <= maxt {
			buf = tr.read(s, mint, maxt, buf[:0])
			for _, e := range buf {
				rest.put(s, e.t, e.v)
			}
			kept += len(buf)
			if len(buf) < cap(buf) {
				return
			}
			mint = buf[len(buf)-1].t + 1
		}
	}
	keep(minInt64, mint-1)
	keep(maxt+1, maxInt64-1)
	removed = tr.drop(s) - kept
	*tr = rest
	return removed
}

const (
	minInt64 = -1 << 63
	maxInt64 = 1<<63 - 1
)
