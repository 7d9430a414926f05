package rows

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"metricd/internal/storage"
)

// Cache remembers which labels, by the bytes in which senders spell them, are which key of the store, and what the store
// calls that series. So a series that was sent before costs a comparison of bytes. It is shared by all senders: those of
// one Prometheus come on several connections, in turns. It is safe for concurrent use.
//
// Readers take no lock. They load a view and look up in that; whatever they can reach through it never changes, except
// refs and slots, which are atomic. Writers hold mu, write behind the ends of what views show, and then publish a new view. A slot may
// name an entry that is younger than the view: that entry is not there.
//
// It is bounded by two generations: when the young one has taken half of the memory it becomes the old one, whose
// entries are taken over into the young one when they are used, and an old one that was there is dropped.
type Cache struct {
	seed  maphash.Seed
	limit int // bytes
	view  atomic.Pointer[view]
	mu    sync.Mutex // held to write
}

// view is what is known at a moment.
type view struct {
	young, old generation
}

// generation is a table of entries, found by the hash of what they spell: open addressing with linear probing.
//
//	blocks   texts, one after the other: spelling, key, spelling, key …; none lies in two blocks
//	entries  by number, in the order in which they were learned, in pages
//	slots    0, or 1 + the number of an entry; a power of two, at most three quarters in use
type generation struct {
	blocks [][]byte
	pages  []*[entryPage]entry
	n      uint32 // entries
	slots  []atomic.Uint32
	used   int // bytes in the last block
}

// entry is one series as it is spelled by some sender.
type entry struct {
	hash     uint64
	ref      atomic.Uint64 // a storage.Ref
	text     uint32        // where its texts begin: the block <<16 | the byte
	identLen uint16        // bytes of the spelling
	keyLen   uint16        // bytes of the key
}

const (
	entryPage = 1024
	blockSize = 1 << 16
	// maxTexts is how many bytes spelling and key of an entry may have; longer ones are not remembered.
	maxTexts = 1 << 13
	// minSlots is how many slots a generation has at least.
	minSlots = 1 << 10
)

// NewCache returns an empty cache that takes limit bytes at most, but for some 100 KiB.
func NewCache(limit int) *Cache {
	c := &Cache{seed: maphash.MakeSeed(), limit: limit}
	c.view.Store(&view{young: generation{slots: make([]atomic.Uint32, minSlots)}})
	return c
}

// Len returns how many entries there are.
func (c *Cache) Len() int {
	v := c.view.Load()
	return int(v.young.n + v.old.n)
}

// learned is a series to remember.
type learned struct {
	hash       uint64
	ident, key []byte // copied
	ref        storage.Ref
}

// learn remembers series.
func (c *Cache) learn(all []learned) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := *c.view.Load()
	for i := range all {
		l := &all[i]
		if len(l.ident)+len(l.key) > maxTexts {
			continue
		}
		if at, ok := v.young.find(l.hash, l.ident); ok {
			if l.ref != 0 {
				v.young.entry(at).ref.Store(uint64(l.ref))
			}
			continue
		}
		if v.young.bytes() > c.limit/2 {
			v.old = v.young
			v.young = generation{slots: make([]atomic.Uint32, minSlots)}
		}
		v.young.add(l)
	}
	c.view.Store(&v)
}

func (g *generation) entry(at uint32) *entry { return &g.pages[at/entryPage][at%entryPage] }

// ident returns what an entry spells.
func (g *generation) ident(e *entry) []byte {
	at := e.text & (blockSize - 1)
	return g.blocks[e.text>>16][at : at+uint32(e.identLen)]
}

// key returns the key of an entry.
func (g *generation) key(e *entry) []byte {
	at := e.text&(blockSize-1) + uint32(e.identLen)
	end := at + uint32(e.keyLen)
	return g.blocks[e.text>>16][at:end:end]
}

// is says whether there is an entry at, and it spells ident.
func (g *generation) is(at uint32, ident []byte) bool {
	return at < g.n && string(g.ident(g.entry(at))) == string(ident)
}

// find returns the number of the entry that spells ident.
func (g *generation) find(hash uint64, ident []byte) (at uint32, ok bool) {
	if len(g.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(g.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		at := g.slots[i].Load()
		if at == 0 {
			return 0, false
		}
		if at--; at >= g.n || g.entry(at).hash != hash {
			continue
		}
		if g.is(at, ident) {
			return at, true
		}
	}
}

// add adds an entry that is not there. What views show of g stays as it is.
func (g *generation) add(l *learned) {
	need := len(l.ident) + len(l.key)
	if len(g.blocks) == 0 || g.used+need > blockSize {
		g.blocks = append(g.blocks, make([]byte, blockSize))
		g.used = 0
	}
	if g.n%entryPage == 0 {
		g.pages = append(g.pages, new([entryPage]entry))
	}
	block := g.blocks[len(g.blocks)-1]
	copy(block[g.used:], l.ident)
	copy(block[g.used+len(l.ident):], l.key)
	e := g.entry(g.n)
	e.hash, e.text = l.hash, uint32(len(g.blocks)-1)<<16|uint32(g.used)
	e.identLen, e.keyLen = uint16(len(l.ident)), uint16(len(l.key))
	e.ref.Store(uint64(l.ref))
	g.used += need
	g.n++
	if int(g.n) > len(g.slots)/4*3 {
		g.slots = make([]atomic.Uint32, 2*len(g.slots))
		for at := range g.n {
			g.place(at)
		}
		return
	}
	g.place(g.n - 1)
}

// place makes a slot name the entry at.
func (g *generation) place(at uint32) {
	mask := uint64(len(g.slots) - 1)
	i := g.entry(at).hash & mask
	for g.slots[i].Load() != 0 {
		i = (i + 1) & mask
	}
	g.slots[i].Store(at + 1)
}

// bytes returns the memory that g takes.
func (g *generation) bytes() int {
	const entryBytes = 24
	return len(g.blocks)*blockSize + len(g.pages)*entryPage*entryBytes + len(g.slots)*4
}
