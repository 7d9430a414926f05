package otlp

import (
	"net/http"

	"metricd/internal/ingest/body"
	"metricd/internal/ingest/rows"
	"metricd/internal/storage"
)

// errUndecodable: the message is not what the Content-Type says.
var errUndecodable error = &body.Error{Status: http.StatusBadRequest, Text: "the message is broken: it is not an ExportMetricsServiceRequest in protobuf"}

// work turns one request after the other into rows of the store. It is for one goroutine at a time.
type work struct {
	*rows.Gatherer
	meta   Metadata
	maxKey int

	names     names
	resources resources
	speller   speller

	// Of the resource at hand.
	resource         *resource
	joined           []byte // memory for one that came in parts
	earliest, latest uint64 // times of its points, in ns
	infos            int    // how many samples of target_info the request may still have, beside one for each resource

	// Of the metric at hand.
	metric metric
	prefix []byte // of the idents of its series

	point point
	ident []byte // of the series at hand

	groups []group // which rows come from what

	result
}

// group are rows that come from one data point, or from a resource; they lie behind those of the group before.
type group struct {
	end  int32 // behind its rows
	kind groupKind
}

type groupKind uint8

const (
	whole  groupKind = iota // the rows hold all of a data point
	partly                  // the data point counted as refused, and the rows are what can be stored of it
	info                    // of target_info
)

// result is what became of a request.
type result struct {
	seq     storage.Seq // of what was stored
	points  int         // stored wholly
	refused refusals
}

func newWork(c *rows.Cache, o Options) *work {
	return &work{Gatherer: rows.NewGatherer(c, o.Store), meta: o.Metadata, maxKey: o.MaxKey}
}

// take decodes the message and stores what it holds. Its error is why it did not come to the end: errUndecodable, or one
// of the store. What result counts is stored all the same.
func (w *work) take(message []byte) error {
	w.result, w.infos = result{}, maxInfos
	w.Begin()
	err := w.request(message)
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
	w.groups, w.metric, w.resource = w.groups[:0], metric{}, nil
	for _, b := range []*[]byte{&w.ident, &w.prefix, &w.joined, &w.names.key} {
		if cap(*b) > rows.KeepBytes/16 {
			*b = nil
		}
	}
}

// store stores the rows. Its error is why it could not; the rows are gone in any case.
func (w *work) store() error {
	n, failed, err := w.Store()
	full := w.count(n, failed)
	w.Clear()
	w.groups = w.groups[:0]
	if err != nil {
		return err
	}
	return full
}

// room makes room for n rows, by storing those that there are.
func (w *work) room(n int) error {
	if w.Room(n) {
		return nil
	}
	return w.store()
}

// group ends a group of rows.
func (w *work) group(kind groupKind) {
	w.groups = append(w.groups, group{int32(w.Len()), kind})
}

// count counts the first n rows, which were appended; those in failed were refused. Its error is that of one that was refused for now.
func (w *work) count(n int, failed []storage.Refusal) (full error) {
	for _, g := range w.groups {
		if g.kind == whole && int(g.end) <= n {
			w.points++
		}
	}
	g, last := 0, -1
	for _, f := range failed {
		why := reasonOf(f.Err)
		if why == storeIsFull {
			full = f.Err
			continue
		}
		for int(w.groups[g].end) <= f.Row {
			g++
		}
		of := w.groups[g]
		if of.kind == partly || of.kind == whole && g == last {
			continue
		}
		row := w.Row(f.Row)
		if of.kind == info {
			w.refused.addInfo(why, row.Key, row.T)
			continue
		}
		w.refused.add(why, row.Key, row.T)
		if int(of.end) <= n {
			w.points--
		}
		last = g
	}
	return full
}

// find looks for the series that ident spells, of which Add then adds samples.
func (w *work) find(ident []byte) reason {
	if w.Find(ident) {
		return taken
	}
	var why reason
	w.Meet(ident, func(dst []byte) ([]byte, bool) {
		dst, why = w.speller.spell(dst, ident, w.maxKey)
		return dst, why == taken
	})
	return why
}
