package tsdb

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestIndex compares an index with a map, through growth, removals and many equal hashes.
func TestIndex(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, hashes := range []uint32{1, 50, 1 << 31} {
		var x index
		want := map[slot]uint32{}
		var all []slot
		for i := range slot(5000) {
			at := i + 1
			hash := rnd.Uint32N(hashes)
			x.insert(hash, at)
			want[at] = hash
			all = append(all, at)
			for rnd.IntN(10) < 4 && len(all) > 0 {
				j := rnd.IntN(len(all))
				gone := all[j]
				all[j] = all[len(all)-1]
				all = all[:len(all)-1]
				x.remove(want[gone], gone)
				delete(want, gone)
			}
			if i%500 != 0 {
				continue
			}
			for at := range i + 2 {
				hash, ok := want[at]
				if got := x.find(hash, func(s slot) bool { return s == at }); (got == at) != ok && at != 0 {
					t.Fatalf("after %d: find of %d gives %d, want it there: %v", i, at, got, ok)
				}
			}
			if n := x.live + x.old.live; n != len(want) {
				t.Fatalf("after %d: %d live, want %d", i, n, len(want))
			}
		}
	}
	// Few are left of very many: the table that replaces the large one must hold what comes
	// until that is moved.
	for _, stay := range []uint32{1, 16, 30, 500} {
		var x index
		for i := range uint32(20_000) {
			x.insert(i*2654435761, slot(i)+1)
		}
		for i := range 20_000 - stay {
			x.remove(i*2654435761, slot(i)+1)
		}
		for i := range uint32(50_000) {
			x.insert(i*2654435761, slot(i)+100_000)
			if x.used > len(x.entries)/8*7 {
				t.Fatalf("%d left: %d of %d entries used", stay, x.used, len(x.entries))
			}
			if i >= 10 {
				x.remove((i-10)*2654435761, slot(i-10)+100_000)
			}
		}
	}
	// Coming and going does not make it grow.
	var x index
	for i := range uint32(200_000) {
		x.insert(i, slot(i)+1)
		if i >= 100 {
			x.remove(i-100, slot(i-100)+1)
		}
	}
	if n := x.bytes(); n > 16<<10 {
		t.Errorf("%d bytes for 100 series", n)
	}
}

func TestSeriesSize(t *testing.T) {
	if n := reflect.TypeFor[series]().Size(); n != 64 {
		t.Errorf("a series takes %d bytes; seriesBytes counts on 64", n)
	}
}
