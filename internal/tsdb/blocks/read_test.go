package blocks

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// put stores a chunk for each place; its bytes say where.
func put(t testing.TB, s *Store, places ...place) {
	t.Helper()
	b := s.NewBatch()
	for _, p := range places {
		b.PutChunk(p.window, p.id, p.first, fmt.Append(nil, p))
	}
	if err := errors.Join(b.Commit(), b.Close()); err != nil {
		t.Fatal(err)
	}
}

// rest returns the places from where a cursor is, and checks what is there.
func rest(t testing.TB, c *Cursor, ok bool) (places []place) {
	t.Helper()
	for ; ok; ok = c.Next() {
		p := place{c.Window(), c.ID(), c.First()}
		if b, err := c.Chunk(); err != nil || string(b) != fmt.Sprint(p) {
			t.Errorf("%v holds %q, %v", p, b, err)
		}
		places = append(places, p)
	}
	if c.Err() != nil {
		t.Error(c.Err())
	}
	return places
}

const lo, hi = math.MinInt64, math.MaxInt64

func TestCursor(t *testing.T) {
	noLeak(t)
	s := mustOpen(t, Options{FS: vfs.NewMem()})
	defer mustClose(t, s)
	all := []place{
		{lo, 5, lo},
		{lo, 5, hi},
		{-3e9, 5, -7},
		{0, 4, 50},
		{0, 5, 0},
		{0, 5, 10},
		{0, 5, 20},
		{0, 6, -9},
		{1, 4, 1000},
		{1, 6, 1000},
		{2, math.MaxUint64, 1},
		{4e9, 5, 70},
		{hi, 0, 1},
		{hi, 5, hi},
	}
	put(t, s, all...)
	c, err := s.NewCursor()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		window int64
		id     uint64
		t      int64
		want   []place
	}{
		{0, 5, lo, all[4:7]},
		{0, 5, -1, all[4:7]},
		{0, 5, 0, all[4:7]},
		{0, 5, 9, all[4:7]},
		{0, 5, 10, all[5:7]},
		{0, 5, 19, all[5:7]},
		{0, 5, 21, all[6:7]},
		{0, 5, hi, all[6:7]},
		{0, 6, -10, all[7:8]},
		{0, 3, 5, nil},
		{0, 7, 5, nil},
		{5, 5, 5, nil},
		{lo, 5, lo, all[:2]},
		{lo, 5, 0, all[:2]},
		{lo, 5, hi - 1, all[:2]},
		{lo, 5, hi, all[1:2]},
		{hi, 5, lo, all[13:]},
		{hi, 5, hi, all[13:]},
		{hi, 6, hi, nil},
	} {
		if got := rest(t, c, c.SeekTime(tt.window, tt.id, tt.t)); !slices.Equal(got, tt.want) {
			t.Errorf("SeekTime(%d, %d, %d): %v, want %v", tt.window, tt.id, tt.t, got, tt.want)
		}
	}
	for _, tt := range []struct {
		window int64
		id     uint64
		t      int64
		want   []place
	}{
		{lo, 0, lo, all},
		{0, 0, lo, all[3:]},
		{0, 5, 10, all[5:]},
		{0, 5, 11, all[6:]},
		{0, 6, -8, all[8:]},
		{7, 0, lo, all[11:]},
		{hi, 0, lo, all[12:]},
		{hi, 6, lo, nil},
	} {
		if got := rest(t, c, c.SeekFrom(tt.window, tt.id, tt.t)); !slices.Equal(got, tt.want) {
			t.Errorf("SeekFrom(%d, %d, %d): %v, want %v", tt.window, tt.id, tt.t, got, tt.want)
		}
	}
	for _, tt := range []struct {
		id   uint64
		want []int64
	}{
		{5, []int64{lo, -3e9, 0, 4e9, hi}},
		{4, []int64{0, 1}},
		{math.MaxUint64, []int64{2}},
		{0, []int64{hi}},
		{1, nil},
	} {
		var got []int64
		for w, ok := c.FindWindowOf(tt.id, lo); ok; w, ok = c.FindWindowOf(tt.id, w+1) {
			got = append(got, w)
			if places := rest(t, c, true); len(places) == 0 || places[0].id != tt.id || places[0].window != w {
				t.Errorf("FindWindowOf(%d) in window %d is at %v", tt.id, w, places)
			}
			if w == hi {
				break
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("windows of %d: %v, want %v", tt.id, got, tt.want)
		}
		w, ok := c.FindLastWindowOf(tt.id)
		if ok != (len(got) > 0) || ok && w != got[len(got)-1] {
			t.Errorf("the last window of %d: %d, %v, want the last of %v", tt.id, w, ok, got)
		}
		if ok && (c.Window() != w || c.ID() != tt.id || len(rest(t, c, true)) != 1) {
			t.Errorf("FindLastWindowOf(%d) is not on its last chunk", tt.id)
		}
	}
	if w, ok := c.LastWindow(); w != hi || !ok {
		t.Errorf("LastWindow: %d, %v", w, ok)
	}
	// A cursor does not see what is committed after it.
	b := s.NewBatch()
	b.DeleteWindows(lo, hi)
	if err := errors.Join(b.Commit(), b.Close()); err != nil {
		t.Fatal(err)
	}
	if got := rest(t, c, c.SeekFrom(0, 0, lo)); len(got) != 11 {
		t.Errorf("after a later delete: %v", got)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, s); len(got.chunks) > 0 {
		t.Errorf("after the delete: %v", got.chunks)
	}
}

// TestDeleteWindows: the ends are included, and nothing beside them goes.
func TestDeleteWindows(t *testing.T) {
	for _, tt := range []struct{ first, last int64 }{{0, 0}, {lo, lo}, {hi, hi}, {lo, -1}, {-1, 1}, {lo, hi}, {1, 0}} {
		s := mustOpen(t, Options{FS: vfs.NewMem()})
		want := map[place]string{}
		for _, w := range []int64{lo, lo + 1, -1, 0, 1, hi - 1, hi} {
			for _, p := range []place{{w, 0, lo}, {w, math.MaxUint64, hi}} {
				put(t, s, p)
				if w < tt.first || w > tt.last {
					want[p] = fmt.Sprint(p)
				}
			}
		}
		b := s.NewBatch()
		b.DeleteWindows(tt.first, tt.last)
		if err := errors.Join(b.Commit(), b.Close()); err != nil {
			t.Fatal(err)
		}
		if got := mustRead(t, s); !maps.Equal(got.chunks, want) {
			t.Errorf("%v: %v, want %v", tt, got.chunks, want)
		}
		mustClose(t, s)
	}
}

// TestModel compares a store to maps under random changes, flushes, reopening and reads.
func TestModel(t *testing.T) {
	noLeak(t)
	rapid.Check(t, func(t *rapid.T) {
		o := Options{Dir: testDir, FS: vfs.NewMem(), memTable: 64 << 10}
		s, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		want := newContent()
		window := rapid.OneOf(rapid.Int64Range(-2, 2), rapid.Int64())
		id := rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64())
		value := rapid.SliceOfN(rapid.Byte(), 0, 40)
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				got, err := read(s)
				if err != nil || !got.equal(want) {
					t.Fatalf("%v; %s", err, got.diff(want))
				}
			},
			"batch": func(t *rapid.T) {
				b := s.NewBatch()
				defer b.Close()
				for range rapid.IntRange(1, 5).Draw(t, "n") {
					p := place{window.Draw(t, "window"), id.Draw(t, "id"), window.Draw(t, "first")}
					v := value.Draw(t, "value")
					switch rapid.IntRange(0, 5).Draw(t, "kind") {
					case 0:
						b.PutSeries(p.id, v)
						want.series[p.id] = string(v)
					case 1:
						b.DeleteSeries(p.id)
						delete(want.series, p.id)
					case 2:
						b.DeleteChunk(p.window, p.id, p.first)
						delete(want.chunks, p)
					case 3:
						last := window.Draw(t, "last")
						b.DeleteWindows(p.window, last)
						maps.DeleteFunc(want.chunks, func(q place, _ string) bool { return p.window <= q.window && q.window <= last })
					default:
						b.PutChunk(p.window, p.id, p.first, v)
						want.chunks[p] = string(v)
					}
				}
				if err := b.Commit(); err != nil {
					t.Fatal(err)
				}
			},
			"flush": func(t *rapid.T) {
				if err := s.Flush(Marks{}); err != nil {
					t.Fatal(err)
				}
			},
			"drop": func(t *rapid.T) {
				b := s.NewBatch()
				defer b.Close()
				last := window.Draw(t, "last")
				b.DeleteWindows(math.MinInt64, last)
				maps.DeleteFunc(want.chunks, func(q place, _ string) bool { return q.window <= last })
				if err := errors.Join(b.Commit(), s.Flush(Marks{}), s.Reclaim(last)); err != nil {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) {
				if err := errors.Join(s.Flush(Marks{}), s.Close()); err != nil {
					t.Fatal(err)
				}
				if s, err = Open(o); err != nil {
					t.Fatal(err)
				}
			},
			"seek": func(t *rapid.T) {
				p := place{window.Draw(t, "window"), id.Draw(t, "id"), window.Draw(t, "time")}
				var first *int64
				for q := range want.chunks {
					if q.window == p.window && q.id == p.id && better(q.first, first, p.first) {
						first = &q.first
					}
				}
				c, err := s.NewCursor()
				if err != nil {
					t.Fatal(err)
				}
				ok := c.SeekTime(p.window, p.id, p.first)
				if ok != (first != nil) || ok && c.First() != *first {
					t.Errorf("SeekTime(%v): %v, %d; want %v", p, ok, c.First(), first)
				}
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}

// better says whether a chunk that begins at first is nearer to what SeekTime should find for t than the best so far.
func better(first int64, best *int64, t int64) bool {
	if best == nil {
		return true
	}
	if first <= t {
		return *best > t || first > *best
	}
	return *best > t && first < *best
}
