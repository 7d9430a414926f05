package chunk

import (
	"errors"
)

// binReader reads codes in bins.
type binReader struct {
	src   []byte // the lanes
	lanes [lanes]lane
	most  uint      // bits of a code, with its prefix
	table *binTable // made when it is needed first
}

// lane is where a lane is, that of the next code first, in bits.
type lane struct{ at, end uint }

// binTable is what tells codes from their first 8 bits.
type binTable struct {
	entries [slots]entry
	n       int // bins
	bins    [maxBins]interval
	widths  [maxBins]uint8
	lengths [maxBins]uint8
}

// entry is the code that begins with certain 8 bits:
//
//	bits 0-7    how long its prefix is
//	bits 8-15   how long it is with its offset
//	bits 16-23  the bin
type entry uint32

func (e entry) length() uint { return uint(e & 63) }
func (e entry) all() uint    { return uint(e >> 8 & 127) }
func (e entry) bin() uint    { return uint(e >> 16 & (maxBins - 1)) }

// interval is a bin to a decoder.
type interval struct {
	lower uint64
	mask  uint64 // of an offset
}

var (
	errBins  = errors.New("the tree of bins is damaged")
	errLanes = errors.New("the codes take other than their number of bytes")
)

// reset begins to read codes, all below 2^width, at b.
func (r *binReader) reset(b *byteReader, width uint) {
	var sizes [lanes]uint64
	for i := range sizes {
		sizes[i] = b.uvarint()
	}
	if b.err != nil {
		return
	}
	if r.table == nil {
		r.table = new(binTable)
	}
	t := treeReader{src: b.src[b.at:], table: r.table}
	r.table.n = 0
	t.read(0, width)
	b.bytes(uint64(t.at+7) / 8)
	if t.tooMany && b.err == nil {
		b.err = errBins
	}
	if b.err == nil {
		r.most, b.err = r.table.build()
	}
	from := b.at
	for i, n := range sizes {
		at := uint(b.at-from) * 8
		b.bytes(n)
		r.lanes[i] = lane{at, uint(b.at-from) * 8}
	}
	r.src = b.src[from:b.at]
}

// treeReader reads a tree of bins.
type treeReader struct {
	src     []byte
	at      uint
	table   *binTable
	tooMany bool // bins
}

// read reads the node whose lowest code is lower. It ends for any src, since zeros
// are behind its end, which are no halved nodes.
func (t *treeReader) read(lower uint64, width uint) {
	mark := wordAt(t.src, t.at)
	if width > 0 {
		t.at++
		if mark&1 == 1 {
			t.read(lower, width-1)
			t.read(lower+1<<(width-1), width-1)
			return
		}
		mark >>= 1
	}
	t.at++
	if mark&1 == 0 {
		return
	}
	n := t.table.n
	if n == maxBins {
		t.tooMany = true
		return
	}
	t.table.bins[n] = interval{lower, 1<<width - 1}
	t.table.widths[n] = uint8(width)
	t.table.lengths[n] = uint8(mark>>1&(1<<lengthBits-1)) + 1
	t.at += lengthBits
	t.table.n++
}

// build makes the entries and returns how many bits a code has at most.
func (t *binTable) build() (most uint, err error) {
	var p prefixes
	if !p.reset(t.lengths[:t.n]) {
		return 0, errBins
	}
	for i, length := range t.lengths[:t.n] {
		all := uint(t.widths[i]) + uint(length)
		most = max(most, all)
		e := entry(i<<16) | entry(all<<8) | entry(length)
		step := 1 << length
		for slot := int(p.next(length)); slot < slots; slot += step {
			t.entries[slot] = e
		}
	}
	return most, nil
}

// read sets dst to the next codes; there must be as many.
func (r *binReader) read(dst []int64) {
	if r.most <= wordBits {
		dst = r.readFour(dst)
	}
	t := r.table
	for i := range dst {
		next := r.lanes[0]
		e := t.entries[wordAt(r.src, next.at)&(slots-1)]
		b := &t.bins[e.bin()]
		dst[i] = int64(b.lower + bitsAt(r.src, next.at+e.length(), e.all()-e.length()))
		next.at += e.all()
		copy(r.lanes[:], r.lanes[1:])
		r.lanes[lanes-1] = next
	}
}

// readFour reads four codes at a time, which have wordBits at most, and returns those of dst that are left.
func (r *binReader) readFour(dst []int64) []int64 {
	t, src := r.table, r.src
	at0, at1, at2, at3 := r.lanes[0].at, r.lanes[1].at, r.lanes[2].at, r.lanes[3].at
	for ; len(dst) >= lanes; dst = dst[lanes:] {
		d := (*[lanes]int64)(dst)
		word := wordAt(src, at0)
		e := t.entries[word&(slots-1)]
		at0 += e.all()
		d[0] = t.code(e, word)
		word = wordAt(src, at1)
		e = t.entries[word&(slots-1)]
		at1 += e.all()
		d[1] = t.code(e, word)
		word = wordAt(src, at2)
		e = t.entries[word&(slots-1)]
		at2 += e.all()
		d[2] = t.code(e, word)
		word = wordAt(src, at3)
		e = t.entries[word&(slots-1)]
		at3 += e.all()
		d[3] = t.code(e, word)
	}
	r.lanes[0].at, r.lanes[1].at, r.lanes[2].at, r.lanes[3].at = at0, at1, at2, at3
	return dst
}

// code returns the code of entry e, at whose bits word begins.
func (t *binTable) code(e entry, word uint64) int64 {
	b := &t.bins[e.bin()]
	return int64(b.lower + word>>e.length()&b.mask)
}

// ended says whether every lane is read to its end.
func (r *binReader) ended() bool {
	for _, l := range r.lanes {
		if l.at > l.end || l.at+8 <= l.end {
			return false
		}
	}
	return true
}
