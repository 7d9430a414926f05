package httpapi

import (
	"cmp"
	"container/heap"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"metricd/internal/storage"
)

// The bounds of the lists of status/tsdb.
const (
	defaultTop = 10
	maxTop     = 10_000
)

// tsdbStatus answers with figures about series and labels:
//
//	limit  most entries of each list; 10
//
// There is no head in Prometheus' sense: headStats counts all series, and has the times of an empty head.
func (s *Server) tsdbStatus(r *http.Request, q url.Values) (found, error) {
	limit := defaultTop
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil || n < 1:
			return found{}, badRequest("limit must be a positive number")
		case n > maxTop:
			return found{}, badRequest("limit must not exceed %d", maxTop)
		}
		limit = n
	}
	stats, err := s.cfg.Store.Stats()
	if err != nil {
		return found{}, err
	}
	c := newCardinality(limit)
	if store, ok := s.cfg.Store.(storage.LabelCounter); ok {
		if err := store.LabelCounts(r.Context(), c.visit); err != nil {
			return found{}, err
		}
	}
	c.endLabel()
	type headStats struct {
		NumSeries     int64 `json:"numSeries"`
		NumLabelPairs int   `json:"numLabelPairs"`
		ChunkCount    int64 `json:"chunkCount"`
		MinTime       int64 `json:"minTime"`
		MaxTime       int64 `json:"maxTime"`
	}
	return foundValue(struct {
		HeadStats                   headStats `json:"headStats"`
		SeriesCountByMetricName     []count   `json:"seriesCountByMetricName"`
		LabelValueCountByLabelName  []count   `json:"labelValueCountByLabelName"`
		MemoryInBytesByLabelName    []count   `json:"memoryInBytesByLabelName"`
		SeriesCountByLabelValuePair []count   `json:"seriesCountByLabelValuePair"`
	}{
		headStats{stats.Series, c.pairs, 0, math.MaxInt64, math.MinInt64},
		c.metrics.sorted(), c.values.sorted(), c.bytes.sorted(), c.byPair.sorted(),
	}), nil
}

// cardinality gathers what status/tsdb tells about labels. It keeps no more than it tells.
type cardinality struct {
	pairs                          int
	metrics, values, bytes, byPair top

	name          string // of the label at hand
	distinct      int64
	distinctBytes int64
}

func newCardinality(limit int) *cardinality {
	t := top{limit: limit}
	return &cardinality{metrics: t, values: t, bytes: t, byPair: t}
}

// visit takes note of a label and how many series have it; labels of one name come together.
func (c *cardinality) visit(name, value string, series int) {
	if name != c.name {
		c.endLabel()
		c.name = name
	}
	n := int64(series)
	c.pairs++
	c.distinct++
	c.distinctBytes += n * int64(len(";=")+len(name)+len(value)) // as a key has it
	if name == storage.MetricName {
		c.metrics.add(n, "", value)
	}
	c.byPair.add(n, name+"=", value)
}

// endLabel takes note that all values of the label at hand came.
func (c *cardinality) endLabel() {
	if c.distinct > 0 {
		c.values.add(c.distinct, "", c.name)
		c.bytes.add(c.distinctBytes, "", c.name)
	}
	c.distinct, c.distinctBytes = 0, 0
}

// count is a figure with a name.
type count struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// compareCounts orders figures: the largest first, then by name.
func compareCounts(a, b count) int {
	return cmp.Or(cmp.Compare(b.Value, a.Value), strings.Compare(a.Name, b.Name))
}

// top keeps the largest of many figures: a heap whose root is the least.
type top struct {
	limit  int
	counts []count
}

// add takes note of a figure, whose name is prefix and rest.
func (t *top) add(n int64, prefix, rest string) {
	if len(t.counts) < t.limit {
		heap.Push(t, count{prefix + rest, n})
		return
	}
	if n < t.counts[0].Value {
		return // mostly, and then no name is made
	}
	if c := (count{prefix + rest, n}); compareCounts(c, t.counts[0]) < 0 {
		t.counts[0] = c
		heap.Fix(t, 0)
	}
}

// sorted returns the figures, the largest first; never nil. It ends the heap.
func (t *top) sorted() []count {
	slices.SortFunc(t.counts, compareCounts)
	return append([]count{}, t.counts...)
}

// Len and the following methods are for package heap.
func (t *top) Len() int           { return len(t.counts) }
func (t *top) Less(i, k int) bool { return compareCounts(t.counts[i], t.counts[k]) > 0 }
func (t *top) Swap(i, k int)      { t.counts[i], t.counts[k] = t.counts[k], t.counts[i] }
func (t *top) Push(c any)         { t.counts = append(t.counts, c.(count)) }

// Pop removes the last one.
func (t *top) Pop() any {
	last := t.counts[len(t.counts)-1]
	t.counts = t.counts[:len(t.counts)-1]
	return last
}
