package tsdb

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// collect reads all samples of [mint, maxt] in pieces of size.
func collect(tr *tree, s *slab, mint, maxt int64, size int) []entry {
	var all []entry
	buf := make([]entry, 0, size)
	for mint <= maxt {
		buf = tr.read(s, mint, maxt, buf[:0])
		all = append(all, buf...)
		if len(buf) < size {
			break
		}
		mint = buf[len(buf)-1].t + 1
	}
	return all
}

// checkTree walks the tree and compares it with want; it checks that children begin where
// their parents say and that no block is shared or lost.
func checkTree(t *testing.T, tr *tree, s *slab, want map[int64]uint64) {
	t.Helper()
	got := collect(tr, s, minInt64, maxInt64-1, 100)
	times := slices.Sorted(maps.Keys(want))
	if len(got) != len(want) {
		t.Fatalf("got %d samples, want %d", len(got), len(want))
	}
	for i, e := range got {
		if e.t != times[i] || e.v != want[e.t] {
			t.Fatalf("sample %d is %v, want {%d %d}", i, e, times[i], want[times[i]])
		}
	}
	if len(want) == 0 {
		return
	}
	if last := times[len(times)-1]; tr.last != last {
		t.Fatalf("last is %d, want %d", tr.last, last)
	}
	var walk func(r ref, n, level int, first int64)
	walk = func(r ref, n, level int, first int64) {
		if n == 0 || s.at(r, 0).t != first {
			t.Fatalf("block %x has %d entries and begins at %d, its parent says %d", r, n, s.at(r, 0).t, first)
		}
		if level > 0 {
			b := s.block(r)[:n]
			for i := range b {
				c, cn := tr.childAt(b, i)
				walk(c, cn, level-1, b[i].t)
			}
		}
	}
	walk(tr.root, tr.rootLen(), int(tr.height), times[0])
}

// put stores a sample of any age at once.
func (m *merger) put(tr *tree, t int64, v uint64) (replaced, late bool) {
	if tr.root != 0 && t < tr.last {
		return m.merge(tr, []entry{{t, v}}) > 0, true
	}
	return tr.put(m.slab, t, v), false
}

// put stores a sample of any age as an appender does.
func (h *head) put(s *series, t int64, v uint64) {
	if s.root != 0 && t < s.last {
		h.hold(&s.run, entry{t, v})
	} else {
		s.put(&h.slab, t, v)
	}
}

// liveBlocks counts the blocks that are handed out, by class.
func liveBlocks(s *slab) (n [classes]int) {
	for _, p := range s.pages {
		n[p.class] += int(p.live)
	}
	return n
}

func TestTreeOrders(t *testing.T) {
	orders := map[string]func(i, n int) int64{
		"in order":         func(i, n int) int64 { return int64(i) },
		"reverse":          func(i, n int) int64 { return int64(n - i) },
		"negative":         func(i, n int) int64 { return int64(i - n/2) },
		"gap from its end": func(i, n int) int64 { return int64((n-i)%n) + int64(i/(n/2))*10 },
		"zigzag":           func(i, n int) int64 { return int64(i * (1 - 2*(i%2))) },
		"twice":            func(i, n int) int64 { return int64(i % (n / 2)) },
		"permuted":         func(i, n int) int64 { return int64(i * 7919 % n) },
		"interrupted":      func(i, n int) int64 { return int64(10*i + i/300*7) },
		"every third late": func(i, n int) int64 { return int64(10*i - i%3/2*1000) },
		"late on the step": func(i, n int) int64 { return int64(10*i - i%50/49*10*n/2) },
		"extremes":         func(i, n int) int64 { return int64(i%2)*9e18 - int64((i+1)%2)*9e18 + int64(i) },
	}
	for name, at := range orders {
		for _, n := range []int{1, 2, 3, 7, 100, 127, 128, 129, 300, 5000, 100_000} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				if n == 1 && name != "in order" {
					n = 2
				}
				var s slab
				var tr tree
				m := merger{slab: &s}
				h := newHead()
				var held series
				want := map[int64]uint64{}
				for i := range n {
					ts := at(i, n)
					_, had := want[ts]
					newest := len(want) == 0 || ts >= tr.last
					replaced, late := m.put(&tr, ts, uint64(i))
					if replaced != had || late == newest {
						t.Fatalf("put %d at %d: replaced %v want %v, late %v want %v", i, ts, replaced, had, late, !newest)
					}
					want[ts] = uint64(i)
					h.put(&held, ts, uint64(i))
				}
				checkTree(t, &tr, &s, want)
				h.settle(&held.run)
				checkTree(t, &held.tree, &h.slab, want)
				if dropped := tr.drop(&s); dropped != len(want) {
					t.Fatalf("dropped %d samples, want %d", dropped, len(want))
				}
				if live := liveBlocks(&s); live != [classes]int{} || s.held > classes {
					t.Fatalf("after drop there are %d pages, and blocks by class: %v", s.held, live)
				}
			})
		}
	}
}

// TestTreeFill holds the memory that orders of arrival take to what their comments say.
func TestTreeFill(t *testing.T) {
	const n = 100_000
	for name, tt := range map[string]struct {
		at   func(i int) int64
		most float64 // bytes a sample
	}{
		"in order":          {func(i int) int64 { return int64(i) }, 8.3},
		"with jitter":       {func(i int) int64 { return int64(10*i + i*7919%7) }, 16.5},
		"often interrupted": {func(i int) int64 { return int64(10*i + i/300*7) }, 16.5},
		"reverse":           {func(i int) int64 { return int64(-i) }, 17.2},
		"permuted":          {func(i int) int64 { return int64(i * 7919 % n) }, 25},
		"gap from its end":  {func(i int) int64 { return int64((i+1)%n - 2*i*(i%n&1)) }, 33},
	} {
		h := newHead()
		var s series
		for i := range n {
			h.put(&s, tt.at(i), 0)
		}
		h.settle(&s.run)
		bytes := 0
		for c, live := range liveBlocks(&h.slab) {
			bytes += live * 16 * minBlock << (c % regular)
		}
		if got := float64(bytes) / n; got > tt.most {
			t.Errorf("%s: %.1f bytes a sample, want at most %.1f", name, got, tt.most)
		}
	}
}

func TestTreeRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		h := newHead()
		s := &h.slab
		var other, tr series // two trees in one slab must not touch each other
		want := map[int64]uint64{}
		span := 1 + rnd.Int64N(3000)
		next := int64(0)
		for i := range 1 + rnd.IntN(4000) {
			var ts int64
			switch rnd.IntN(4) {
			case 0:
				ts = rnd.Int64N(span)
			case 1:
				ts = next - 1
			default:
				ts = next + 1
			}
			next = ts
			h.put(&tr, ts, uint64(i))
			want[ts] = uint64(i)
			h.put(&other, -ts, uint64(i))
			if rnd.IntN(500) == 0 {
				h.settle(&tr.run)
				mint := rnd.Int64N(span) - 100
				maxt := mint + rnd.Int64N(span)
				removed := 0
				for ts := range want {
					if mint <= ts && ts <= maxt {
						delete(want, ts)
						removed++
					}
				}
				if got := tr.cut(s, mint, maxt); got != removed {
					t.Fatalf("cut removed %d, want %d", got, removed)
				}
			}
		}
		h.settle(&tr.run)
		h.settle(&other.run)
		if h.holding != 0 {
			t.Fatalf("%d series hold late samples after all were settled", h.holding)
		}
		checkTree(t, &tr.tree, s, want)
		for range 20 {
			mint := rnd.Int64N(span) - 10
			maxt := mint + rnd.Int64N(100)
			n := 0
			for ts := range want {
				if mint <= ts && ts <= maxt {
					n++
				}
			}
			if got := collect(&tr.tree, s, mint, maxt, 7); len(got) != n {
				t.Fatalf("[%d, %d]: got %d samples, want %d", mint, maxt, len(got), n)
			}
		}
		tr.drop(s)
		other.drop(s)
		if live := liveBlocks(s); live != [classes]int{} {
			t.Fatalf("blocks left after drop, by class: %v", live)
		}
	}
}

func BenchmarkTreePut(b *testing.B) {
	for name, at := range map[string]func(i int) int64{
		"in_order": func(i int) int64 { return int64(i) },
		"reverse":  func(i int) int64 { return int64(-i) },
		"random":   func(i int) int64 { return int64(uint32(i) * 2654435761) },
	} {
		b.Run(name, func(b *testing.B) {
			h := newHead()
			var s series
			b.ReportAllocs()
			for i := range b.N {
				h.put(&s, at(i), uint64(i))
			}
		})
	}
}
