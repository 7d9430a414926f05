package chunk

import "encoding/binary"

// append appends codes, all below 2^width, in the bins that count counted, as drawn above.
func (b *binner) append(dst []byte, codes []uint64, width uint) []byte {
	b.setPrefixes(len(codes))
	b.lanes = b.lanes[:0]
	for lane := range lanes {
		from := len(b.lanes)
		w := bitWriter{dst: b.lanes}
		for i := lane; i < len(codes); i += lanes {
			bin := &b.bins[b.which[i]]
			offset := codes[i] - bin.lower
			if bin.length+bin.width > 64 {
				w.write(bin.prefix, bin.length)
				w.write(offset, bin.width)
				continue
			}
			w.write(bin.prefix|offset<<(bin.length&63), bin.length+bin.width)
		}
		b.lanes = w.flush()
		dst = binary.AppendUvarint(dst, uint64(len(b.lanes)-from))
	}
	return append(b.appendTree(dst, width), b.lanes...)
}

// appendTree appends the tree of codes below 2^width.
func (b *binner) appendTree(dst []byte, width uint) []byte {
	w := bitWriter{dst: dst}
	lengths := b.lengths
	open := append(b.open[:0], width) // widths of the nodes that are still to come, the next one last
	for _, n := range b.tree {
		last := len(open) - 1
		width, open = open[last], open[:last]
		if n == nodeHalved {
			w.write(1, 1)
			open = append(open, width-1, width-1)
			continue
		}
		if width > 0 {
			w.write(0, 1)
		}
		if length := lengths[0]; length == 0 {
			w.write(0, 1)
		} else {
			w.write(1|uint64(length-1)<<1, 1+lengthBits)
		}
		lengths = lengths[1:]
	}
	b.open = open
	return w.flush()
}
