package plot

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guptarohit/asciigraph"

	"metricd/internal/decimal"
)

// Options say how plots are to be.
type Options struct {
	Width    int            // characters of a line; 0: 80
	Height   int            // lines of all plots together, unless they would be too small; 0: 20
	Location *time.Location // of times; nil: time.Local
}

const (
	// What is beside the lines of a graph: title, figures, the axis and its labels, and what is said of columns.
	besides = 5
	// minWidth and maxWidth bound the columns of a graph, minHeight the lines of one. The product of maxWidth and the longest time is an int64.
	minWidth, maxWidth = 10, 500
	minHeight          = 5
)

// Draw returns plots of series one below the other, all of the same time, each with values of its own, and each line ended. Series without samples have
// no more than a title.
func Draw(all []*Series, o Options) string {
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Height <= 0 {
		o.Height = 20
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	a := axis{first: math.MaxInt64, last: math.MinInt64, in: o.Location}
	for _, s := range all {
		if s.n > 0 {
			a.first, a.last = min(a.first, s.first), max(a.last, s.last)
		}
	}
	height := max((o.Height-(len(all)-1))/max(len(all), 1)-besides, minHeight)
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteByte('\n')
		}
		s.draw(&b, a, o.Width, height)
	}
	return b.String()
}

// draw writes one plot, with so many lines of graph.
func (s *Series) draw(b *strings.Builder, a axis, width, height int) {
	fmt.Fprintf(b, "%s\n%s\n", s.key, s.figures(a.in))
	if !s.finite || a.first == a.last {
		return
	}
	scale := newScale(s.low, s.high, height-1)
	left := scale.labelWidth() + 3 // asciigraph sets a space before the label, and one and the axis behind it
	wide := max(len(a.label(float64(a.first))), len(a.label(float64(a.last))))
	n := min(max(width-left-(wide+1)/2, minWidth), maxWidth) &^ 1
	values, paired := s.columns(a.first, a.last, n)
	for i := range values {
		values[i] = scale.row(values[i])
	}
	// A line ends in the middle of its last column: it takes one value more for it to be drawn.
	graph := asciigraph.Plot(append(values, values[n-1]),
		asciigraph.Height(height-1),
		asciigraph.LowerBound(0), asciigraph.UpperBound(scale.top()),
		asciigraph.YAxisValueFormatter(scale.label),
		asciigraph.XAxisRange(float64(a.first), float64(a.last)),
		asciigraph.XAxisTickCount(max(2, n/(2*wide)+1)),
		asciigraph.XAxisValueFormatter(a.label))
	for line := range strings.Lines(graph) {
		b.WriteString(strings.TrimRight(line, " \n"))
		b.WriteByte('\n')
	}
	if paired {
		fmt.Fprintf(b, "each two columns: the least and the greatest value of %s\n", seconds((a.last-a.first)/int64(n/2)))
	}
}

// figures returns what there is to say of the samples.
func (s *Series) figures(in *time.Location) string {
	at := func(t int64) string { return time.Unix(t, 0).In(in).Format("2006-01-02 15:04:05 MST") }
	switch s.n {
	case 0:
		return "no samples"
	case 1:
		return fmt.Sprintf("1 sample: %s at %s", decimal.Append(nil, s.only()), at(s.first))
	}
	text := fmt.Sprintf("%s to %s, %d samples", at(s.first), at(s.last), s.n)
	if s.finite {
		text += fmt.Sprintf(", %s to %s", decimal.Append(nil, s.low), decimal.Append(nil, s.high))
	} else {
		text += ", none finite"
	}
	if s.nan > 0 {
		text += fmt.Sprintf(", %d nan", s.nan)
	}
	if s.inf > 0 {
		text += fmt.Sprintf(", %d infinite (at the edge)", s.inf)
	}
	if gaps := s.gaps(); len(gaps) > 0 {
		longest := gaps[0]
		for _, g := range gaps[1:] {
			if g.to-g.from > longest.to-longest.from {
				longest = g
			}
		}
		more := ""
		if s.shift > 0 {
			more = " or more"
		}
		text += fmt.Sprintf("\n%d%s gaps, the longest %v from %s", len(gaps), more, seconds(longest.to-longest.from), at(longest.from))
		text = strings.Replace(text, "\n1 gaps, the longest", "\n1 gap,", 1)
	}
	return text
}

// only returns the value of the one sample there is.
func (s *Series) only() float64 {
	if len(s.spans) == 0 {
		return math.NaN()
	}
	return s.value.v
}

// seconds returns a time as text, also one that is too long for a Duration.
func seconds(n int64) string {
	if n > math.MaxInt64/int64(time.Second) {
		return strconv.FormatInt(n, 10) + "s"
	}
	return (time.Duration(n) * time.Second).String()
}

// axis is the time that plots show.
type axis struct {
	first, last int64 // Unix seconds, both inclusive
	in          *time.Location
}

// layout returns how times are to be spelled below the axis.
func (a axis) layout() string {
	const day = 24 * 60 * 60
	switch length := a.last - a.first; {
	case length < 1200:
		return "15:04:05"
	case length < 2*day:
		return "15:04"
	case length < 300*day:
		return "01-02 15:04"
	}
	return "2006-01-02"
}

// label returns the text of a time.
func (a axis) label(t float64) string { return time.Unix(int64(t), 0).In(a.in).Format(a.layout()) }

// scale turns values into rows of a graph, so that what asciigraph does with them neither overflows nor rounds: its own range is from 0 to the number of rows.
type scale struct {
	low, high float64
	rows      int // the row of high; that of low is 0
	format    byte
	digits    int
}

func newScale(low, high float64, rows int) scale {
	s := scale{low: low, high: high, rows: rows, format: 'f'}
	most := max(math.Abs(low), math.Abs(high))
	step := (high/2 - low/2) / float64(rows) * 2
	if most >= 1e9 || most > 0 && most < 1e-4 {
		s.format = 'e'
		step /= most
	}
	switch {
	case step > 0:
		s.digits = min(max(-int(math.Floor(math.Log10(step))), 0), 16)
	case low == high:
		s.digits = -1 // as many as it has
	}
	return s
}

// top returns the highest row.
func (s scale) top() float64 {
	if s.low == s.high {
		return 0
	}
	return float64(s.rows)
}

// row returns the row of a value, with a fraction: infinities are at the edge.
func (s scale) row(v float64) float64 {
	switch {
	case s.low == s.high && !math.IsNaN(v):
		return 0
	case math.IsInf(v, 1):
		return s.top()
	case math.IsInf(v, -1):
		return 0
	}
	return min(max((v/2-s.low/2)/(s.high/2-s.low/2), 0), 1) * s.top() // a NaN stays one
}

// label returns the text of a row.
func (s scale) label(row float64) string {
	part := 0.0
	if s.low < s.high {
		part = row / s.top()
	}
	text := strconv.FormatFloat(s.low*(1-part)+s.high*part, s.format, s.digits, 64)
	if unsigned, ok := strings.CutPrefix(text, "-"); ok && strings.Trim(unsigned, "0.") == "" {
		return unsigned
	}
	return text
}

// labelWidth returns how wide the labels are.
func (s scale) labelWidth() (width int) {
	for row := 0; row <= int(s.top()); row++ {
		width = max(width, utf8.RuneCountInString(s.label(float64(row))))
	}
	return width
}
