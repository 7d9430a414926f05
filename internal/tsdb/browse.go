package tsdb

import (
	"context"
	"fmt"

	"metricd/internal/chunk"
	"metricd/internal/storage"
	labelindex "metricd/internal/tsdb/index"
)

// The methods of storage.Browser, over the label index. Where no series has ended since that was made, and nothing is hidden, it alone knows
// how many series there are; else memory is asked about each that is counted.

// sight looks whether series are there and not hidden. It may hold DB.mu, shared, between two looks.
type sight struct {
	a      *asked
	oldest int64
}

// sees says whether a series counts.
func (s *sight) sees(ref storage.Ref) bool { return s.look(ref) != nil }

// look returns a series that counts, else nil. It is good until the next look. After an error nothing counts.
func (s *sight) look(ref storage.Ref) *series {
	if !s.a.hold() {
		return nil
	}
	h := s.a.db.mu.head
	at, found := h.named(ref)
	if at == 0 || h.newest(at, found) < s.oldest {
		return nil
	}
	return found
}

// browse calls f with the names that begin with prefix. Its error is that of the look-up or of what f asked.
func (db *DB) browse(ctx context.Context, prefix string, f func(*labelindex.Names, *sight)) error {
	a, err := db.ask(ctx, storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	if err != nil {
		return err
	}
	s := &sight{a, db.oldest()}
	sees := s.sees
	if a.mode == knowing {
		sees = nil
	}
	db.labels.Browse(prefix, sees, func(n *labelindex.Names) {
		defer a.unlock()
		f(n, s)
	})
	_, err = a.end(nil)
	return err
}

// Children implements storage.Browser.
func (db *DB) Children(ctx context.Context, q storage.ChildQuery) (found storage.Children, err error) {
	err = db.browse(ctx, q.Prefix, func(n *labelindex.Names, s *sight) {
		if q.Prefix == "" && q.After == nil {
			if c := unnamed(n); c.Metric+c.Below > 0 {
				found.List = append(found.List, c)
			}
			q.After = new(string)
		}
		n.Children(q.After, func(c storage.Child) bool {
			if found.More = len(found.List) == q.Limit; found.More {
				return false
			}
			found.List = append(found.List, c)
			return s.a.err == nil
		})
	})
	return found, err
}

// unnamed returns the empty segment of all names: series without a name, and those that begin with a dot.
func unnamed(n *labelindex.Names) storage.Child {
	c := storage.Child{Metric: n.Count(true)}
	n.Children(nil, func(first storage.Child) bool {
		if first.Segment == "" {
			c.Below = first.Below
		}
		return false
	})
	return c
}

// Find implements storage.Browser.
func (db *DB) Find(ctx context.Context, q storage.FindQuery) (found storage.Finding, err error) {
	err = db.browse(ctx, q.Prefix, func(n *labelindex.Names, s *sight) {
		var among *labelindex.Places
		if len(q.Words) == 0 {
			found.Total = n.Count(q.Exact)
		} else {
			among = n.Matching(ctx, q.Words)
			found.Total = n.Visible(among, q.Exact)
		}
		after := storage.Position{}
		if q.After != nil {
			after = *q.After
		}
		n.Each(among, q.Exact, after.Name, func(name string, ref storage.Ref) bool {
			series := s.look(ref)
			if series == nil || name == after.Name && series.id <= after.ID {
				return s.a.err == nil
			}
			if found.More = len(found.List) == q.Limit; found.More {
				return false
			}
			found.List = append(found.List, storage.Found{Position: storage.Position{Name: name, ID: series.id}, Key: series.key})
			return true
		})
	})
	return found, err
}

// Newest implements storage.Browser.
func (db *DB) Newest(ctx context.Context, key string) (ms int64, found bool, err error) {
	ms, id, unread, err := db.newestOf(key)
	if err != nil || id == 0 {
		return 0, false, err
	}
	if unread { // since Open
		stored, err := db.newestStored(id)
		if err != nil {
			return 0, false, fmt.Errorf("series %s: %w", key, db.chunksError(err))
		}
		ms = max(ms, stored)
	}
	return ms, true, db.wait(ctx, db.seq.Load())
}

// newestOf returns what memory knows of the newest sample of a series; unread says that chunks may have a newer one. id is 0 if there is no such series.
func (db *DB) newestOf(key string) (ms int64, id uint64, unread bool, err error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.failure(); err != nil {
		return 0, 0, false, err
	}
	h := db.mu.head
	at := h.find(storage.AppendCanonical(nil, []byte(key)))
	if at == 0 {
		return 0, 0, false, nil
	}
	s, st := h.at(at), h.storedOf(at)
	ms = h.newestInMemory(at, s)
	if st.known == someChunks {
		ms = max(ms, st.last)
	}
	return ms, s.id, st.known == unknown, nil
}

// newestStored returns the time of the newest sample in the chunks of a series, minInt64 if there is none.
func (db *DB) newestStored(id uint64) (ms int64, err error) {
	cur, err := db.blocks.NewCursor()
	if err != nil {
		return 0, err
	}
	defer cur.Close()
	if _, found := cur.FindLastWindowOf(id); !found {
		return minInt64, cur.Err()
	}
	data, err := cur.Chunk()
	if err != nil {
		return 0, err
	}
	head, err := chunk.ReadHeader(data)
	if err != nil {
		return 0, fmt.Errorf("chunk of window %d at %d ms: %w", cur.Window(), cur.First(), err)
	}
	return head.Last, nil
}
