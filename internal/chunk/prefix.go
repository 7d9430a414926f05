package chunk

import "math/bits"

// The bins of codes are written as prefixes of 1 to maxPrefix bits, the shorter, the more codes they have. That
// they are short makes a decoder's table small and quick to build; a bin with less than one of 256 codes loses a
// little by it.
const (
	maxPrefix = 8
	slots     = 1 << maxPrefix
)

// prefixes gives the prefixes of bins one after the other, in their order.
type prefixes [maxPrefix + 1]int // the next slot for each length

// reset counts the lengths of the prefixes of all bins, 0 for what has none. It says whether they take all slots.
func (p *prefixes) reset(lengths []uint8) bool {
	var counts prefixes
	for _, n := range lengths {
		counts[n%(maxPrefix+1)]++
	}
	slot := 0
	for n := 1; n <= maxPrefix; n++ {
		p[n] = slot
		slot += counts[n] * (slots >> n)
	}
	return slot == slots
}

// next returns the next prefix, of n bits.
func (p *prefixes) next(n uint8) uint8 {
	slot := p[n]
	p[n] += slots >> n
	return bits.Reverse8(uint8(slot))
}

// setPrefixes gives each bin its prefix, for total codes.
func (b *binner) setPrefixes(total int) {
	b.lengths = b.lengths[:0]
	left := slots
	for i := range b.bins {
		n := uint8(0)
		if count := b.bins[i].count; count > 0 {
			n = uint8(max(1, min(maxPrefix, bits.Len(uint((total-1)/count)))))
			left -= slots >> n
		}
		b.lengths = append(b.lengths, n)
	}
	// Those that were cut to maxPrefix may have taken too much: it is given by those that lose fewest bits.
	for left < 0 {
		i := b.bestLength(func(n uint8, cost, best int) bool { return n < maxPrefix && (best == 0 || cost < best) })
		b.lengths[i]++
		left += slots >> b.lengths[i]
	}
	// What is left over goes to those that win most.
	for left > 0 {
		i := b.bestLength(func(n uint8, gain, best int) bool { return slots>>n <= left && gain > best })
		left -= slots >> b.lengths[i]
		b.lengths[i]--
	}
	var p prefixes
	p.reset(b.lengths)
	for i, n := range b.lengths {
		if n > 0 {
			b.bins[i].prefix, b.bins[i].length = uint64(p.next(n)), uint(n)
		}
	}
}

// bestLength returns the bin whose length is best to change, by how many bits that makes for each slot.
func (b *binner) bestLength(better func(n uint8, bits, best int) bool) int {
	at, best := 0, 0
	for i, n := range b.lengths {
		if bits := b.bins[i].count << n; n > 0 && better(n, bits, best) {
			at, best = i, bits
		}
	}
	return at
}
