package tsdb

import (
	"context"
	"slices"

	"metricd/internal/storage"
	labelindex "metricd/internal/tsdb/index"
)

// LabelNames returns the label names of the series that q names; see storage.Store.
func (db *DB) LabelNames(ctx context.Context, q storage.Query) ([]string, error) {
	a, err := db.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	if q.Key != "" || a.among.AtMost() < min(fewSeries, a.indexed) {
		return a.distinct(func(ls storage.Labels, add func(string)) {
			for _, l := range ls {
				add(l.Name)
			}
		})
	}
	names := a.find(func(among *labelindex.Places) (names []string) {
		db.labels.VisitNames(among, func(name string, refs *labelindex.Refs) bool {
			if a.sees(name, refs) {
				names = append(names, name)
			}
			return a.goesOn(len(names))
		})
		return names
	})
	return a.answer(names, func(name string) storage.Matcher {
		return mustMatch(name, storage.MatchNotEqual, "")
	})
}

// LabelValues returns the values of one label in the series that q names; see storage.Store.
func (db *DB) LabelValues(ctx context.Context, name string, q storage.Query) ([]string, error) {
	var own, others []storage.Matcher // those of the label itself choose among its values
	for _, m := range q.Matchers {
		if m.Name == name {
			own = append(own, m)
		} else {
			others = append(others, m)
		}
	}
	rest := q
	rest.Matchers = others
	a, err := db.ask(ctx, rest)
	a.q.Matchers = q.Matchers
	if err != nil {
		return nil, err
	}
	if q.Key != "" || a.among.AtMost() < min(max(fewSeries, db.labels.Values(name)/16), a.indexed) {
		return a.distinct(func(ls storage.Labels, add func(string)) {
			if v := ls.Get(name); v != "" {
				add(v)
			}
		})
	}
	values := a.find(func(among *labelindex.Places) []string {
		n := 0
		return db.labels.VisitValues(ctx, name, own, among, func(value string, refs *labelindex.Refs) (keep, more bool) {
			if keep = a.sees(value, refs); keep {
				n++
			}
			return keep, a.goesOn(n)
		})
	})
	return a.answer(values, func(value string) storage.Matcher {
		return mustMatch(name, storage.MatchEqual, value)
	})
}

// fewSeries are read one by one rather than looked for among all names or values.
const fewSeries = 64

// mustMatch makes a matcher that is no regular expression, so that there is no error.
func mustMatch(name string, t storage.MatchType, value string) storage.Matcher {
	m, err := storage.NewMatcher(name, t, value)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return m
}

// asked is a question for label names or values. The index knows which series have one, memory tells of most of them whether they have
// samples in range; where only chunks can tell the text is unsure, and settled in the end, without a lock.
type asked struct {
	db      *DB
	ctx     context.Context
	q       storage.Query
	among   *labelindex.Postings // the series that match
	indexed int                  // how many series the index has
	unsure  []string
	err     error

	mode   mode
	left   int  // how many series may still be looked at in mode looking
	locked bool // DB.mu is held, shared
	looked int  // series and texts since then
}

// mode is how sees finds out about a text.
type mode uint8

const (
	looking  mode = iota // looks at series of the text until one is in range
	knowing              // all series that it is given are in range
	doubting             // all may be
)

// ask begins a question. Unless it is about a key, the index has all series now.
func (db *DB) ask(ctx context.Context, q storage.Query) (*asked, error) {
	a := &asked{db: db, ctx: ctx, q: clamp(q)}
	a.q.Mint = max(a.q.Mint, db.oldest())
	if err := ctx.Err(); err != nil || q.Key != "" {
		return a, err
	}
	if err := db.updateIndex(ctx); err != nil {
		return a, err
	}
	lastIndexed, n := db.labels.State()
	lastID, live, err := db.present()
	if err != nil {
		return a, err
	}
	a.indexed = n
	if a.q.Mint <= storage.MinTime && a.q.Maxt >= storage.MaxTime && lastID == lastIndexed && live == n {
		a.mode = knowing // none has ended
	}
	a.among, err = db.labels.SelectAll(ctx, q.Matchers)
	return a, err
}

// find returns the texts that visit finds with sees. It begins with looks at some series of each text, which is all there is to do if
// most series are in range. If that takes many looks, all series are looked at, in the order in which they are in memory, which is
// ten times as fast for each.
func (a *asked) find(visit func(among *labelindex.Places) []string) []string {
	among := a.among.Places()
	a.left = a.indexed / 16
	texts := visit(among)
	if a.left >= 0 {
		return texts
	}
	in, maybe := among.Sift(a.look)
	a.unlock()
	a.unsure, a.left = nil, 0
	a.mode = doubting
	visit(maybe)
	a.mode = knowing
	texts = visit(in)
	a.unsure = slices.DeleteFunc(a.unsure, func(text string) bool {
		_, found := slices.BinarySearch(texts, text)
		return found
	})
	return texts
}

// sees says whether one of these series has a sample in range. It may hold the lock beyond its return; see pause.
func (a *asked) sees(text string, refs *labelindex.Refs) bool {
	unsure := false
	for ref, ok := refs.Next(); ok; ref, ok = refs.Next() {
		if a.mode == knowing {
			return true
		}
		if a.mode == doubting {
			unsure = true
			break
		}
		if a.left--; a.left < 0 || a.err != nil {
			return false
		}
		is, maybe := a.look(ref)
		if is {
			return true
		}
		unsure = unsure || maybe
	}
	if unsure {
		a.unsure = append(a.unsure, text)
	}
	return false
}

// look says whether a series has a sample in range, or may have one.
func (a *asked) look(ref storage.Ref) (is, maybe bool) {
	if !a.hold() {
		return false, false
	}
	h := a.db.mu.head
	at, s := h.named(ref)
	if at == 0 {
		return false, false
	}
	return h.holds(at, s, a.q.Mint, a.q.Maxt)
}

// hold sees to it that the lock is held, and lets go of it from time to time. It says whether there was no error.
func (a *asked) hold() bool {
	if a.err == nil {
		a.pause()
	}
	if a.err == nil && !a.locked {
		a.db.mu.RLock()
		a.locked = true
		a.err = a.db.failure()
	}
	return a.err == nil
}

// pause lets go of the lock when it was called often.
func (a *asked) pause() {
	if a.looked++; a.looked < setChunk {
		return
	}
	a.looked = 0
	a.unlock()
	a.err = a.ctx.Err()
}

func (a *asked) unlock() {
	if a.locked {
		a.db.mu.RUnlock()
		a.locked = false
	}
}

// goesOn says whether more than so many texts are wanted.
func (a *asked) goesOn(found int) bool {
	if a.err == nil {
		a.pause() // the lock must not be held for many visits in which nothing is looked at, either
	}
	return a.err == nil && a.left >= 0 && (a.q.Limit <= 0 || found < a.q.Limit)
}

// answer returns the texts, and those of the unsure ones that a series has which is, says only, the one with that matcher.
func (a *asked) answer(texts []string, only func(text string) storage.Matcher) ([]string, error) {
	a.unlock()
	sure := len(texts)
	for _, text := range a.unsure {
		before, _ := slices.BinarySearch(texts[:sure], text)
		if a.err != nil || a.q.Limit > 0 && before+len(texts)-sure >= a.q.Limit {
			break
		}
		q := a.q
		q.Matchers = append([]storage.Matcher{only(text)}, q.Matchers...)
		set := a.db.Select(a.ctx, q)
		if set.Next() {
			texts = append(texts, text)
		}
		a.err = set.Err()
		set.Close()
	}
	if len(texts) > sure {
		slices.Sort(texts)
	}
	return a.end(texts)
}

// end returns texts, sorted and distinct, when what they show is durable.
func (a *asked) end(texts []string) ([]string, error) {
	if a.err == nil {
		a.err = a.ctx.Err() // values may be missing
	}
	if a.err == nil {
		a.err = a.db.wait(a.ctx, a.db.seq.Load())
	}
	if a.err != nil {
		return nil, a.err
	}
	if n := a.q.Limit; n > 0 && len(texts) > n {
		texts = texts[:n]
	}
	return texts, nil
}

// distinct returns the texts that pick adds for the series that match.
func (a *asked) distinct(pick func(storage.Labels, func(string))) ([]string, error) {
	seen := make(map[string]struct{})
	set := a.db.Select(a.ctx, a.q)
	defer set.Close()
	for set.Next() {
		pick(set.At().Labels(), func(s string) { seen[s] = struct{}{} })
	}
	a.err = set.Err()
	texts := make([]string, 0, len(seen))
	for s := range seen {
		texts = append(texts, s)
	}
	slices.Sort(texts)
	return a.end(texts)
}
