package tsdb

// Leaves: the blocks that hold samples of one series, by ascending time, in one of two kinds. The
// kind is that of the page. A raw leaf holds any samples. A regular one holds samples
// at equal steps, as agents send them, in half the memory: its first entry tells the times.
//
//	raw        0         16        32
//	           | t0 | v0 | t1 | v1 | t2 | v2 | …        2<<c samples
//
//	regular    0           16        32
//	           | t0 | step | v0 | v1 | v2 | v3 | …      2·(2<<c)-2 samples, sample i at t0 + i·step
//
// Only the last leaf of a series grows regularly. A late sample that does not fit the steps makes
// raw leaves of a regular one.
const (
	// regular is the bit of a page's class that tells the kind.
	regular = 1 << 4
	// regularSize is the least size of regular leaves behind others.
	regularSize = 3
	// maxStep bounds the steps of regular leaves, in ms (49 days): tree.step has 32 bits.
	maxStep = 1<<32 - 1
)

// isRegular says which kind of leaf r is.
func (s *slab) isRegular(r ref) bool { return s.class(r)&regular != 0 }

// leafRoom returns how many samples fit into leaf r.
func (s *slab) leafRoom(r ref) int {
	if s.isRegular(r) {
		return 2*s.size(r) - 2
	}
	return s.size(r)
}

// leafTime returns the time of sample i of leaf r.
func (s *slab) leafTime(r ref, i int) int64 {
	if s.isRegular(r) {
		head := s.at(r, 0)
		return head.t + int64(head.v)*int64(i)
	}
	return s.at(r, i).t
}

// setLeafValue replaces the value of sample i of leaf r.
func (s *slab) setLeafValue(r ref, i int, v uint64) {
	switch {
	case !s.isRegular(r):
		s.at(r, i).v = v
	case i%2 == 0:
		s.at(r, 1+i/2).t = int64(v)
	default:
		s.at(r, 1+i/2).v = v
	}
}

// leafSearch returns the index of the first of the n samples of leaf r that is at or after t, and
// whether it is at t.
func (s *slab) leafSearch(r ref, n int, t int64) (i int, found bool) {
	if !s.isRegular(r) {
		b := s.block(r)[:n]
		i = search(b, t)
		return i, i < n && b[i].t == t
	}
	head := s.at(r, 0)
	if t <= head.t {
		return 0, t == head.t
	}
	past := uint64(t) - uint64(head.t) // the difference of two int64 may not be one
	i = int(min((past+head.v-1)/head.v, uint64(n)))
	return i, i < n && uint64(i)*head.v == past
}

// leafRead appends the samples of leaf r in [mint, maxt] to dst until it is at its capacity.
func (s *slab) leafRead(r ref, n int, mint, maxt int64, dst []entry) []entry {
	i, _ := s.leafSearch(r, n, mint)
	end, _ := s.leafSearch(r, n, maxt+1)
	end = min(end, i+cap(dst)-len(dst))
	if i >= end {
		return dst
	}
	b := s.block(r)
	if !s.isRegular(r) {
		return append(dst, b[i:end]...)
	}
	t, step := b[0].t+int64(i)*int64(b[0].v), int64(b[0].v)
	for ; i < end; i++ {
		e := &b[1+i/2]
		v := e.v
		if i%2 == 0 {
			v = uint64(e.t)
		}
		dst = append(dst, entry{t, v})
		t += step
	}
	return dst
}

// smallLeaf makes a leaf of the samples, two or more, in as little memory as it can, and returns the step if it is a regular one.
func (s *slab) smallLeaf(samples []entry) (leaf ref, step uint32) {
	d := uint64(samples[1].t) - uint64(samples[0].t)
	for i := range samples[1:] {
		if uint64(samples[i+1].t)-uint64(samples[i].t) != d {
			d = 0
		}
	}
	if d == 0 || d > maxStep || len(samples) == 2 {
		return s.rawLeaf(samples), 0
	}
	class := 1
	for 2*(minBlock<<class)-2 < len(samples) {
		class++
	}
	leaf = s.alloc(class | regular)
	*s.at(leaf, 0) = entry{samples[0].t, d}
	for i, e := range samples {
		s.setLeafValue(leaf, i, e.v)
	}
	return leaf, uint32(d)
}
