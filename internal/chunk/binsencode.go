package chunk

import (
	"encoding/binary"
	"math/bits"
)

// append appends what plan found for codes, all below 2^width, as drawn above, with its length.
func (b *binner) append(dst []byte, codes []uint64, width uint) []byte {
	log := weighBest(b.bins, b.total)
	b.table.build(b.bins, log)
	w := bitWriter{dst: b.payload[:0]}
	w.write(uint64(log), 4)
	b.appendTree(&w, width)
	states := b.encode(codes, width, log)
	for _, s := range states {
		w.write(uint64(s), log)
	}
	for i, c := range codes {
		step := b.steps[i]
		bin := &b.bins[step.bin]
		w.write(uint64(step.value), uint(step.bits))
		w.write(c-bin.lower, bin.width)
	}
	b.payload = w.flush()
	dst = binary.AppendUvarint(dst, uint64(len(b.payload)))
	return append(dst, b.payload...)
}

// appendTree writes the tree of codes below 2^width.
func (b *binner) appendTree(w *bitWriter, width uint) {
	bin := 0
	var open []uint // widths of the nodes that are still to come, the next one last
	open = append(b.open[:0], width)
	for _, n := range b.tree {
		last := len(open) - 1
		width, open = open[last], open[:last]
		switch n {
		case nodeHalved:
			w.write(1, 1)
			open = append(open, width-1, width-1)
			continue
		case nodeEmpty:
			w.write(0, markBits(width))
			continue
		}
		w.write(1<<(markBits(width)-1), markBits(width))
		if bin > 0 {
			writeWeight(w, b.bins[bin].weight)
		}
		bin++
	}
	b.open = open
}

// markBits is how many bits tell an empty node or a bin of that width.
func markBits(width uint) uint {
	if width == 0 {
		return 1
	}
	return 2
}

func writeWeight(w *bitWriter, weight int) {
	v := uint64(weight - 1 + 1<<golomb)
	more := uint(bits.Len64(v)) - 1 - golomb
	w.write(1<<more-1, more+1)
	w.write(v&(1<<(more+golomb)-1), more+golomb)
}

// step is what is written of a code before its offset.
type step struct {
	value uint16
	bits  uint8
	bin   uint8
}

// encode sets steps, from the last code to the first, and returns the states in which the
// decoders begin. The last code of each lane needs no next state: it has no bits.
func (b *binner) encode(codes []uint64, width, log uint) (states [lanes]uint32) {
	shift := uint(0)
	if width > 8 {
		shift = width - 8
	}
	var tops [256]uint8 // the bin of the lowest code with these top bits, or one below it
	bin := 0
	for top := range tops {
		for bin+1 < len(b.bins) && b.bins[bin+1].lower <= uint64(top)<<shift {
			bin++
		}
		tops[top] = uint8(bin)
	}
	if cap(b.steps) < len(codes) {
		b.steps = make([]step, len(codes))
	}
	b.steps = b.steps[:len(codes)]
	table := &b.table
	for i := len(codes) - 1; i >= 0; i-- {
		c := codes[i]
		bin := int(tops[c>>shift&255])
		for bin+1 < len(b.bins) && b.bins[bin+1].lower <= c {
			bin++
		}
		t := &table.bins[bin&(maxBins-1)]
		state := states[i%lanes]
		if i+lanes >= len(codes) {
			states[i%lanes] = uint32(table.next[t.first+int32(b.bins[bin].weight)])
			b.steps[i] = step{bin: uint8(bin)}
			continue
		}
		n := (state + t.bits) >> 16
		b.steps[i] = step{uint16(state & (1<<n - 1)), uint8(n), uint8(bin)}
		states[i%lanes] = uint32(table.next[int32(state>>n)+t.first])
	}
	for i := range states {
		states[i] -= 1 << log
	}
	return states
}
