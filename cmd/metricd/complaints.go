package main

import (
	"regexp"
	"sync"

	"github.com/dustin/go-humanize"
)

// shownEach is how many lines are shown with the same reason; further ones are counted.
const shownEach = 10

// complaints reports lines that were not stored: each with its number, its text and the reason, and of many with the same
// reason the first ones. Safe for concurrent use.
type complaints struct {
	printf func(format string, args ...any) // safe for concurrent use
	where  string                           // before each line that is printed; may be empty

	mu struct {
		sync.Mutex
		reasons []*reason // in the order in which they came
	}
}

// reason is what some lines have in common.
type reason struct {
	kind  string // see kindOf
	first int64  // number of the first line
	lines int64
}

// add reports a line.
func (c *complaints) add(number int64, line []byte, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.reasonLocked(kindOf(why), number)
	if r.lines++; r.lines <= shownEach {
		c.printf("%sline %d: %q: %s\n", c.where, number, excerpt(line), why)
	}
}

// reasonLocked returns the reason of a kind, a new one if it is the first.
func (c *complaints) reasonLocked(kind string, number int64) *reason {
	for _, r := range c.mu.reasons {
		if r.kind == kind {
			return r
		}
	}
	r := &reason{kind: kind, first: number}
	c.mu.reasons = append(c.mu.reasons, r)
	return r
}

// end reports how many lines were not shown.
func (c *complaints) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.mu.reasons {
		if more := r.lines - shownEach; more > 0 {
			c.printf("%sand %s lines more for the same reason as line %d\n", c.where, humanize.Comma(more), r.first)
		}
	}
}

// particulars are the parts of a reason that differ from line to line: what is quoted, and numbers.
var particulars = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[0-9]+`)

// kindOf returns what reasons that differ in particulars only have in common.
func kindOf(why string) string { return particulars.ReplaceAllString(why, "") }
