package tsdb

import (
	"hash/maphash"
	"math/bits"
)

// index finds the slots of series by the hash of their canonical key. It is an open-addressing
// hash table with linear probing that holds no pointers: at a million series Go's map takes
// 40 bytes and as much garbage for each, this 8 to 19. A table that is too full is replaced
// by a larger one to which every insertion moves a few entries, so that no put waits for all of
// them. It is empty once seed is set. Reading changes nothing.
type index struct {
	table
	old   table // what is not yet moved to table
	moved int   // entries of old that were
	seed  maphash.Seed
}

// table is a hash table of a power of two entries, at most 7/8 of them used.
type table struct {
	entries []indexEntry
	used    int // entries that are not empty
	live    int // entries with a slot
}

// indexEntry is empty, or was deleted (at is 0, hash is not), or stands for a series.
type indexEntry struct {
	hash uint32
	at   slot
}

const (
	leastTable = 64
	// movePerInsert is how many entries an insertion moves. A new table has room for what is moved
	// to it and for what is inserted meanwhile.
	movePerInsert = 16
)

// hash returns the hash of a canonical key. It differs from index to index, so that nobody can
// choose keys that collide.
func (x *index) hash(key []byte) uint32 {
	return uint32(maphash.Bytes(x.seed, key))
}

// find returns the slot with this hash for which is says yes, 0 if there is none.
func (x *index) find(hash uint32, is func(slot) bool) slot {
	e := x.table.find(hash, is)
	if e == nil {
		e = x.old.find(hash, is)
	}
	if e == nil {
		return 0
	}
	return e.at
}

func (t *table) find(hash uint32, is func(slot) bool) *indexEntry {
	if len(t.entries) == 0 {
		return nil
	}
	mask := uint32(len(t.entries) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch e := &t.entries[i]; {
		case *e == indexEntry{}:
			return nil
		case e.hash == hash && e.at != 0 && is(e.at):
			return e
		}
	}
}

// first returns the first slot with this hash, 0 if there is none in the newer table.
func (x *index) first(hash uint32) slot {
	if len(x.entries) == 0 {
		return 0
	}
	mask := uint32(len(x.entries) - 1)
	for i := hash & mask; x.entries[i] != (indexEntry{}); i = (i + 1) & mask {
		if x.entries[i].hash == hash {
			return x.entries[i].at
		}
	}
	return 0
}

// insert adds a slot that is not there yet.
func (x *index) insert(hash uint32, at slot) {
	if x.used+1 > len(x.entries)/8*7 {
		x.replace()
	}
	x.table.put(indexEntry{hash, at})
	for end := min(x.moved+movePerInsert, len(x.old.entries)); x.moved < end; x.moved++ {
		x.move(x.moved)
	}
	if x.moved == len(x.old.entries) {
		x.old = table{}
	}
}

// move moves an entry of the old table.
func (x *index) move(i int) {
	if e := &x.old.entries[i]; e.at != 0 {
		x.table.put(*e)
		x.old.remove(e)
	}
}

// replace begins a new table, which will be half full at most when the old one is empty.
func (x *index) replace() {
	for ; x.moved < len(x.old.entries); x.moved++ {
		x.move(x.moved)
	}
	x.old, x.moved = x.table, 0
	size := max(leastTable, 1<<bits.Len(uint(2*(x.old.live+len(x.old.entries)/movePerInsert+1))))
	x.table = table{entries: make([]indexEntry, size)}
}

func (t *table) put(e indexEntry) {
	mask := uint32(len(t.entries) - 1)
	i := e.hash & mask
	for t.entries[i] != (indexEntry{}) {
		i = (i + 1) & mask
	}
	t.entries[i] = e
	t.used++
	t.live++
}

func (t *table) remove(e *indexEntry) {
	*e = indexEntry{hash: 1}
	t.live--
}

// remove takes a slot out.
func (x *index) remove(hash uint32, at slot) {
	is := func(s slot) bool { return s == at }
	for _, t := range []*table{&x.table, &x.old} {
		if e := t.find(hash, is); e != nil {
			t.remove(e)
			return
		}
	}
	panic("BUG: a series that is not in the index")
}

// bytes returns the memory of the tables.
func (x *index) bytes() int64 { return int64(len(x.entries)+len(x.old.entries)) * 8 }
