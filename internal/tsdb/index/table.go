package index

import "math/bits"

// table finds numbers by the hash of their texts: open addressing with linear probing, 8 bytes an entry and no pointers. Entries
// are never taken out. The place where a search begins is the hash's share of the length, so that the length can be any: a table
// is between half and three quarters full.
type table struct {
	entries []entry
	used    int
}

// entry stands for a number, or is empty if that is 0.
type entry struct {
	hash   uint32
	number uint32 // and one more
}

const leastTable = 8

// room makes room for n numbers more.
func (t *table) room(n int) {
	if (t.used+n)*4 <= len(t.entries)*3 {
		return
	}
	old := t.entries
	t.entries = make([]entry, max(leastTable, (t.used+n)*4/3+1, len(old)*3/2))
	for _, e := range old {
		if e.number != 0 {
			t.entries[t.free(e.hash)] = e
		}
	}
}

// home returns where a search for a hash begins.
func (t *table) home(hash uint32) int {
	hi, _ := bits.Mul32(hash, uint32(len(t.entries)))
	return int(hi)
}

// free returns the first empty entry for a hash.
func (t *table) free(hash uint32) int {
	i := t.home(hash)
	for t.entries[i].number != 0 {
		if i++; i == len(t.entries) {
			i = 0
		}
	}
	return i
}

// find returns the number with this hash for which is says yes.
func (t *table) find(hash uint32, is func(uint32) bool) (uint32, bool) {
	if t.used == 0 {
		return 0, false
	}
	for i := t.home(hash); ; {
		e := t.entries[i]
		if e.number == 0 {
			return 0, false
		}
		if e.hash == hash && is(e.number-1) {
			return e.number - 1, true
		}
		if i++; i == len(t.entries) {
			i = 0
		}
	}
}

// insert adds a number that is not there yet.
func (t *table) insert(hash, number uint32) {
	t.room(1)
	t.entries[t.free(hash)] = entry{hash, number + 1}
	t.used++
}
