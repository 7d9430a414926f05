package blocks

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// A tableSet reads tables without Pebble around them: for each key the newest of its versions counts, and nothing if that is a
// deletion. So a table that is damaged hides nothing that others hold. Where they do, an older version may show.
//
// Versions have sequence numbers, but Pebble writes 0 where there was no older one. Among the tables that a MANIFEST
// names, 0 is the oldest, then. Without a MANIFEST there may be tables that were compacted into others and not yet deleted. Then a
// version with a number, in a table older than one that has the same key with 0, may be the newer or the older one: it is taken, and
// told as a doubt. And a deletion may be gone while what it deleted is there.
type tableSet struct {
	tables  []*table
	live    bool     // they are those that the MANIFEST names
	erasers []eraser // range deletions of all
	damage  func(Damage)

	at    tableHeap
	limit []byte
}

// tableRange names a table, and what counts of it.
type tableRange struct {
	name        string
	number      uint64
	lower       []byte // the first key; nil: from the start
	upper       []byte // the last key; nil: to the end
	upperBeside bool   // upper is the first behind it
}

// table is a table that is open. It is a source.
type table struct {
	tableRange
	path   string
	reader *sstable.Reader
	it     sstable.Iterator
	last   []byte // the key before the current one

	key   []byte
	seq   pebble.SeqNum
	kind  pebble.InternalKeyKind
	value []byte
	err   error
}

// eraser is a range deletion of [start, end), of versions below seq.
type eraser struct {
	start, end []byte
	seq        pebble.SeqNum
}

// openTables opens all that can be opened.
func openTables(ctx context.Context, o *Options, id Identity, names []tableRange, damage func(Damage)) *tableSet {
	s := &tableSet{damage: damage}
	for _, name := range names {
		t := &table{tableRange: name, path: o.FS.PathJoin(o.Dir, name.name)}
		if err := t.open(ctx, o, id); err != nil {
			damage(Damage{Err: asDamage(fmt.Errorf("%s: nothing of this table can be read: %w", t.path, err))})
			continue
		}
		s.tables = append(s.tables, t)
		if err := s.readErasers(ctx, t); err != nil {
			damage(Damage{Err: asDamage(fmt.Errorf("%s: what it deletes may show again: %w", t.path, err))})
		}
	}
	return s
}

func (t *table) open(ctx context.Context, o *Options, id Identity) (err error) {
	if t.reader, _, err = openTable(ctx, o, id, t.name); err != nil {
		return err
	}
	if _, err = t.reader.Layout(); err == nil { // so its indexes can be read
		t.it, err = t.reader.NewIter(sstable.NoTransforms, nil, nil, sstable.AssertNoBlobHandles)
	}
	if err != nil {
		return errors.Join(err, t.reader.Close())
	}
	return nil
}

// readErasers reads the range deletions of a table.
func (s *tableSet) readErasers(ctx context.Context, t *table) error {
	it, err := t.reader.NewRawRangeDelIter(ctx, sstable.NoFragmentTransforms, sstable.NoReadEnv)
	if it == nil || err != nil {
		return err
	}
	defer it.Close()
	span, err := it.First()
	for ; span != nil && err == nil; span, err = it.Next() {
		e := eraser{start: bytes.Clone(later(span.Start, t.lower)), end: bytes.Clone(span.End), seq: span.LargestSeqNum()}
		if t.upper != nil && bytes.Compare(t.upper, e.end) < 0 {
			e.end = t.upper // a deletion that is cut off by another one's table ends beside it
		}
		if bytes.Compare(e.start, e.end) < 0 {
			s.erasers = append(s.erasers, e)
		}
	}
	return err
}

func (s *tableSet) close() (err error) {
	for _, t := range s.tables {
		err = errors.Join(err, t.it.Close(), t.reader.Close())
	}
	return err
}

// scan calls visit with all keys from start up to limit.
func (s *tableSet) scan(ctx context.Context, start, limit []byte, visit func(key, value []byte) error) error {
	s.at, s.limit = s.at[:0], limit
	for _, t := range s.tables {
		t.last = append(t.last[:0], start...)
		s.settle(t, t.SeekGE(start))
	}
	var versions []version
	for s.at.Len() > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		versions = s.pop(versions[:0])
		newest := versions[0]
		if !newest.sets() || s.erased(newest) {
			continue
		}
		s.doubt(versions)
		if err := visit(newest.key, newest.value); err != nil {
			return err
		}
	}
	return nil
}

// settle puts t, which was moved, into the heap, if it is at a key; it goes on behind what can't be read.
func (s *tableSet) settle(t *table, valid bool) {
	if _, err := valueAt(t, valid); err != nil {
		lost := &Range{Series: bytes.HasPrefix(s.limit, seriesPrefix[:1]), After: position(t.last)}
		if valid = resume(t, t.last, s.limit); valid {
			lost.Before = position(t.key)
		}
		s.damage(Damage{Err: asDamage(fmt.Errorf("%s: %w", t.path, err)), Lost: lost})
	}
	if valid && bytes.Compare(t.key, s.limit) < 0 {
		heap.Push(&s.at, t)
	}
}

// version is what a table says of a key.
type version struct {
	key, value []byte
	seq        pebble.SeqNum
	kind       pebble.InternalKeyKind
	table      uint64
}

func (v version) sets() bool {
	return v.kind == pebble.InternalKeyKindSet || v.kind == pebble.InternalKeyKindSetWithDelete
}

// pop appends all versions of the next key, the newest first, and moves on.
func (s *tableSet) pop(dst []version) []version {
	for s.at.Len() > 0 && (len(dst) == 0 || bytes.Equal(s.at[0].key, dst[0].key)) {
		t := heap.Pop(&s.at).(*table)
		dst = append(dst, version{bytes.Clone(t.key), bytes.Clone(t.value), t.seq, t.kind, t.number})
		t.last = append(t.last[:0], t.key...)
		s.settle(t, t.Next())
	}
	return dst
}

// erased says whether a range deletion covers v.
func (s *tableSet) erased(v version) bool {
	for _, e := range s.erasers {
		if v.seq < e.seq && bytes.Compare(e.start, v.key) <= 0 && bytes.Compare(v.key, e.end) < 0 {
			return true
		}
	}
	return false
}

// doubt tells if the first of several versions need not be the newest.
func (s *tableSet) doubt(versions []version) {
	if s.live {
		return
	}
	newest := versions[0]
	for _, v := range versions[1:] {
		if v.seq == 0 && newest.seq > 0 && v.table > newest.table && v.sets() && !bytes.Equal(v.value, newest.value) {
			at := position(newest.key)
			s.damage(Damage{
				Err:  fmt.Errorf("%w: tables %06d and %06d both hold this, and nothing tells which is newer: the first was taken", ErrDamaged, newest.table, v.table),
				Lost: &Range{Series: bytes.HasPrefix(newest.key, seriesPrefix), After: at, Before: at},
			})
			return
		}
	}
}

func (t *table) SeekGE(key []byte) bool {
	kv := t.it.SeekGE(later(key, t.lower), 0)
	if kv == nil {
		return t.none()
	}
	value, _, err := kv.Value(nil)
	return t.take(kv.K, value, err)
}

func (t *table) SeekLT(key []byte) bool {
	if t.upper != nil && bytes.Compare(t.upper, key) < 0 {
		key = append(bytes.Clone(t.upper), 0) // upper may count itself
	}
	kv := t.it.SeekLT(key, 0)
	if kv == nil {
		return t.none()
	}
	value, _, err := kv.Value(nil)
	return t.take(kv.K, value, err)
}

func (t *table) Next() bool {
	kv := t.it.Next()
	if kv == nil {
		return t.none()
	}
	value, _, err := kv.Value(nil)
	return t.take(kv.K, value, err)
}

func (t *table) Prev() bool {
	kv := t.it.Prev()
	if kv == nil {
		return t.none()
	}
	value, _, err := kv.Value(nil)
	return t.take(kv.K, value, err)
}

func (t *table) none() bool {
	t.err = t.it.Error()
	return false
}

func (t *table) take(key pebble.InternalKey, value []byte, err error) bool {
	t.key, t.seq, t.kind, t.value, t.err = key.UserKey, key.SeqNum(), key.Kind(), value, err
	if bytes.Compare(t.key, t.lower) < 0 {
		return false
	}
	behind := bytes.Compare(t.key, t.upper)
	return t.upper == nil || behind < 0 || behind == 0 && !t.upperBeside
}

func (t *table) Key() []byte                  { return t.key }
func (t *table) ValueAndErr() ([]byte, error) { return t.value, t.err }
func (t *table) Error() error                 { return t.err }

// tableHeap has the table with the smallest key first, and of that key the newest version.
type tableHeap []*table

func (h tableHeap) Len() int { return len(h) }

func (h tableHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	if c := bytes.Compare(a.key, b.key); c != 0 {
		return c < 0
	}
	if a.seq != b.seq {
		return a.seq > b.seq
	}
	return a.number > b.number
}

func (h tableHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *tableHeap) Push(x any)   { *h = append(*h, x.(*table)) }

func (h *tableHeap) Pop() any {
	n := len(*h) - 1
	t := (*h)[n]
	*h = (*h)[:n]
	return t
}
