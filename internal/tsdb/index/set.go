package index

import (
	"math/bits"
	"slices"
	"sort"
)

// set is a set of places: a list, a bitmap, or all below a number. It is walked upwards only. It stays as it is while the index
// grows: to a list it was made of only what is behind its length is added.
type set struct {
	list []uint32 // ascending; those before the one at hand are cut off
	bits []uint64
	all  bool
	n    uint32 // how many there are
}

// sparse is how many places there are for each of a list, at least: a list takes 32 bits for one, a bitmap 1 for each place,
// and need not be sorted.
const sparse = 64

// seek returns the first place at or behind from.
func (s *set) seek(from uint32) (uint32, bool) {
	switch {
	case s.all:
		return from, from < s.n
	case s.bits != nil:
		return seekBits(s.bits, from)
	}
	list := s.list
	if len(list) > 0 && list[0] < from {
		// Steps that double, then halves of the last one: near places cost little, far ones a logarithm.
		step := 1
		for step < len(list) && list[step] < from {
			step *= 2
		}
		lo, hi := step/2, min(step, len(list))
		list = list[lo+sort.Search(hi-lo, func(i int) bool { return list[lo+i] >= from }):]
		s.list = list
	}
	if len(list) == 0 {
		return 0, false
	}
	return list[0], true
}

func seekBits(words []uint64, from uint32) (uint32, bool) {
	i := int(from / 64)
	if i >= len(words) {
		return 0, false
	}
	word := words[i] &^ (1<<(from%64) - 1)
	for word == 0 {
		if i++; i == len(words) {
			return 0, false
		}
		word = words[i]
	}
	return uint32(i*64 + bits.TrailingZeros64(word)), true
}

// has says whether a place is in the set. Places must ascend from call to call.
func (s *set) has(place uint32) bool {
	if s.bits != nil {
		return hasBit(s.bits, place)
	}
	p, ok := s.seek(place)
	return ok && p == place
}

func hasBit(words []uint64, place uint32) bool {
	i := int(place / 64)
	return i < len(words) && words[i]&(1<<(place%64)) != 0
}

// combine returns the places that are in all of sets and in none of without, as a bitmap. For large sets that takes a nanosecond
// a place, less than to walk over them in step.
func combine(places int, sets, without []set) set {
	words := make([]uint64, (places+63)/64)
	other := make([]uint64, len(words))
	sets[0].fill(words)
	for _, s := range sets[1:] {
		for i, w := range s.words(other) {
			words[i] &= w
		}
	}
	for _, s := range without {
		for i, w := range s.words(other) {
			words[i] &^= w
		}
	}
	return set{bits: words, n: sets[0].n}
}

// words returns the set as a bitmap, which may be made in memory.
func (s *set) words(memory []uint64) []uint64 {
	if s.bits != nil {
		return s.bits
	}
	clear(memory)
	s.fill(memory)
	return memory
}

// fill adds the set to a bitmap.
func (s *set) fill(words []uint64) {
	for _, p := range s.list {
		words[p/64] |= 1 << (p % 64)
	}
	for i, w := range s.bits {
		words[i] |= w
	}
	if s.all {
		for i := range words {
			words[i] = ^uint64(0)
		}
		if n := s.n % 64; n > 0 {
			words[len(words)-1] = 1<<n - 1
		}
	}
}

// placesLocked returns the places of the series with a value, ascending. One alone is good until the lock is released.
func (x *Index) placesLocked(l *label, value uint32) []uint32 {
	if p := l.places[value]; p&many != 0 {
		list := x.mu.lists[p&^many]
		return list[:len(list):len(list)]
	}
	return l.places[value : value+1 : value+1]
}

// countLocked returns how many series have one of these values.
func (x *Index) countLocked(l *label, values []uint32) (n int) {
	for _, v := range values {
		n += len(x.placesLocked(l, v))
	}
	return n
}

// unionLocked returns the places of the series with one of these values of a label.
func (x *Index) unionLocked(l *label, values []uint32) set {
	if len(values) == 1 {
		list := x.placesLocked(l, values[0])
		if len(list) == 1 {
			list = slices.Clone(list) // it is in the label, and may become the number of a list
		}
		return set{list: list, n: uint32(len(list))}
	}
	n := x.countLocked(l, values)
	s := set{n: uint32(n)}
	if n <= len(x.mu.refs)/sparse {
		s.list = make([]uint32, 0, n)
		for _, v := range values {
			s.list = append(s.list, x.placesLocked(l, v)...)
		}
		slices.Sort(s.list)
		return s
	}
	s.bits = make([]uint64, (len(x.mu.refs)+63)/64)
	for _, v := range values {
		part := set{list: x.placesLocked(l, v)}
		part.fill(s.bits)
	}
	return s
}
