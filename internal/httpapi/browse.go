package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"metricd/internal/storage"
)

// The bounds of what browse answers.
const (
	defaultBrowse = 100
	maxBrowse     = 1000
	maxMatch      = 256 // bytes
	maxWords      = 8
	fewSeries     = 4 // a child of the tree shows its series if it has no more
	// browseTime is for how long samples are read: behind it comes what there is so far, with after.
	browseTime = time.Second
	// findTime is how long the look-up may take.
	findTime = 10 * time.Second
)

// browse answers with what a page shows of the tree of names, or of a list of series:
//
//	prefix  what names begin with; a level of the tree ends at a dot: "host." has what is below host
//	name    the series with this name, and no others; empty: those without a name
//	match   a filter as typed: words, by spaces, that must all be in the name or in a label as name=value, in any case
//	limit   most children, or series, of the answer; 100, at most 1000
//	after   goes on behind an answer that had this
//
// Without name and match it is one level of the tree below prefix: what names go on with up to the next dot, ascending by bytes.
//
//	{"children":[{"name":"cpu","path":"host.cpu","metric":2,"below":30,"series":[…]},…],"after":"…"}
//
// metric is how many series have the name path: 0 if it is no metric. below is how many series have names that begin with path and a dot: for the
// level below ask with prefix=path and a dot. Up to 4 series of a metric are listed, each as below, as long as there are no more than
// limit in the answer. Series without a name are a metric with the empty name, at the top.
//
// With name or match it is a list of series, by name and for each name in order of first append:
//
//	{"series":[{"key":"cpu;host=a","labels":{"__name__":"cpu","host":"a"},
//	            "first":1000,"last":61000,"value":"2.5","points":[[1000,"1"],…]},…],"total":1234,"after":"…"}
//
// key is as `get` has it. first and last are the times, in ms, of the oldest and the newest sample at any age, value is the newest one. points are samples as they
// are, in ms, for a sparkline: of 40 equal stretches of time from first to last the first sample of each that has one, and the newest. Marks of
// staleness are no samples here; a series that has nothing else has no first, last and value. Values are strings, as in answers to queries. total is how many there
// are in all. after is there if there is more; it holds while series come and go, each that stays is in one answer.
//
// What counts is the series in Store; the server's own figures are not browsed. The samples of an answer are read for about a second, then it ends early, with after.
func (s *Server) browse(r *http.Request, _ url.Values) (found, error) {
	q, err := browseQueryOf(r)
	if err != nil {
		return found{}, err
	}
	store, ok := s.cfg.Store.(storage.Browser)
	if !ok {
		return found{}, &apiError{http.StatusNotImplemented, "execution", "this store has no list of names"}
	}
	ctx, cancel := context.WithTimeout(r.Context(), findTime)
	defer cancel()
	b := &browser{ctx: ctx, samples: s.cfg.Store, names: store, until: time.Now().Add(browseTime)}
	answer := b.level
	if q.list {
		answer = b.list
	}
	data, err := answer(q)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("it takes longer than %v: ask for less, by a longer prefix or match (%w)", findTime, err)
	}
	return data, err
}

// browseQuery is a request.
type browseQuery struct {
	storage.FindQuery
	list  bool          // series, and no level of the tree
	after *browseMarker // nil: from the start
}

func browseQueryOf(r *http.Request) (q browseQuery, err error) {
	v, err := params(r, "prefix", "name", "match", "limit", "after")
	if err != nil {
		return q, err
	}
	if v.Has("name") && v.Has("prefix") {
		return q, badRequest("want a prefix or a name, not both")
	}
	q.Exact = v.Has("name")
	q.Prefix = v.Get("prefix") + v.Get("name")
	if len(v.Get("match")) > maxMatch {
		return q, badRequest("match must not be longer than %d bytes", maxMatch)
	}
	if q.Words = strings.Fields(v.Get("match")); len(q.Words) > maxWords {
		return q, badRequest("match must not have more than %d words", maxWords)
	}
	q.list = q.Exact || len(q.Words) > 0
	q.Limit = defaultBrowse
	if text := v.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxBrowse {
			return q, badRequest("limit %q: want a number from 1 to %d", text, maxBrowse)
		}
		q.Limit = n
	}
	if text := v.Get("after"); text != "" {
		m, ok := parseMarker(text)
		if !ok || m.list != q.list {
			return q, badRequest("after %q: want what an answer to this request had", text)
		}
		q.after = &m
	}
	return q, nil
}

// browser carries out one request.
type browser struct {
	ctx     context.Context
	samples storage.Store
	names   storage.Browser
	until   time.Time // then no more samples are read
}

// late says whether the time for samples is over.
func (b *browser) late() bool { return !time.Now().Before(b.until) }

// pageChild is a child with its series, if they are few.
type pageChild struct {
	storage.Child
	path   string
	series []pageSeries
}

// level answers with a level of the tree.
func (b *browser) level(q browseQuery) (found, error) {
	ask := storage.ChildQuery{Prefix: q.Prefix, Limit: q.Limit}
	if q.after != nil {
		ask.After = &q.after.name
	}
	children, err := b.names.Children(b.ctx, ask)
	if err != nil {
		return found{}, err
	}
	all, room := make([]pageChild, 0, len(children.List)), q.Limit
	for _, c := range children.List {
		if len(all) > 0 && b.late() {
			children.More = true
			break
		}
		child := pageChild{Child: c, path: q.Prefix + c.Segment}
		if 0 < c.Metric && c.Metric <= min(fewSeries, room) {
			f, err := b.names.Find(b.ctx, storage.FindQuery{Prefix: child.path, Exact: true, Limit: c.Metric})
			if err != nil {
				return found{}, err
			}
			if child.series, err = b.read(f.List); err != nil {
				return found{}, err
			}
			room -= len(child.series)
		}
		all = append(all, child)
	}
	after := ""
	if n := len(all); children.More && n > 0 {
		after = browseMarker{name: all[n-1].Segment}.text()
	}
	return found{write: func(j *jsonWriter) { j.children(all, after) }, weight: seriesWeight*len(all) + pageWeight*(q.Limit-room)}, nil
}

// list answers with series.
func (b *browser) list(q browseQuery) (found, error) {
	if q.after != nil {
		q.After = &storage.Position{Name: q.after.name, ID: q.after.id}
	}
	f, err := b.names.Find(b.ctx, q.FindQuery)
	if err != nil {
		return found{}, err
	}
	all := make([]pageSeries, 0, len(f.List))
	last := 0
	for i := range f.List {
		if i > 0 && b.late() {
			f.More = true
			break
		}
		one, err := b.read(f.List[i : i+1])
		if err != nil {
			return found{}, err
		}
		all, last = append(all, one...), i
	}
	after := ""
	if f.More && len(f.List) > 0 {
		after = browseMarker{list: true, name: f.List[last].Name, id: f.List[last].ID}.text()
	}
	return found{write: func(j *jsonWriter) { j.seriesList(all, f.Total, after) }, weight: pageWeight * len(all)}, nil
}
