package bench

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"metricd/internal/lineproto"
)

func testLoad(t testing.TB, series, samples int, seed uint64, o order) *load {
	t.Helper()
	cfg := Config{Series: series, Samples: samples, Start: 1_700_000_000, Step: 10, Seed: seed}
	l, err := newLoad(cfg, "p.", o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// lines returns all lines of cursors, one cursor after the other, filled in small pieces.
func lines(cursors ...*cursor) []string {
	var text []byte
	for _, c := range cursors {
		buf := make([]byte, 0, 3*c.l.maxLine+1)
		for c.left > 0 {
			piece, n := c.fill(buf, 2)
			if n == 0 || n != bytes.Count(piece, []byte("\n")) {
				panic(fmt.Sprintf("fill said %d lines: %q", n, piece))
			}
			text = append(text, piece...)
		}
	}
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestTextEqualsAppendPut(t *testing.T) {
	for _, start := range []int64{1_700_000_000, 0, -25, -1e15, 1e15} {
		l := testLoad(t, 123, 17, 7, forward)
		l.start = start
		got := lines(newCursor(l, 0, l.series))
		n := 0
		for i := range l.samples {
			for s := range l.series {
				key := fmt.Sprintf("p.host_%04d.cpu.%s", s/10, metrics[s%10])
				want := string(lineproto.AppendPut(nil, key, float64(l.valueOf(s, i))/100, l.time(i)))
				if strings.TrimSuffix(got[n], "\n") != strings.TrimSuffix(want, "\n") {
					t.Fatalf("start %d, line %d: %q, want %q", start, n, got[n], want)
				}
				n++
			}
		}
		if n != len(got) {
			t.Fatalf("%d lines, want %d", len(got), n)
		}
	}
}

func TestEveryValueText(t *testing.T) {
	l := testLoad(t, 1, maxCents+1, 1, forward)
	for cents := range maxCents + 1 {
		l.walk[cents] = uint16(cents)
	}
	for cents := range maxCents + 1 {
		text := l.appendValue(nil, 0, cents)
		want := lineproto.AppendRow(nil, "k", float64(cents)/100, 0)
		if got := fmt.Sprintf("k %s 0\n", text); got != string(want) {
			t.Fatalf("%d cents: %q, want %q", cents, got, want)
		}
	}
}

func TestEverySampleOnce(t *testing.T) {
	sizes := [][3]int{{1, 1, 1}, {1, 2, 1}, {2, 1, 2}, {1, 1000, 4}, {37, 41, 1}, {37, 41, 5}, {64, 64, 3}, {65, 65, 8}, {5, 3, 9}}
	for _, o := range []order{forward, backward, shuffled} {
		for _, size := range sizes {
			l := testLoad(t, size[0], size[1], 3, o)
			cursors := split(l, size[2])
			got := lines(cursors...)
			var want []string
			for s := range l.series {
				for _, row := range strings.SplitAfter(string(l.appendRows(nil, s, 0, l.samples)), "\n") {
					if row != "" {
						want = append(want, "put "+strings.TrimSuffix(row, "\n"))
					}
				}
			}
			for k := range got {
				got[k] = strings.TrimSuffix(got[k], "\n")
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("order %d, size %v: %d lines, not each of %d samples once", o, size, len(got), len(want))
			}
		}
	}
}

func TestOrders(t *testing.T) {
	at := func(l *load) (list [][2]int) {
		for c := newCursor(l, 0, l.series); c.left > 0; {
			s, i := c.next()
			list = append(list, [2]int{s, i})
		}
		return list
	}
	if got, want := at(testLoad(t, 2, 2, 1, forward)), [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}}; !slices.Equal(got, want) {
		t.Errorf("forward: %v, want %v", got, want)
	}
	if got, want := at(testLoad(t, 2, 2, 1, backward)), [][2]int{{0, 1}, {1, 1}, {0, 0}, {1, 0}}; !slices.Equal(got, want) {
		t.Errorf("backward: %v, want %v", got, want)
	}
	late, list := 0, at(testLoad(t, 100, 100, 1, shuffled))
	for n := 1; n < len(list); n++ {
		if list[n][1] < list[n-1][1] {
			late++
		}
	}
	if late < len(list)*4/10 || late > len(list)*6/10 {
		t.Errorf("shuffled: %d of %d samples are older than the one before, want about half", late, len(list))
	}
}

func TestSeedDecides(t *testing.T) {
	for _, o := range []order{forward, shuffled} {
		a := lines(newCursor(testLoad(t, 20, 20, 1, o), 0, 20))
		b := lines(newCursor(testLoad(t, 20, 20, 1, o), 0, 20))
		c := lines(newCursor(testLoad(t, 20, 20, 2, o), 0, 20))
		if !slices.Equal(a, b) {
			t.Errorf("order %d: the same seed gave other lines", o)
		}
		if slices.Equal(a, c) {
			t.Errorf("order %d: another seed gave the same lines", o)
		}
	}
	if a, b := testLoad(t, 1, 500, 1, forward), testLoad(t, 1, 500, 2, forward); slices.Equal(a.walk, b.walk) {
		t.Error("another seed gave the same values")
	}
}

func TestWalkStepsAreSmall(t *testing.T) {
	l := testLoad(t, 50, 1000, 9, forward)
	moved := 0
	for s := range l.series {
		for i := 1; i < l.samples; i++ {
			d := l.valueOf(s, i) - l.valueOf(s, i-1)
			if d < -stepCents || d > stepCents {
				t.Fatalf("series %d moves by %d cents at %d", s, d, i)
			}
			if d != 0 {
				moved++
			}
		}
	}
	if moved < 45_000 {
		t.Errorf("only %d of 49,950 steps move", moved)
	}
}

func TestKeys(t *testing.T) {
	n := newNames("", 10_000)
	if got := string(n.appendKey(nil, 420)); got != "host_0042.cpu.usage_user" {
		t.Error(got)
	}
	if got := string(newNames("x.", 1_000_000).appendKey(nil, 999_999)); got != "x.host_99999.cpu.usage_guest_nice" {
		t.Error(got)
	}
	for row, want := range map[string]bool{
		"host_0042.cpu.usage_user 1.0 1\n": true, "r2.host_0042.cpu.usage_user 1.0 1\n": false,
		"host_00042.cpu.usage_user 1.0 1\n": false, "h 1.0 1\n": false,
	} {
		if n.isOwn([]byte(row)) != want {
			t.Errorf("isOwn(%q) is not %v", row, want)
		}
	}
}

func TestLoadRefusesLongKeys(t *testing.T) {
	cfg := Config{Series: 1, Samples: 1, Seed: 1}
	if _, err := newLoad(cfg, strings.Repeat("p", lineproto.DefaultMaxKey), forward); err == nil {
		t.Error("a key longer than the protocol's limit was taken")
	}
}

// BenchmarkFill gives the cost of making a line's text.
func BenchmarkFill(b *testing.B) {
	for _, o := range []struct {
		name            string
		series, samples int
		order
	}{
		{"walk", 10_000, 1000, forward},
		{"one", 1, 1_000_000, forward},
		{"wide", 1_000_000, 5, forward},
		{"reverse", 1, 1_000_000, backward},
		{"shuffle", 10_000, 1000, shuffled},
	} {
		b.Run(o.name, func(b *testing.B) {
			l := testLoad(b, o.series, o.samples, 1, o.order)
			c := newCursor(l, 0, l.series)
			buf := make([]byte, 0, 64<<10)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				// An op is a line: a batch is filled only when the one before is used up.
				if n == 0 {
					if c.left == 0 {
						c = newCursor(l, 0, l.series)
					}
					_, n = c.fill(buf, 1<<20)
				}
				n--
			}
		})
	}
}
