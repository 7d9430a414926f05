package bench

import (
	"math/bits"

	"metricd/internal/lineproto"
)

// cursor walks over every sample of the series [lo, hi) of a load, each once, in the
// load's order. It is for one goroutine.
type cursor struct {
	l      *load
	lo, hi int
	left   int64 // samples still to come

	s, i int    // the next sample, unless shuffled
	tail []byte // the end of the lines of index i
	time lineproto.TimePrinter

	// The next sample if shuffled is the first of perm(count), perm(count+1), … that exists.
	count uint64
	perm  permutation
	sBits uint // the low bits of a permuted number, which are the series
}

// newCursor returns a cursor at the first sample.
func newCursor(l *load, lo, hi int) *cursor {
	c := &cursor{l: l, lo: lo, hi: hi, left: int64(hi-lo) * int64(l.samples), s: lo}
	if l.order == backward {
		c.i = l.samples - 1
	}
	c.sBits = uint(bits.Len(uint(max(hi-lo-1, 0))))
	c.perm = newPermutation(l.seed+uint64(lo), c.sBits+uint(bits.Len(uint(l.samples-1))))
	c.tail = l.appendTail(nil, &c.time, c.i)
	return c
}

// split returns n cursors that share the series of l evenly, or one for each series if
// there are fewer.
func split(l *load, n int) []*cursor {
	n = min(n, l.series)
	cursors := make([]*cursor, n)
	for k := range cursors {
		cursors[k] = newCursor(l, l.series*k/n, l.series*(k+1)/n)
	}
	return cursors
}

// fill appends the puts of the next samples to dst, at most limit of them and as many as
// surely fit its capacity, and returns how many.
func (c *cursor) fill(dst []byte, limit int) ([]byte, int) {
	limit = int(min(c.left, int64(limit), int64((cap(dst)-len(dst))/c.l.maxLine)))
	if c.l.order == shuffled {
		for range limit {
			s, i := c.jump()
			c.tail = c.l.appendTail(c.tail[:0], &c.time, i)
			dst = c.l.appendPut(dst, s, i, c.tail)
		}
	} else {
		for range limit {
			dst = c.l.appendPut(dst, c.s, c.i, c.tail)
			c.step()
		}
	}
	c.left -= int64(limit)
	return dst, limit
}

// next is where the cursor stands: the sample that the next line of fill puts. It moves on.
func (c *cursor) next() (s, i int) {
	c.left--
	if c.l.order == shuffled {
		return c.jump()
	}
	s, i = c.s, c.i
	c.step()
	return s, i
}

// step moves on to the next series, and after the last to the next time.
func (c *cursor) step() {
	if c.s++; c.s == c.hi {
		c.turn()
	}
}

// turn moves on to the next time.
func (c *cursor) turn() {
	c.s = c.lo
	if c.l.order == backward {
		c.i--
	} else {
		c.i++
	}
	c.tail = c.l.appendTail(c.tail[:0], &c.time, c.i)
}

// jump returns the next sample of the permutation and moves on. It passes over numbers that
// are no sample: fewer than four in five of them.
func (c *cursor) jump() (s, i int) {
	for {
		n := c.perm.of(c.count)
		c.count++
		s, i = c.lo+int(n&(1<<c.sBits-1)), int(n>>c.sBits)
		if s < c.hi && i < c.l.samples {
			return s, i
		}
	}
}

// permutation is a pseudo-random bijection on the numbers of a fixed count of bits. Each
// step, a product with an odd number or an exclusive or with the upper half, can be undone.
type permutation struct {
	mask, add uint64
	half      uint
}

func newPermutation(seed uint64, width uint) permutation {
	return permutation{mask: 1<<width - 1, add: mix(seed, 0), half: (width + 1) / 2}
}

// of returns the number at place x, which is taken modulo the count of numbers.
func (p permutation) of(x uint64) uint64 {
	x = (x + p.add) & p.mask
	x = x * 0x9e3779b97f4a7c15 & p.mask
	x ^= x >> p.half
	x = x * 0xd6e8feb86659fd93 & p.mask
	x ^= x >> p.half
	return x * 0xbf58476d1ce4e5b9 & p.mask
}
