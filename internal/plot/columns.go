package plot

import "math"

// column is what is known of the samples of one column, or of two.
type column struct {
	first, last point // by time
	low, high   point
	some        bool
}

func (c *column) add(p point) {
	if !c.some {
		*c = column{p, p, p, p, true}
		return
	}
	c.last = p
	if p.v < c.low.v {
		c.low = p
	}
	if p.v > c.high.v {
		c.high = p
	}
}

// divide returns the columns of points when the time from first to last, both inclusive, is divided into n, and whether none has several.
// n is at most maxWidth, so that nothing overflows.
func divide(points []point, first, last int64, n int) (columns []column, single bool) {
	columns = make([]column, n)
	single = true
	for _, p := range points {
		c := &columns[place(p.t, first, last, n)]
		single = single && !c.some
		c.add(p)
	}
	return columns, single
}

// place returns into which of n columns t falls. first is before last.
func place(t, first, last int64, n int) int {
	return min(int((t-first)*int64(n)/(last-first)), n-1)
}

// columns returns a value for each of n columns of the time from first to last, NaN where there is no line, and whether two columns stand for
// several samples. n is even.
func (s *Series) columns(first, last int64, n int) (values []float64, paired bool) {
	points := s.points()
	columns, single := divide(points, first, last, n)
	each := 1
	if !single {
		each = 2
		columns, _ = divide(points, first, last, n/2)
	}
	values = make([]float64, n)
	gaps := s.gaps()
	before := -1 // the column before with samples
	for i := range columns {
		c := &columns[i]
		if !c.some {
			for k := range each {
				values[i*each+k] = math.NaN()
			}
			continue
		}
		values[i*each], values[i*each+each-1] = c.high.v, c.low.v
		if c.low.t < c.high.t {
			values[i*each], values[i*each+each-1] = c.low.v, c.high.v
		}
		if before >= 0 {
			var gap bool
			if gap, gaps = between(gaps, columns[before].last.t, c.first.t); !gap {
				straight(values, before*each+each-1, i*each)
			}
		}
		before = i
	}
	return values, !single
}

// between says whether there is a gap in the time from one sample to another, and returns the gaps that are not behind it.
func between(gaps []pause, from, to int64) (is bool, rest []pause) {
	for len(gaps) > 0 && gaps[0].from < from {
		gaps = gaps[1:]
	}
	return len(gaps) > 0 && gaps[0].to <= to, gaps
}

// straight draws a straight line between two columns that have values.
func straight(values []float64, from, to int) {
	for i := from + 1; i < to; i++ {
		part := float64(i-from) / float64(to-from)
		if values[i] = values[from]*(1-part) + values[to]*part; math.IsInf(values[from], 0) || math.IsInf(values[to], 0) {
			values[i] = values[from] // up, or down, at once
		}
	}
}
