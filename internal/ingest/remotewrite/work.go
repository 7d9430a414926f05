package remotewrite

import (
	"errors"
	"hash/maphash"

	"metricd/internal/storage"
)

const (
	// maxBatch is how many rows the store takes at once, so that it keeps others waiting for a tenth of a millisecond only.
	maxBatch = 1024
	// maxRows is how many rows of a request may gather before they are stored. So what turns out to be broken leaves nothing
	// behind if it is no longer, and a request of 32 MiB does not become a gigabyte of rows.
	maxRows = 1 << 14
	// keepBytes is how much memory of one kind a work keeps for the next request.
	keepBytes = 4 << 20
)

// errUndecodable: the message is not what the Content-Type says.
var errUndecodable = errors.New("the message is broken: it is not protobuf of the type that Content-Type says")

// work turns one request after the other into rows of the store. It is for one goroutine at a time.
type work struct {
	cache  *cache
	meta   Metadata
	maxKey int
	app    storage.Appender

	body    []byte   // the message at hand
	symbols []symbol // of a message of version 2

	view  *view
	guess uint32 // the entry that is expected next: senders send the same series in the same order
	key   []byte // of the series at hand
	from  origin // of key

	rows   []storage.Row
	origin []origin // one a row
	hists  []rows   // which rows come from a histogram, ascending
	batch  storage.Batch
	failed []storage.Refusal // of rows
	fresh  []learned         // series that the young generation does not have
	texts  []byte            // memory for fresh

	speller speller
	hist    histogram
	flat    []byte // memory for the ident of the series at hand
	derived []byte // and for that of a series of its histogram

	result
}

// origin is where the key of a row comes from.
type origin struct {
	ref storage.Ref // with which the row was appended
	at  int32       // an entry of the young generation, or ^ a place in fresh
}

// rows are those from first up to but not including end.
type rows struct {
	first, end int
	partly     bool // a histogram that they don't hold wholly
}

// result is what became of a request.
type result struct {
	seq        storage.Seq // of what was stored
	samples    int         // stored
	histograms int         // stored wholly
	exemplars  int         // left out
	refused    refusals
}

// take decodes the message and stores what it holds. Its error is why it did not come to the end: errUndecodable, or one
// of the store. What result counts is stored all the same.
func (w *work) take(v version) error {
	w.result, w.view = result{}, w.cache.view.Load()
	var err error
	switch v {
	case version1:
		err = w.request1()
	case version2:
		err = w.request2()
	}
	if err == nil {
		err = w.store()
	}
	w.forget()
	return err
}

// forget lets go of what belongs to the request, and of memory that few requests need.
func (w *work) forget() {
	w.clear()
	w.symbols, w.view = w.symbols[:0], nil
	if cap(w.body) > keepBytes {
		w.body = nil
	}
	if cap(w.symbols) > keepBytes/8 {
		w.symbols = nil
	}
	if cap(w.texts) > keepBytes {
		w.texts = nil
	}
	if cap(w.flat) > keepBytes {
		w.flat, w.derived = make([]byte, 0, 1<<10), nil
	}
}

// clear forgets the rows.
func (w *work) clear() {
	w.rows, w.origin, w.hists = w.rows[:0], w.origin[:0], w.hists[:0]
	w.failed, w.fresh, w.texts = w.failed[:0], w.fresh[:0], w.texts[:0]
}

// room says whether there is room for n more rows.
func (w *work) room(n int) bool { return len(w.rows)+n <= maxRows && len(w.texts) <= keepBytes }

// elements takes the samples, histograms and exemplars among the fields b of a TimeSeries of the series that ident
// spells. why is why all are to be refused, if not taken. Samples are field 2 in both versions; the keys of the other two are given.
func (w *work) elements(ident, b []byte, why reason, histograms, exemplars uint64) error {
	found := false // series is that of ident
	m := message{rest: b}
	for m.next() {
		switch m.key {
		case 2<<3 | bytesType:
			t, v, ok := decodeSample(m.data)
			if !ok {
				return errUndecodable
			}
			if !w.room(1) {
				if err := w.store(); err != nil {
					return err
				}
				found = false
			}
			if !found && why == taken {
				why = w.find(ident)
				found = true
			}
			switch why {
			case taken:
				w.row(t, v)
			case undecodable:
				return errUndecodable
			default:
				w.refuse(why, false, ident, t)
			}
		case histograms:
			if err := w.histogram(ident, m.data, why); err != nil {
				return err
			}
			found = false
		case exemplars:
			w.exemplars++
		}
	}
	if m.bad {
		return errUndecodable
	}
	return nil
}

// row appends a sample of the series that find found.
func (w *work) row(t int64, v float64) {
	w.rows = append(w.rows, storage.Row{Key: w.key, T: t, V: v, Ref: w.from.ref})
	w.origin = append(w.origin, w.from)
}

// find sets key and from to the series that ident spells.
func (w *work) find(ident []byte) reason {
	g := &w.view.young
	at := w.guess
	if !g.is(at, ident) {
		hash := maphash.Bytes(w.cache.seed, ident)
		var ok bool
		if at, ok = g.find(hash, ident); !ok {
			return w.meet(hash, ident)
		}
	}
	w.guess = at + 1
	e := g.entry(at)
	w.key = g.key(e)
	w.from = origin{storage.Ref(e.ref.Load()), int32(at)}
	return taken
}

// meet is find for a series that the young generation does not have; it takes note of it.
func (w *work) meet(hash uint64, ident []byte) reason {
	if len(ident) > 3*w.maxKey+suffixBytes { // an ident is twice as long as its key at most, but for labels without values
		return longLabels
	}
	l := learned{hash: hash}
	start := len(w.texts)
	w.texts = append(w.texts, ident...)
	if at, ok := w.view.old.find(hash, ident); ok {
		e := w.view.old.entry(at)
		w.texts = append(w.texts, w.view.old.key(e)...)
		l.ref = storage.Ref(e.ref.Load())
	} else {
		var why reason
		if w.texts, why = w.speller.spell(w.texts, ident, w.maxKey); why != taken {
			w.texts = w.texts[:start]
			return why
		}
	}
	text := w.texts[start:]
	l.ident, l.key = text[:len(ident):len(ident)], text[len(ident):]
	w.fresh = append(w.fresh, l)
	w.key = l.key
	w.from = origin{l.ref, ^int32(len(w.fresh) - 1)}
	return taken
}

// store stores the rows, and remembers what was new. Its error is why it could not; the rows are gone in any case.
func (w *work) store() error {
	defer w.clear()
	for first := 0; first < len(w.rows); first += maxBatch {
		w.batch.Rows = w.rows[first:min(first+maxBatch, len(w.rows))]
		seq, err := w.app.Append(&w.batch)
		if err != nil {
			w.count(first)
			return err
		}
		w.seq = seq
		for _, f := range w.batch.Refused {
			w.failed = append(w.failed, storage.Refusal{Row: first + f.Row, Err: f.Err})
		}
	}
	full := w.count(len(w.rows))
	w.remember()
	w.view = w.cache.view.Load()
	return full
}

// remember tells the cache what was learned from the rows.
func (w *work) remember() {
	for i := range w.rows {
		ref, o := w.rows[i].Ref, w.origin[i]
		switch {
		case ref == o.ref:
		case o.at >= 0:
			w.view.young.entry(uint32(o.at)).ref.Store(uint64(ref))
		default:
			w.fresh[^o.at].ref = ref
		}
	}
	if len(w.fresh) > 0 {
		w.cache.learn(w.fresh)
	}
}

// count counts the first n rows, which were appended; those in failed were refused. Its error is that of one that was refused for now.
func (w *work) count(n int) (full error) {
	samples, h, last := n, 0, -1
	for _, r := range w.hists {
		samples -= max(0, min(n, r.end)-r.first)
		if r.end <= n && !r.partly {
			w.histograms++
		}
	}
	for _, f := range w.failed {
		why := reasonOf(f.Err)
		if why == storeIsFull {
			full = f.Err
			continue
		}
		for h < len(w.hists) && w.hists[h].end <= f.Row {
			h++
		}
		row := &w.rows[f.Row]
		if h == len(w.hists) || w.hists[h].first > f.Row {
			samples--
			if w.refused.add(why, false) {
				w.refused.first[why] = example(string(row.Key), row.T)
			}
			continue
		}
		if r := w.hists[h]; h != last && r.end <= n && !r.partly {
			w.histograms--
			if w.refused.add(why, true) {
				w.refused.first[why] = example(string(row.Key), row.T)
			}
		}
		last = h
	}
	w.samples += samples
	return full
}

// refuse counts a sample or a histogram of the series that ident spells, at t ms.
func (w *work) refuse(why reason, histogram bool, ident []byte, t int64) {
	if w.refused.add(why, histogram) {
		w.refused.first[why] = example(w.speller.show(ident), t)
	}
}
