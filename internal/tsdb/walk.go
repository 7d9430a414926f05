package tsdb

import (
	"context"

	"metricd/internal/storage"
	labelindex "metricd/internal/tsdb/index"
)

// walk goes over the series that may match, by ascending id: first those that the label index finds, then what it does not have
// yet. It holds nothing of the head between two steps. A series that comes meanwhile is at its end; one that ends is left out.
type walk struct {
	ms    []storage.Matcher
	found *labelindex.Postings // nil: there are none any more, or no matchers
	id    uint64               // series up to this one are behind, unless found has them
}

// newWalk begins a walk. DB.mu must not be held.
func (db *DB) newWalk(ctx context.Context, ms []storage.Matcher) (walk, error) {
	w := walk{ms: ms}
	if len(ms) == 0 {
		return w, nil
	}
	if err := db.updateIndex(ctx); err != nil {
		return w, err
	}
	var err error
	if w.found, err = db.labels.Select(ctx, ms); err != nil {
		return w, err
	}
	w.id = w.found.LastID()
	return w, nil
}

// some calls visit with the next series and matchers that are still to be tried on it. It looks at setChunk series at most,
// and returns false if there are no more. DB.mu must be held.
func (w *walk) some(h *head, visit func(at slot, s *series, ms []storage.Matcher)) (more bool) {
	looked := 0
	for ; w.found != nil && looked < setChunk; looked++ {
		ref, ok := w.found.Next()
		if !ok {
			w.found = nil
			break
		}
		if at, s := h.named(ref); at != 0 {
			visit(at, s, w.found.Rest())
		}
	}
	if w.found != nil {
		return true
	}
	i := h.after(w.id)
	for ; i < len(h.order) && looked < setChunk; i++ {
		w.id = h.ids[i]
		if at := h.order[i]; at != 0 {
			visit(at, h.at(at), w.ms)
			looked++
		}
	}
	return i < len(h.order)
}

// named returns the series that a Ref names, 0 if it has ended.
func (h *head) named(ref storage.Ref) (slot, *series) {
	at := slot(ref)
	s := h.at(at)
	if uint32(s.id) != uint32(ref>>32) {
		return 0, nil
	}
	return at, s
}

// updateIndex tells the label index of the series that are new. DB.mu must not be held: it is taken for some series at a time.
func (db *DB) updateIndex(ctx context.Context) error {
	lastID, live, err := db.present()
	if err != nil || !db.labels.Behind(lastID, live) {
		return err
	}
	return db.labels.Update(ctx, lastID, live, func(after uint64, buf []labelindex.Series) []labelindex.Series {
		db.mu.RLock()
		defer db.mu.RUnlock()
		h := db.mu.head
		if h == nil {
			return buf
		}
		for i := h.after(after); i < len(h.order) && h.ids[i] <= lastID && len(buf) < cap(buf); i++ {
			if at := h.order[i]; at != 0 {
				s := h.at(at)
				buf = append(buf, labelindex.Series{ID: s.id, Ref: refOf(at, s), Key: s.key})
			}
		}
		return buf
	})
}

// present returns the id of the newest series, which may have ended, and how many there are.
func (db *DB) present() (lastID uint64, live int, err error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.failure(); err != nil {
		return 0, 0, err
	}
	return db.mu.lastID, db.mu.count(), nil
}
