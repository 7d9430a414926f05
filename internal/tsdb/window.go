package tsdb

import (
	"fmt"
	"math"
	"time"
)

// Chunks lie in windows of time, so that new ones land behind the old ones and retention can drop a whole window. A
// window is named by its first millisecond. How wide windows are follows the retention; when that changes,
// what comes later gets windows of another width, and old windows stay as they are:
//
//	 era 0: 30 days wide                  era 1: 3 days wide
//	|          |          |          |    |    |    |    |    |
//	                                 era 1.from
type era struct {
	from  int64 // where its first window begins; era 0 has no beginning, and a window that begins at 0
	width int64 // ms
}

// eras are in order of time. There is at least one.
type eras []era

// window returns the window that t is in: its first millisecond, and the first after it.
func (es eras) window(t int64) (first, end int64) {
	i := len(es) - 1
	for i > 0 && t < es[i].from {
		i--
	}
	base, width := int64(0), es[i].width
	if i > 0 {
		base = es[i].from
	}
	n := (t - base) / width
	if t < base+n*width {
		n--
	}
	first = base + n*width
	end = first + width
	if i+1 < len(es) {
		end = min(end, es[i+1].from)
	}
	return first, end
}

// first returns the first millisecond of the window that t is in.
func (es eras) first(t int64) int64 {
	first, _ := es.window(t)
	return first
}

const day = 24 * time.Hour

// windowWidth returns how wide windows are to be, in ms: an eighth of the retention at most, but no less than 5 minutes, so that
// little is kept beyond it; 30 days if it is 0 or long.
func windowWidth(retention time.Duration) int64 {
	width := 5 * time.Minute
	for _, w := range []time.Duration{time.Hour, 6 * time.Hour, day, 3 * day, 10 * day, 30 * day} {
		if retention == 0 || w <= retention/8 {
			width = w
		}
	}
	return width.Milliseconds()
}

// next returns the eras if windows that begin after t and hold nothing yet are to have a width.
func (es eras) next(t, width int64) eras {
	last := len(es) - 1
	if es[last].width == width {
		return es
	}
	_, from := es.window(t)
	for last > 0 && es[last].from >= from {
		last-- // nothing is in it
	}
	if es[last].width == width {
		return es[:last+1]
	}
	return append(es[:last+1:last+1], era{from, width})
}

// check says what is wrong with eras.
func (es eras) check() error {
	if len(es) == 0 {
		return fmt.Errorf("no width of windows")
	}
	for i, e := range es {
		if e.width <= 0 || e.width > math.MaxInt64>>8 || i == 0 && e.from != math.MinInt64 || i > 0 && e.from <= es[i-1].from {
			return fmt.Errorf("windows of %d ms from %d on", e.width, e.from)
		}
	}
	return nil
}
