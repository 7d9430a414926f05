package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// narrowBits is how many bits a code has at most for the first two of four codes to end within the
// word that begins up to 7 bits before them, and the others to begin in its last byte or before.
const narrowBits = 28

// binReader reads codes in bins.
type binReader struct {
	states [lanes]uint64 // of the next codes
	most   uint          // bits of a code, with its number
	table  *decodeTable  // made when it is needed first
}

var errBins = errors.New("the tree of bins is damaged")

// begin reads the tree and the states from b and returns where the codes begin. All of
// them are below 2^width.
func (r *binReader) begin(b []byte, width uint) (at uint, err error) {
	log := uint(bitsAt(b, 0, 4))
	if log < minLog || log > maxLog {
		return 0, fmt.Errorf("bins have 2^%d states, want 2^%d to 2^%d", log, minLog, maxLog)
	}
	if r.table == nil {
		r.table = new(decodeTable)
	}
	t := treeReader{src: b, at: 4, left: 1 << log, table: r.table}
	t.read(0, width)
	if t.n == 0 || t.left < 1 {
		return 0, errBins
	}
	r.table.weights[0] = uint16(t.left)
	r.most = r.table.build(t.n, log)
	for i := range r.states {
		r.states[i] = bitsAt(b, t.at, log)
		t.at += log
	}
	return t.at, nil
}

// treeReader reads a tree of bins.
type treeReader struct {
	src   []byte
	at    uint
	left  int // of the sum of weights, what no bin had yet; negative if the tree is damaged
	n     int // bins
	table *decodeTable
}

// read reads the node whose lowest code is lower. It ends for any src, since zeros
// are behind its end, which are no halved nodes.
func (t *treeReader) read(lower uint64, width uint) {
	if width > 0 {
		t.at++
		if bitsAt(t.src, t.at-1, 1) == 1 {
			t.read(lower, width-1)
			t.read(lower+1<<(width-1), width-1)
			return
		}
	}
	t.at++
	if bitsAt(t.src, t.at-1, 1) == 0 || t.left < 0 {
		return
	}
	if t.n == maxBins {
		t.left = -1
		return
	}
	t.table.bins[t.n] = interval{lower, 1<<width - 1}
	t.table.widths[t.n] = uint8(width)
	if t.n > 0 {
		weight := t.weight()
		t.table.weights[t.n] = uint16(weight)
		t.left -= weight
	}
	t.n++
}

// weight reads the weight of a bin.
func (t *treeReader) weight() int {
	more := uint(0)
	for ; more <= maxLog && bitsAt(t.src, t.at, 1) == 1; more++ {
		t.at++
	}
	n := more + golomb
	v := 1<<n + int(bitsAt(t.src, t.at+1, n))
	t.at += 1 + n
	return v - 1<<golomb + 1
}

// decode sets dst to the next of left codes, which begin at bit at of b, and returns where
// those after them begin.
func (r *binReader) decode(dst []int64, b []byte, at uint, left int) uint {
	chain := max(0, min(len(dst), left-lanes)) // codes whose lanes have others to come
	done := 0
	switch {
	case r.most <= narrowBits:
		done, at = r.decodeNarrow(dst[:chain], b, at)
	case r.most <= wordBits:
		done, at = r.decodeMiddle(dst[:chain], b, at)
	}
	for i := done; i < len(dst); i++ {
		e := r.table.entries[r.states[0]&(1<<maxLog-1)]
		copy(r.states[:], r.states[1:])
		if i < chain {
			r.states[lanes-1] = e.next() + wordAt(b, at)&e.number()
			at += e.bits()
		}
		n := e.all() - e.bits()
		dst[i] = int64(r.table.bins[e.bin()&(maxBins-1)].lower + bitsAt(b, at, n))
		at += n
	}
	return at
}

// decodeNarrow decodes a multiple of lanes codes, which have narrowBits at most. It may leave some to do.
func (r *binReader) decodeNarrow(dst []int64, b []byte, at uint) (done int, behind uint) {
	t := r.table
	s0, s1, s2, s3 := r.states[0], r.states[1], r.states[2], r.states[3]
	for ; done+lanes <= len(dst) && at>>3 <= uint(len(b)); done += lanes {
		rest := b[at>>3:]
		if len(rest) < 16 {
			break
		}
		// The first two codes are in the word at the front, the other two in one that begins up to 7 bytes behind it.
		src, d, used := (*[16]byte)(rest), (*[lanes]int64)(dst[done:]), at&7
		word := binary.LittleEndian.Uint64(src[:]) >> used
		e := t.entries[s0&(1<<maxLog-1)]
		s0 = e.next() + word&e.number()
		d[0] = t.code(e, word)
		word >>= e.all() & 63
		used += e.all()
		e = t.entries[s1&(1<<maxLog-1)]
		s1 = e.next() + word&e.number()
		d[1] = t.code(e, word)
		used += e.all()

		word = binary.LittleEndian.Uint64(src[used>>3&7:]) >> (used & 7)
		at += used - at&7
		e = t.entries[s2&(1<<maxLog-1)]
		s2 = e.next() + word&e.number()
		d[2] = t.code(e, word)
		word >>= e.all() & 63
		at += e.all()
		e = t.entries[s3&(1<<maxLog-1)]
		s3 = e.next() + word&e.number()
		d[3] = t.code(e, word)
		at += e.all()
	}
	r.states = [lanes]uint64{s0, s1, s2, s3}
	return done, at
}

// decodeMiddle is decodeNarrow for codes of up to wordBits.
func (r *binReader) decodeMiddle(dst []int64, b []byte, at uint) (done int, behind uint) {
	t := r.table
	s0, s1, s2, s3 := r.states[0], r.states[1], r.states[2], r.states[3]
	for ; done+lanes <= len(dst); done += lanes {
		d := (*[lanes]int64)(dst[done:])
		word := wordAt(b, at)
		e := t.entries[s0&(1<<maxLog-1)]
		s0 = e.next() + word&e.number()
		d[0] = t.code(e, word)
		at += e.all()
		word = wordAt(b, at)
		e = t.entries[s1&(1<<maxLog-1)]
		s1 = e.next() + word&e.number()
		d[1] = t.code(e, word)
		at += e.all()
		word = wordAt(b, at)
		e = t.entries[s2&(1<<maxLog-1)]
		s2 = e.next() + word&e.number()
		d[2] = t.code(e, word)
		at += e.all()
		word = wordAt(b, at)
		e = t.entries[s3&(1<<maxLog-1)]
		s3 = e.next() + word&e.number()
		d[3] = t.code(e, word)
		at += e.all()
	}
	r.states = [lanes]uint64{s0, s1, s2, s3}
	return done, at
}
