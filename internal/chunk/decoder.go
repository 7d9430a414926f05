package chunk

import (
	"errors"
	"fmt"
)

// blockSize is how many samples are decoded at a time.
const blockSize = 256

// decoder decodes a chunk from its front to its end. It keeps the chunk's bytes until the next
// reset.
type decoder struct {
	head
	size     int   // of the chunk, in bytes
	left     int   // samples not yet read
	last     int64 // the time of the sample before them
	times    intReader
	timesAt  int // where they begin
	values   valueReader
	valuesAt int
}

var errBehind = errors.New("bytes are left behind the last value")

// reset begins to read the chunk src, which it checks as far as it can without reading all values.
func (d *decoder) reset(src []byte) error {
	d.head, d.left, d.size = head{}, 0, len(src)
	h, size, err := parseHead(src)
	if err != nil {
		return err
	}
	d.head, d.timesAt = h, size
	if h.irregular {
		n, err := d.times.reset(src[size:], h.Count-1)
		if err != nil {
			return d.timesError(size+n, err)
		}
		size += n
	}
	d.valuesAt = size
	n, err := d.values.reset(src[size:], h.Count)
	if err == nil && size+n < len(src) {
		err = errBehind
	}
	if err != nil {
		return d.valuesError(size+n, err)
	}
	d.left = h.Count
	return nil
}

func (d *decoder) timesError(at int, err error) error {
	return fmt.Errorf("chunk: times, which begin at byte %d: before byte %d: %w", d.timesAt, at, err)
}

func (d *decoder) valuesError(at int, err error) error {
	return fmt.Errorf("chunk: values, which begin at byte %d: before byte %d: %w", d.valuesAt, at, err)
}

// readTimes sets dst to the next times, at most as many as are left.
func (d *decoder) readTimes(dst []int64) error {
	if len(dst) == 0 {
		return nil
	}
	rest := dst
	if d.left == d.Count {
		d.last, dst[0], rest = d.First, d.First, dst[1:]
	}
	d.left -= len(dst)
	if !d.irregular {
		t, step := d.last, int64(d.step)
		for i := range rest {
			t += step
			rest[i] = t
		}
		d.last = t
		return nil
	}
	if err := d.times.read(rest); err != nil {
		return d.timesError(d.valuesAt, err)
	}
	t, ascending := d.last, true
	for i, distance := range rest {
		next := t + distance
		ascending = ascending && next > t
		rest[i], t = next, next
	}
	d.last = t
	if !ascending || d.left == 0 && t != d.Last {
		d.left = 0
		return d.timesError(d.valuesAt, errTimes)
	}
	return nil
}

// stepsTo returns how many of the samples left are before t, which is not behind the last, in a regular
// chunk.
func (d *decoder) stepsTo(t int64) int {
	next := d.First
	if d.left < d.Count {
		next = d.last + int64(d.step)
	}
	if t <= next {
		return 0
	}
	return int((uint64(t)-uint64(next)-1)/d.step) + 1
}

// skip moves on by n samples of a regular chunk.
func (d *decoder) skip(n int) error {
	steps := n
	if d.left == d.Count {
		d.last = d.First
		steps--
	}
	d.last += int64(steps) * int64(d.step)
	d.left -= n
	if err := d.values.skip(n); err != nil {
		return d.valuesError(d.size, err)
	}
	return nil
}

// A Decoder decodes whole chunks. It holds scratch memory, of which it allocates no more after
// its first chunks. The zero value is ready; it is not for concurrent use.
type Decoder struct {
	decoder
	ints [blockSize]int64
}

// Append appends the times and the values of the chunk src. The times are strictly ascending. In
// case of an error, it returns the slices as they were.
func (d *Decoder) Append(times []int64, values []float64, src []byte) ([]int64, []float64, error) {
	if err := d.reset(src); err != nil {
		return times, values, err
	}
	ts, vs := grow(times, d.Count), grow(values, d.Count)
	for t, v := ts[len(times):], vs[len(values):]; len(t) > 0; {
		n := min(len(t), blockSize)
		if err := d.readTimes(t[:n]); err != nil {
			return times, values, err
		}
		if err := d.values.read(v[:n], d.ints[:n]); err != nil {
			return times, values, d.valuesError(d.size, err)
		}
		t, v = t[n:], v[n:]
	}
	return ts, vs, nil
}

// grow returns s longer by n, the new elements with any content.
func grow[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s[:len(s)+n]
	}
	return append(s, make([]T, n)...)
}
