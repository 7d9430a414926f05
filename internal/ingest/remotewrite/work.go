package remotewrite

import (
	"net/http"

	"metricd/internal/ingest/body"
	"metricd/internal/ingest/rows"
	"metricd/internal/ingest/wire"
	"metricd/internal/storage"
)

// errUndecodable: the message is not what the Content-Type says.
var errUndecodable error = &body.Error{Status: http.StatusBadRequest, Text: "the message is broken: it is not protobuf of the type that Content-Type says"}

// work turns one request after the other into rows of the store. It is for one goroutine at a time.
type work struct {
	*rows.Gatherer
	meta   Metadata
	maxKey int

	body    []byte   // the message at hand
	symbols []symbol // of a message of version 2

	hists []ofHistogram // which rows come from a histogram, ascending

	speller speller
	hist    histogram
	flat    []byte // memory for the ident of the series at hand
	derived []byte // and for that of a series of its histogram

	result
}

// ofHistogram are the rows from first up to but not including end, which come from one histogram.
type ofHistogram struct {
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
	w.result = result{}
	w.Begin()
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
	w.seq = w.Seq()
	w.forget()
	return err
}

// forget lets go of what belongs to the request, and of memory that few requests need.
func (w *work) forget() {
	w.Forget()
	w.hists, w.symbols = w.hists[:0], w.symbols[:0]
	if cap(w.body) > rows.KeepBytes {
		w.body = nil
	}
	if cap(w.symbols) > rows.KeepBytes/8 {
		w.symbols = nil
	}
	if cap(w.flat) > rows.KeepBytes {
		w.flat, w.derived = make([]byte, 0, 1<<10), nil
	}
}

// elements takes the samples, histograms and exemplars among the fields b of a TimeSeries of the series that ident
// spells. why is why all are to be refused, if not taken. Samples are field 2 in both versions; the keys of the other two are given.
func (w *work) elements(ident, b []byte, why reason, histograms, exemplars uint64) error {
	found := false // series is that of ident
	m := wire.Message{Rest: b}
	for m.Next() {
		switch m.Key {
		case 2<<3 | wire.Bytes:
			t, v, ok := decodeSample(m.Data)
			if !ok {
				return errUndecodable
			}
			if !w.Room(1) {
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
				w.Add(t, v)
			case undecodable:
				return errUndecodable
			default:
				w.refuse(why, false, ident, t)
			}
		case histograms:
			if err := w.histogram(ident, m.Data, why); err != nil {
				return err
			}
			found = false
		case exemplars:
			w.exemplars++
		}
	}
	if m.Bad {
		return errUndecodable
	}
	return nil
}

// find looks for the series that ident spells, of which Add then adds samples.
func (w *work) find(ident []byte) reason {
	if w.Find(ident) {
		return taken
	}
	if len(ident) > 3*w.maxKey+suffixBytes { // an ident is twice as long as its key at most, but for labels without values
		return longLabels
	}
	var why reason
	w.Meet(ident, func(dst []byte) ([]byte, bool) {
		dst, why = w.speller.spell(dst, ident, w.maxKey)
		return dst, why == taken
	})
	return why
}

// store stores the rows. Its error is why it could not; the rows are gone in any case.
func (w *work) store() error {
	n, failed, err := w.Store()
	full := w.count(n, failed)
	w.Clear()
	w.hists = w.hists[:0]
	if err != nil {
		return err
	}
	return full
}

// count counts the first n rows, which were appended; those in failed were refused. Its error is that of one that was refused for now.
func (w *work) count(n int, failed []storage.Refusal) (full error) {
	samples, h, last := n, 0, -1
	for _, r := range w.hists {
		samples -= max(0, min(n, r.end)-r.first)
		if r.end <= n && !r.partly {
			w.histograms++
		}
	}
	for _, f := range failed {
		why := reasonOf(f.Err)
		if why == storeIsFull {
			full = f.Err
			continue
		}
		for h < len(w.hists) && w.hists[h].end <= f.Row {
			h++
		}
		row := w.Row(f.Row)
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
