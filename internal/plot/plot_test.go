package plot

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// of returns a series with samples every step seconds from 0 on.
func of(key string, step int64, values ...float64) *Series {
	s := New(key)
	for i, v := range values {
		s.Add(int64(i)*step, v)
	}
	return s
}

func small(all ...*Series) string {
	return Draw(all, Options{Width: 40, Height: 10, Location: time.UTC})
}

var (
	nan = math.NaN()
	inf = math.Inf(1)
)

func TestDraw(t *testing.T) {
	apart := New("apart")
	for _, at := range []int64{0, 1, 2, 3, 10, 11, 12, 20} {
		apart.Add(at, float64(at%10))
	}
	for _, tt := range []struct {
		all  []*Series
		want string
	}{
		{[]*Series{of("line", 10, 0, 1, 4, 2)}, lineWant},
		{[]*Series{apart}, apartWant},
		{[]*Series{of("odd", 10, 1, 2, nan, 2, inf, 1, 1, -inf, 1)}, oddWant},
		{[]*Series{of("flat", 3600, 7, 7, 7)}, flatWant},
		{[]*Series{of("one", 1, -0.5), New("none"), of("no value", 1, nan)}, fewWant},
		{[]*Series{of("first", 1, 1, 2), of("second", 2, -1e9, 1e9)}, bothWant},
		{[]*Series{of("infinite", 1, inf, inf)}, "infinite\n1970-01-01 00:00:00 UTC to 1970-01-01 00:00:01 UTC, 2 samples, none finite, 2 infinite (at the edge)\n"},
	} {
		if got := small(tt.all...); got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
	}
}

// TestFlat: a value that never changes is labelled with all of its digits.
func TestFlat(t *testing.T) {
	for v, want := range map[float64]string{0.25: "0.25", -0.5: "-0.5", 7: "7", 0: "0", 25_276_510_208: "2.5276510208e+10", 1e-7: "1e-07"} {
		if got := small(of("flat", 1, v, v)); !strings.Contains(strings.ReplaceAll(got, " ", ""), "\n"+want+"┼") {
			t.Errorf("%v: got\n%s", v, got)
		}
	}
}

// TestPeak: a sample that stands out is drawn as high, or as deep, as it was, among however many others and wherever it is.
func TestPeak(t *testing.T) {
	for _, n := range []int64{3, 30, 300, 10_000, 300_000} {
		for _, at := range []int64{0, 1, n / 3, n - 2, n - 1} {
			for _, peak := range []float64{100, -100} {
				s := New("peak")
				for i := range n {
					v := float64(i % 7)
					if i == at {
						v = peak
					}
					s.Add(i-n/2, v)
				}
				values, _ := s.columns(s.first, s.last, 60)
				seen := 0
				for _, v := range values {
					if v == peak {
						seen++
					}
				}
				if seen == 0 {
					t.Errorf("the peak %v, sample %d of %d, is in no column", peak, at, n)
				}
				if len(s.spans) > maxSpans {
					t.Errorf("%d samples took %d spans", n, len(s.spans))
				}
			}
		}
	}
}

// TestGaps: a time without samples has no line, also among many samples, and what is narrower than a column is told of.
func TestGaps(t *testing.T) {
	s := New("hole")
	for i := range int64(100_000) {
		if i < 40_000 || i >= 60_000 {
			s.Add(i, 1)
		}
	}
	values, _ := s.columns(s.first, s.last, 100)
	for i, v := range values {
		if inside := i >= 42 && i < 58; inside != math.IsNaN(v) && (i < 38 || i >= 62 || inside) {
			t.Errorf("column %d of 100 has %v, with a hole from 40 to 60", i, v)
		}
	}
	for _, tt := range []struct{ step, hole int64 }{{1, 120}, {10, 31}, {60, 181}, {3600, 86400}} {
		s := New("hole")
		for i := range int64(2000) {
			at := i * tt.step
			if i >= 1000 {
				at += tt.hole
			}
			s.Add(at, 1)
		}
		if tt.hole <= 3*tt.step {
			t.Fatalf("a hole of %d is none with steps of %d", tt.hole, tt.step)
		}
		want := 3*(2*tt.step-1) < tt.hole // the usual step may be taken for almost twice what it is
		if told := strings.Contains(small(s), "\n1 gap, "); want && !told {
			t.Errorf("steps of %d s with a hole of %d: nothing is said of it", tt.step, tt.hole)
		}
	}
	if text := small(of("even", 60, make([]float64, 5000)...)); strings.Contains(text, "gap") {
		t.Errorf("there is no gap: %s", text)
	}
}

// TestExtremes: no values and no times overflow anything, and nothing is wider than asked for.
func TestExtremes(t *testing.T) {
	const last = 9_000_000_000_000_000
	for _, values := range [][]float64{
		{-math.MaxFloat64, math.MaxFloat64},
		{0, math.SmallestNonzeroFloat64},
		{1, math.Nextafter(1, 2)},
		{math.MaxFloat64, math.Nextafter(math.MaxFloat64, 0)},
		{1e17, 1e17 + 16},
		{math.Copysign(0, -1), 0},
		{-inf, 0, inf, nan, 1},
		{123456789, 123456790},
	} {
		for _, width := range []int{1, 39, 80, 2000} {
			s := New("extreme")
			for i, v := range values {
				s.Add(-last+int64(i)*(2*last/int64(len(values)-1)), v)
			}
			text := Draw([]*Series{s}, Options{Width: width, Height: 24, Location: time.UTC})
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(line) - 1; width >= 39 && n > max(width, 39) && !strings.Contains(line, "samples") && !strings.Contains(line, "gap") {
					t.Errorf("%v: a line of %d characters in a width of %d: %s", values, n, width, line)
				}
			}
			if n := strings.Count(text, "\n"); n > 24 {
				t.Errorf("%v: %d lines", values, n)
			}
		}
	}
}

// FuzzDraw: whatever the samples, there is a plot, in bounds.
func FuzzDraw(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, 80, 20)
	f.Add([]byte{255, 255, 0, 0, 0, 0, 0, 240, 127, 1, 0, 0, 0, 0, 0, 0, 248, 127}, 3, 1)
	f.Fuzz(func(t *testing.T, data []byte, width, height int) {
		s := New("fuzz")
		for at := int64(-9e15); len(data) >= 9; data = data[9:] {
			if at += 1 << (data[0] % 54); at > 9e15 {
				break
			}
			bits := uint64(0)
			for _, b := range data[1:9] {
				bits = bits<<8 | uint64(b)
			}
			s.Add(at, math.Float64frombits(bits))
		}
		text := Draw([]*Series{s}, Options{Width: width % 1000, Height: height % 1000, Location: time.UTC})
		if !strings.HasPrefix(text, "fuzz\n") || strings.Contains(text, "NaN") {
			t.Errorf("%s", text)
		}
	})
}
