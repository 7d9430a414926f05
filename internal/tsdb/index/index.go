// Package index finds series by their labels: which match a list of matchers, and which names and values labels have.
//
// An Index is filled when it is asked, not when series come: its owner tells it of those that are new (Update) before
// a query. It never hears of the end of a series. What it finds its owner has to look at: a series may have ended, and whether it
// has samples in a range only the owner knows. When many have ended the index is made anew.
//
// # How it is made
//
// Series have places, in order of their ids: 0, 1, 2. For each label name there are its values, with a hash table to find one and,
// once a query wants ranges, their order by text; and for each value the places of the series that have it, ascending:
//
//	label "host"   value   text     places                     places   ref (slot and id)
//	               0       "a"      0                          0        cpu;host=a
//	               1       "b"      many 17 → 1 3 4            1        cpu;host=b
//	sorted: 0 1    hash table: hash → value                    …
//
// Texts are in the memory of the keys, which the owner has anyway. So a series whose only label is a name that no other has costs 42
// bytes, one with six labels of which it shares all 44, of which it shares five 70. A query (query.go) turns each matcher into a set
// of places (set.go), by a reading of its regular expression (pattern.go) that tries it on few values and remembers what it said
// of them (verdicts.go), and walks over the sets in step.
package index

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"metricd/internal/storage"
)

// Series is a series as its owner knows it.
type Series struct {
	ID  uint64 // ascending in order of first put, never 0
	Ref storage.Ref
	Key string // as storage.ParseKey reads it
}

// Index has the labels of series. The zero value is an empty one. It is safe for concurrent use.
//
// mu is held shared for a query, and exclusively to add series or to sort values. What an Update or a visitor calls meanwhile
// may take locks of the owner: those come after mu, and who holds them must not call the index.
type Index struct {
	bytes atomic.Int64

	mu struct {
		sync.RWMutex
		lastID uint64        // series up to this id were added
		refs   []storage.Ref // by place
		seed   maphash.Seed  // of labels, if there are some; differs from time to time, so that nobody can choose values that collide
		labels map[string]*label
		lists  [][]uint32     // of places, of values that several series have
		listed int            // how many places they have room for
		values int            // of all labels
		parsed storage.Labels // memory for those of the series at hand
	}
}

// deadSlack is how many series may have ended, beside as many as there are, before the index is made anew.
const deadSlack = 4096

// Behind says whether Update has something to do, if ids go up to lastID and there are so many series.
func (x *Index) Behind(lastID uint64, live int) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.mu.lastID < lastID || x.tooManyLocked(live)
}

// tooManyLocked says whether so many have ended that the index should be made anew.
func (x *Index) tooManyLocked(live int) bool { return len(x.mu.refs) > 2*live+deadSlack }

// State says up to which id series were added, and how many.
func (x *Index) State() (lastID uint64, series int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.mu.lastID, len(x.mu.refs)
}

// Bytes returns the memory of the index, without texts and the room that growing slices have to spare. It takes no lock.
func (x *Index) Bytes() int64 { return x.bytes.Load() }

func (x *Index) countBytesLocked() {
	n := 8*len(x.mu.refs) + 4*x.mu.listed + 24*len(x.mu.lists) + valueBytes*x.mu.values
	if l := x.mu.labels[storage.MetricName]; l != nil {
		n += 4 * cap(l.sums)
	}
	x.bytes.Store(int64(n))
}

// Update adds series up to the id lastID. next fills buf, which is empty, with some of those whose id is above after, ascending, and
// returns it; or an empty one, if there are no more. live is how many there are in all: if the index has far more, it
// begins anew. After an error what was added stays.
func (x *Index) Update(ctx context.Context, lastID uint64, live int, next func(after uint64, buf []Series) []Series) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.countBytesLocked()
	if x.mu.labels == nil || x.tooManyLocked(live) {
		x.mu.lists, x.mu.listed, x.mu.values, x.mu.lastID = nil, 0, 0, 0
		x.mu.refs = make([]storage.Ref, 0, live)
		x.mu.labels, x.mu.seed = make(map[string]*label), maphash.MakeSeed()
	}
	buf := make([]Series, 0, 1024)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if buf = next(x.mu.lastID, buf[:0]); len(buf) == 0 {
			x.mu.lastID = max(x.mu.lastID, lastID)
			clear(x.mu.parsed[:cap(x.mu.parsed)]) // it must not keep keys
			return nil
		}
		for i := range buf {
			x.addLocked(&buf[i])
		}
		clear(buf)
	}
}

func (x *Index) addLocked(s *Series) {
	place := uint32(len(x.mu.refs))
	x.mu.refs = append(x.mu.refs, s.Ref)
	x.mu.lastID = s.ID
	if strings.IndexByte(s.Key, ';') < 0 { // as ParseKey has it
		x.addLabelLocked(storage.MetricName, s.Key, place)
		return
	}
	x.mu.parsed = storage.ParseKeyInto(x.mu.parsed, s.Key)
	for _, l := range x.mu.parsed {
		x.addLabelLocked(l.Name, l.Value, place)
	}
}

func (x *Index) addLabelLocked(name, text string, place uint32) {
	l := x.mu.labels[name]
	if l == nil {
		l = &label{}
		x.mu.labels[name] = l
	}
	v, isNew := l.value(x.mu.seed, text)
	if isNew {
		x.mu.values++
		l.places = append(l.places, place)
		return
	}
	p := l.places[v]
	if p&many == 0 {
		l.places[v] = many | uint32(len(x.mu.lists))
		x.mu.lists = append(x.mu.lists, append(make([]uint32, 0, 4), p, place))
		x.mu.listed += 4
		return
	}
	list := &x.mu.lists[p&^many]
	room := cap(*list)
	*list = append(*list, place)
	x.mu.listed += cap(*list) - room
}
