package tsdb

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"

	"metricd/internal/storage"
)

var _ storage.Watcher = (*DB)(nil)

const (
	// watchPiece is how many rows are looked at before only half as many are. So a watch looks at all rows where there are few, and of n
	// at watchPiece*log2(n/watchPiece) or so: 90,000 of ten million, which takes some milliseconds.
	watchPiece = 8192
	// watchLeast is how many times a series must have been seen for an estimate: with less it's chance who comes first.
	watchLeast = 4
)

// watch counts rows by series, as storage.Watcher has it. Of every so many rows one is counted, for all of them. Which one is chance: senders
// send their series in turn, and every hundredth row of a hundred series would always be of the same one. DB.mu guards it.
type watch struct {
	every int64 // one row of so many is looked at, a power of two
	left  int   // how many more before that is doubled
	next  int   // how many rows to pass over
	seen  map[storage.Ref]sightings
}

// sightings say how often a series was seen, and how many rows that stands for.
type sightings struct{ times, rows int64 }

// note takes note of the rows of a batch, but for those that were refused.
func (w *watch) note(b *storage.Batch) {
	i := w.next
	for ; i < len(b.Rows); i += w.step() {
		if _, refused := slices.BinarySearchFunc(b.Refused, i, func(r storage.Refusal, i int) int { return r.Row - i }); refused {
			continue
		}
		s := w.seen[b.Rows[i].Ref]
		w.seen[b.Rows[i].Ref] = sightings{s.times + 1, s.rows + w.every}
		if w.left--; w.left == 0 {
			w.left = watchPiece
			w.every *= 2
		}
	}
	w.next = i - len(b.Rows)
}

// step returns how many rows further on the next one is looked at: any number from 1 on, w.every on average.
func (w *watch) step() int { return 1 + int(rand.Int64N(2*w.every-1)) }

// Watch counts rows by series; see storage.Watcher.
func (db *DB) Watch() (end func(most int) storage.Busiest) {
	w := &watch{every: 1, left: watchPiece, seen: map[storage.Ref]sightings{}}
	db.mu.Lock()
	db.mu.watches = append(db.mu.watches, w)
	db.mu.Unlock()
	var once sync.Once
	return func(most int) (found storage.Busiest) {
		once.Do(func() { found = db.endWatch(w, most) })
		return found
	}
}

// noteLocked shows a batch to all who watch.
func (db *DB) noteLocked(b *storage.Batch) {
	for _, w := range db.mu.watches {
		w.note(b)
	}
}

// endWatch ends w and returns the busiest of the series that it saw often enough and that still exist.
func (db *DB) endWatch(w *watch, most int) storage.Busiest {
	db.mu.Lock()
	db.mu.watches = slices.DeleteFunc(db.mu.watches, func(other *watch) bool { return other == w })
	db.mu.Unlock()
	found := storage.Busiest{Exact: w.every == 1}
	refs := make([]storage.Ref, 0, len(w.seen))
	for ref, s := range w.seen {
		if found.Exact || s.times >= watchLeast {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b storage.Ref) int {
		return cmp.Or(cmp.Compare(w.seen[b].rows, w.seen[a].rows), cmp.Compare(a, b))
	})
	db.mu.RLock()
	defer db.mu.RUnlock()
	for _, ref := range refs {
		if db.mu.head == nil || len(found.Series) >= most { // nil: closed
			break
		}
		if s := db.mu.at(slot(ref)); uint32(s.id) == uint32(ref>>32) {
			found.Series = append(found.Series, storage.BusySeries{Key: s.key, Rows: w.seen[ref].rows})
		}
	}
	return found
}
