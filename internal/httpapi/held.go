package httpapi

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"metricd/internal/promql"
	"metricd/internal/storage"
)

const (
	// smallResult is how large a result may be to be written in any case, in units of 16 bytes, a sample: a MiB.
	smallResult = 1 << 16
	// seriesWeight is what the labels of a series count for, textWeight what a name or value does.
	seriesWeight = 32
	textWeight   = 4
)

// held bounds the results that lie in memory while slow clients read them: the engine's own bounds end when a query was evaluated. It is safe
// for concurrent use.
type held struct {
	limit int64 // most of the large results together, in units of 16 bytes
	now   atomic.Int64
}

// hold takes note of a result of this weight until release is called; an error if that is too much. One result alone never is.
func (h *held) hold(weight int) (release func(), err error) {
	if weight <= smallResult {
		return func() {}, nil
	}
	n := min(int64(weight), h.limit)
	if now := h.now.Add(n); now > h.limit {
		h.now.Add(-n)
		return nil, &apiError{http.StatusServiceUnavailable, "unavailable", fmt.Sprintf(
			"other clients are still reading results of %d MiB, and this one has %d MiB, of %d MiB together: try again, or ask for less", (now-n)>>16, n>>16, h.limit>>16)}
	}
	return func() { h.now.Add(-n) }, nil
}

// weightOf returns how much memory a result takes, in units of 16 bytes, about.
func weightOf(v promql.Value) (weight int) {
	switch v := v.(type) {
	case promql.Matrix:
		for i := range v {
			weight += seriesWeight + len(v[i].Floats)
		}
	case promql.Vector:
		weight = seriesWeight * len(v)
	}
	return weight
}

// weightOfSets is weightOf for label sets.
func weightOfSets(sets []storage.Labels) int { return seriesWeight * len(sets) }
