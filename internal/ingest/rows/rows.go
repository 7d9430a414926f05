// Package rows gathers the samples of a request as rows for a store, for decoders whose senders spell the labels of a series
// with the same bytes each time (remotewrite, otlp).
//
// How a series is spelled, its ident, is remembered with the key and the storage.Ref that it stands for (Cache), so that a
// series that came before is found by comparing its bytes.
package rows

import (
	"hash/maphash"

	"metricd/internal/storage"
)

const (
	// maxBatch is how many rows the store takes at once, so that it keeps others waiting for a tenth of a millisecond only.
	maxBatch = 1024
	// Max is how many rows of a request may gather before they are stored. So what turns out to be broken leaves nothing
	// behind if it is no longer, and a request of 32 MiB does not become a gigabyte of rows.
	Max = 1 << 14
	// KeepBytes is how much memory of one kind is kept for the next request.
	KeepBytes = 4 << 20
)

// Gatherer takes the rows of one request after the other. The usual loop:
//
//	g.Begin()
//	for … {
//		if !g.Room(1) { g.Store(); …; g.Clear() }
//		if g.Find(ident) || g.Meet(ident, spell) { g.Add(t, v) }
//	}
//	g.Store(); …
//	g.Forget()
//
// It is for one goroutine at a time, has an Appender of its own, and shares the cache with others.
type Gatherer struct {
	cache *Cache
	app   storage.Appender
	view  *view
	guess uint32 // the entry that is expected next: senders send the same series in the same order
	key   []byte // of the series at hand
	from  origin // of key

	rows   []storage.Row
	origin []origin // one a row
	batch  storage.Batch
	failed []storage.Refusal // of rows
	fresh  []learned         // series that the young generation does not have
	texts  []byte            // memory for fresh
	seq    storage.Seq
}

// origin is where the key of a row comes from.
type origin struct {
	ref storage.Ref // with which the row was appended
	at  int32       // an entry of the young generation, or ^ a place in fresh
}

// NewGatherer returns a Gatherer without rows.
func NewGatherer(c *Cache, store storage.Store) *Gatherer {
	return &Gatherer{cache: c, app: store.Appender()}
}

// Appender returns that with which the rows are appended: it knows when they are durable.
func (g *Gatherer) Appender() storage.Appender { return g.app }

// Begin begins a request.
func (g *Gatherer) Begin() { g.view, g.seq = g.cache.view.Load(), 0 }

// Seq is that of what was stored since Begin.
func (g *Gatherer) Seq() storage.Seq { return g.seq }

// Len returns how many rows there are.
func (g *Gatherer) Len() int { return len(g.rows) }

// Row returns a row; the rows are as they were added, but for their Ref. It is valid until Clear.
func (g *Gatherer) Row(i int) *storage.Row { return &g.rows[i] }

// Room says whether there is room for n more rows; if not, Store and Clear make some.
func (g *Gatherer) Room(n int) bool { return len(g.rows)+n <= Max && len(g.texts) <= KeepBytes }

// Find says whether the series that ident spells is known. Add adds samples of it.
func (g *Gatherer) Find(ident []byte) bool {
	y := &g.view.young
	at := g.guess
	if !y.is(at, ident) {
		var ok bool
		if at, ok = y.find(maphash.Bytes(g.cache.seed, ident), ident); !ok {
			return false
		}
	}
	g.guess = at + 1
	e := y.entry(at)
	g.key = y.key(e)
	g.from = origin{storage.Ref(e.ref.Load()), int32(at)}
	return true
}

// Meet is for a series that Find does not know. spell appends the key of it to dst and says whether it has one; if not, nor has Meet.
func (g *Gatherer) Meet(ident []byte, spell func(dst []byte) ([]byte, bool)) bool {
	l := learned{hash: maphash.Bytes(g.cache.seed, ident)}
	start := len(g.texts)
	g.texts = append(g.texts, ident...)
	if at, ok := g.view.old.find(l.hash, ident); ok {
		e := g.view.old.entry(at)
		g.texts = append(g.texts, g.view.old.key(e)...)
		l.ref = storage.Ref(e.ref.Load())
	} else if g.texts, ok = spell(g.texts); !ok {
		g.texts = g.texts[:start]
		return false
	}
	text := g.texts[start:]
	l.ident, l.key = text[:len(ident):len(ident)], text[len(ident):]
	g.fresh = append(g.fresh, l)
	g.key = l.key
	g.from = origin{l.ref, ^int32(len(g.fresh) - 1)}
	return true
}

// Add adds a sample, at t ms, of the series that Find or Meet found since the last Clear.
func (g *Gatherer) Add(t int64, v float64) {
	g.rows = append(g.rows, storage.Row{Key: g.key, T: t, V: v, Ref: g.from.ref})
	g.origin = append(g.origin, g.from)
}

// Cut drops all rows but the first n.
func (g *Gatherer) Cut(n int) { g.rows, g.origin = g.rows[:n], g.origin[:n] }

// Store appends the rows to the store, and remembers what was new. n is how many were appended, all of them unless
// there is an error, which is then the store's; of these failed were refused, by ascending index. Clear is to follow, at which failed ends.
func (g *Gatherer) Store() (n int, failed []storage.Refusal, err error) {
	for first := 0; first < len(g.rows); first += maxBatch {
		g.batch.Rows = g.rows[first:min(first+maxBatch, len(g.rows))]
		seq, err := g.app.Append(&g.batch)
		if err != nil {
			return first, g.failed, err
		}
		g.seq = seq
		for _, f := range g.batch.Refused {
			g.failed = append(g.failed, storage.Refusal{Row: first + f.Row, Err: f.Err})
		}
	}
	g.remember()
	return len(g.rows), g.failed, nil
}

// remember tells the cache what was learned from the rows.
func (g *Gatherer) remember() {
	for i := range g.rows {
		ref, o := g.rows[i].Ref, g.origin[i]
		switch {
		case ref == o.ref:
		case o.at >= 0:
			g.view.young.entry(uint32(o.at)).ref.Store(uint64(ref))
		default:
			g.fresh[^o.at].ref = ref
		}
	}
	if len(g.fresh) > 0 {
		g.cache.learn(g.fresh)
	}
}

// Clear drops all rows.
func (g *Gatherer) Clear() {
	g.rows, g.origin, g.failed = g.rows[:0], g.origin[:0], g.failed[:0]
	g.fresh, g.texts = g.fresh[:0], g.texts[:0]
	g.view = g.cache.view.Load()
}

// Forget lets go of what belongs to the request, and of memory that few requests need. Begin is next.
func (g *Gatherer) Forget() {
	g.Clear()
	g.view = nil
	if cap(g.texts) > KeepBytes {
		g.texts = nil
	}
}
