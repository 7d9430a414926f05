package tsdb

// merger merges late samples into the trees of a slab. It holds the memory for that.
type merger struct {
	*slab
	keys     [maxHeld]uint64 // late samples being sorted
	sorted   [maxHeld]entry
	unpacked [2 * maxBlock]entry // the samples of a regular leaf
	merged   [2 * maxBlock]entry
}

// merging is a merge under way. Each descent of the tree takes all samples that belong into one
// leaf, and never makes more than two of it.
type merging struct {
	*tree
	*merger
	rest     []entry // what is not merged yet
	replaced int
}

// merge stores samples older than the newest of tr, given by strictly ascending time. It returns
// how many of them replaced one.
func (m *merger) merge(tr *tree, samples []entry) (replaced int) {
	mg := merging{tree: tr, merger: m, rest: samples}
	for len(mg.rest) > 0 {
		root, n, right, split := mg.below(tr.root, tr.rootLen(), int(tr.height), maxInt64)
		tr.setRoot(m.slab, root, n, right, split)
	}
	return mg.replaced
}

// below merges the first samples of rest into block r, which has n entries, is level steps above
// the leaves and takes times before end.
func (m *merging) below(r ref, n, level int, end int64) (left ref, leftN int, right entry, split bool) {
	if level == 0 {
		return m.leaf(r, n, end)
	}
	b := m.block(r)[:n]
	i := lastBefore(b, m.rest[0].t)
	if i+1 < n {
		end = b[i+1].t
	}
	first := min(b[i].t, m.rest[0].t)
	c, cn := m.childAt(b, i)
	c, cn, right, split = m.below(c, cn, level-1, end)
	b[i] = child(first, c, cn)
	if split {
		return m.insertChild(r, n, i+1, right)
	}
	return r, n, entry{}, false
}

// leaf merges the first samples of rest into leaf r, which holds n and takes times before end.
func (m *merging) leaf(r ref, n int, end int64) (left ref, leftN int, right entry, split bool) {
	group := m.rest[:min(len(m.rest), len(m.merged)-n)]
	group = group[:search(group, end)]
	m.rest = m.rest[len(group):]
	if m.replace(r, n, group) {
		m.replaced += len(group)
		return r, n, entry{}, false
	}
	old := m.block(r)[:min(n, m.size(r))]
	if m.isRegular(r) {
		old = m.leafRead(r, n, minInt64, maxInt64-1, m.unpacked[:0])
	}
	merged := mergeSamples(m.merged[:0], old, group)
	m.replaced += len(old) + len(group) - len(merged)

	leftN = splitAt(old, merged)
	left = m.rewrite(r, merged[:leftN])
	if split = leftN < len(merged); split {
		upper := m.rawLeaf(merged[leftN:])
		right = child(merged[leftN].t, upper, len(merged)-leftN)
	}
	if r == m.tail {
		m.tail, m.tailN = left, uint8(leftN)
		if split {
			r, n := right.child()
			m.tail, m.tailN = r, uint8(n)
		}
	}
	return left, leftN, right, split
}

// splitAt returns how many of the merged samples of a leaf, which had the old ones, go into the left
// of two leaves: all if one leaf is enough. What comes before or behind the old ones is likely to
// be followed by more there: the other leaf is left full.
func splitAt(old, merged []entry) int {
	n := len(merged)
	switch {
	case n <= maxBlock:
		return n
	case merged[n-len(old)].t == old[0].t:
		return n - maxBlock
	case merged[len(old)-1].t == old[len(old)-1].t:
		return maxBlock
	}
	return n / 2
}

// replace replaces the samples of leaf r at the times of group, if it has them all; if not it does
// nothing and returns false. So a regular leaf remains one when its samples are sent again.
func (m *merging) replace(r ref, n int, group []entry) bool {
	if !m.isRegular(r) {
		return false
	}
	for _, e := range group {
		if _, found := m.leafSearch(r, n, e.t); !found {
			return false
		}
	}
	for _, e := range group {
		i, _ := m.leafSearch(r, n, e.t)
		m.setLeafValue(r, i, e.v)
	}
	return true
}

// mergeSamples appends to dst the samples of old and of recent, both by strictly ascending time;
// where both have one, that of recent. dst must have room for all.
func mergeSamples(dst, old, recent []entry) []entry {
	for len(old) > 0 && len(recent) > 0 {
		o, r := &old[0], &recent[0]
		if o.t < r.t {
			dst = append(dst, *o)
			old = old[1:]
			continue
		}
		if o.t == r.t {
			old = old[1:]
		}
		dst = append(dst, *r)
		recent = recent[1:]
	}
	return append(append(dst, old...), recent...)
}

// rewrite makes a raw leaf of the samples, in the place of leaf r if they fit there.
func (s *slab) rewrite(r ref, samples []entry) ref {
	if s.isRegular(r) || len(samples) > s.size(r) {
		s.release(r)
		return s.rawLeaf(samples)
	}
	copy(s.block(r), samples)
	return r
}

// rawLeaf makes a raw leaf of the samples, in the smallest block that takes them.
func (s *slab) rawLeaf(samples []entry) ref {
	class := 0
	for minBlock<<class < len(samples) {
		class++
	}
	r := s.alloc(class)
	copy(s.block(r), samples)
	return r
}
