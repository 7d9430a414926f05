// Package plot draws the samples of series as text, for terminals: with asciigraph, which draws a line through one value a column. What
// becomes of the samples before that is here: which values the columns have, where the line has gaps, and what is said of what no line shows.
//
// # How samples become columns
//
// While no two samples fall into one column each is drawn where it belongs, and the line goes straight from one to the next. Where there are more, two
// columns at a time stand for all samples of their time: they have the least and the greatest of them, in the order in which these came. So a
// peak of one sample is drawn as high as it was, among however many.
//
// # Gaps
//
// The line ends where there is no sample for three times as long as usual: the usual step is the median of all, rounded up to a power of two. It also ends at NaN.
// A gap that is narrower than a column can't be drawn, and the text beside the plot says that it is there.
//
// # Memory
//
// However many samples a Series gets, it keeps maxSpans stretches of time, each with its least and greatest sample and its longest pause.
package plot

import (
	"math"
	"math/bits"
)

// maxSpans is how many stretches a Series keeps: many times the columns of a terminal, so that it matters to none of them where one begins.
const maxSpans = 8192

// Series gathers the samples of a series. It is not for concurrent use.
type Series struct {
	key   string
	spans []span // by ascending time
	shift uint   // a span holds the samples of 1<<shift seconds

	n, nan, inf int64 // samples; of these, NaN; of these, infinities
	first, last int64 // times
	low, high   float64
	finite      bool      // whether low and high are set
	steps       [65]int64 // how many pauses between samples, by the length of their number of seconds in bits

	broken bool  // a NaN came after the last value
	value  point // the last value
}

// point is a sample that has a value, perhaps an infinite one.
type point struct {
	t int64 // Unix seconds
	v float64
}

// pause is a time without values between two of them.
type pause struct {
	from, to int64 // times of these
	broken   bool  // there was a NaN between them
}

// longer says which of two pauses rather is a gap.
func (p pause) longer(q pause) bool {
	if p.broken != q.broken {
		return p.broken
	}
	return p.to-p.from > q.to-q.from
}

// span is what is kept of a stretch of time that has values.
type span struct {
	low, high point
	before    pause // the one that its first value ended; of the first span there is none
	inside    pause // the longest
	last      int64 // time of its last value
}

// New returns a Series without samples. key is its title.
func New(key string) *Series { return &Series{key: key} }

// Add adds a sample. Times, in Unix seconds, ascend, and are within ±9e15.
func (s *Series) Add(t int64, v float64) {
	if s.n == 0 {
		s.first = t
	} else {
		s.steps[bits.Len64(uint64(t-s.last))]++
	}
	s.n++
	s.last = t
	switch {
	case math.IsNaN(v):
		s.nan++
		s.broken = true
		return
	case math.IsInf(v, 0):
		s.inf++
	case !s.finite:
		s.low, s.high, s.finite = v, v, true
	default:
		s.low, s.high = min(s.low, v), max(s.high, v)
	}
	p := point{t, v}
	one := span{low: p, high: p, last: t}
	if len(s.spans) > 0 {
		one.before = pause{s.value.t, t, s.broken}
	}
	s.value, s.broken = p, false
	s.spans = s.join(s.spans, one)
	for len(s.spans) > maxSpans {
		s.shift++
		joined := s.spans[:0]
		for _, next := range s.spans {
			joined = s.join(joined, next)
		}
		s.spans = joined
	}
}

// join appends next, or adds it to the last of spans if it belongs to the same stretch.
func (s *Series) join(spans []span, next span) []span {
	if len(spans) == 0 || spans[len(spans)-1].last>>s.shift != next.low.t>>s.shift {
		return append(spans, next)
	}
	a := &spans[len(spans)-1]
	if next.low.v < a.low.v {
		a.low = next.low
	}
	if next.high.v > a.high.v {
		a.high = next.high
	}
	for _, p := range []pause{next.before, next.inside} {
		if p.longer(a.inside) {
			a.inside = p
		}
	}
	a.last = next.last
	return spans
}

// usual returns the usual time between two samples: the median of them, or up to twice that. 0 if there is none.
func (s *Series) usual() int64 {
	half := s.n / 2 // of n-1 pauses, rounded up
	for length, n := range s.steps {
		if half -= n; n > 0 && half <= 0 {
			return 1<<length - 1
		}
	}
	return 0
}

// gaps returns the pauses in which there is no line, by ascending time. Of those in one span that is the longest only.
func (s *Series) gaps() (gaps []pause) {
	long := 3 * min(s.usual(), math.MaxInt64/3)
	for _, a := range s.spans {
		for _, p := range []pause{a.before, a.inside} {
			if p.broken || p.to-p.from > long {
				gaps = append(gaps, p)
			}
		}
	}
	return gaps
}

// points returns what is to be drawn: of each span its least and its greatest sample, by ascending time.
func (s *Series) points() (points []point) {
	for _, a := range s.spans {
		switch {
		case a.low.t == a.high.t:
			points = append(points, a.low)
		case a.low.t < a.high.t:
			points = append(points, a.low, a.high)
		default:
			points = append(points, a.high, a.low)
		}
	}
	return points
}
