package chunk

// Iterator walks over the samples of a chunk in ascending order of time. It decodes as it goes, a block at a
// time, and holds the memory for that (7 KiB, and as much for each sequence of a chunk that is in bins),
// so that it allocates nothing more when it is used again. It is not for concurrent use; before the first
// Reset it has no samples.
type Iterator struct {
	d   decoder
	err error

	n      int // samples in the block
	pos    int // the sample at hand; -1 before the first of the block
	times  [blockSize]int64
	values [blockSize]float64
	ints   [blockSize]int64
}

// Reset begins to walk over the chunk src, which the iterator uses until the next Reset or its end.
// An error is also Err's.
func (it *Iterator) Reset(src []byte) error {
	it.n, it.pos = 0, -1
	it.err = it.d.reset(src)
	return it.err
}

// Header returns what the chunk says of itself.
func (it *Iterator) Header() Header { return it.d.Header }

// Next moves to the next sample and says whether there is one.
func (it *Iterator) Next() bool {
	if it.pos+1 < it.n {
		it.pos++
		return true
	}
	return it.fill(0)
}

// fill decodes the next block, without its first skip samples, which must be fewer than are left,
// and moves to its first sample. It says whether there is one.
func (it *Iterator) fill(skip int) bool {
	it.n, it.pos = 0, -1
	d := &it.d
	if it.err != nil || d.left == 0 {
		return false
	}
	if skip > 0 {
		if it.err = d.skip(skip); it.err != nil {
			return false
		}
	}
	n := min(d.left, blockSize)
	if it.err = d.readTimes(it.times[:n]); it.err != nil {
		return false
	}
	return it.fillValues(n)
}

// fillValues decodes the n values whose times are in the block.
func (it *Iterator) fillValues(n int) bool {
	if it.err = it.d.values.read(it.values[:n], it.ints[:n]); it.err != nil {
		it.err = it.d.valuesError(it.d.size, it.err)
		return false
	}
	it.n, it.pos = n, 0
	return true
}

// SkipTo moves to the first sample at or after t (milliseconds), never backwards: an iterator
// already there or beyond stays. It says whether there is such a sample.
func (it *Iterator) SkipTo(t int64) bool {
	if it.n > 0 && t <= it.times[it.n-1] {
		from := max(it.pos, 0)
		it.pos = from + countBelow(it.times[from:it.n], t)
		return true
	}
	d := &it.d
	if it.err != nil || d.left == 0 || t > d.Last {
		d.left = 0
		return it.fill(0)
	}
	if !d.irregular {
		return it.fill(d.stepsTo(t))
	}
	for skip := 0; ; {
		n := min(d.left, blockSize)
		if it.err = d.readTimes(it.times[:n]); it.err != nil {
			return it.fill(0)
		}
		if t > it.times[n-1] {
			skip += n
			continue
		}
		if err := d.values.skip(skip); err != nil {
			it.err = d.valuesError(d.size, err)
			return it.fill(0)
		}
		if !it.fillValues(n) {
			return false
		}
		it.pos = countBelow(it.times[:n], t)
		return true
	}
}

// countBelow returns how many of the ascending times are before t.
func countBelow(times []int64, t int64) int {
	low, n := 0, len(times)
	for n > 0 {
		half := n >> 1
		if times[low+half] < t {
			low += half + 1
			n -= half + 1
		} else {
			n = half
		}
	}
	return low
}

// At returns the sample at hand: its time in milliseconds, and its value.
func (it *Iterator) At() (t int64, v float64) {
	return it.times[it.pos], it.values[it.pos]
}

// Err returns the error that ended the iterator, nil if it ended because there is no more.
func (it *Iterator) Err() error { return it.err }
