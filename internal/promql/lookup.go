package promql

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"metricd/internal/storage"
)

// Selection names series, as a request for series or labels does.
type Selection struct {
	Match      []string // selectors, as PromQL writes them; a series must match one of them
	Mint, Maxt int64    // milliseconds, both inclusive: series must have a sample there
	Limit      int      // most results; 0: all
}

// Lookup is what was found for a Selection.
type Lookup[T any] struct {
	Found    []T
	Warnings []string
}

// Series returns the label sets of series: with one selector in the order of the store, with several ordered by labels, each series
// once. Without a selector it is BadData. Its errors, and those of LabelNames and LabelValues, are of type *Error.
func (e *Engine) Series(ctx context.Context, sel Selection) (Lookup[storage.Labels], error) {
	if len(sel.Match) == 0 {
		return Lookup[storage.Labels]{}, badData(errNoSelector)
	}
	return lookup(ctx, e, sel, func(ctx context.Context, queries []storage.Query) ([]storage.Labels, error) {
		if len(queries) == 1 {
			return e.seriesInOrder(ctx, queries[0], sel.Limit)
		}
		found := map[string]storage.Labels{}
		for _, q := range queries {
			if err := e.addSeries(ctx, q, found); err != nil {
				return nil, err
			}
		}
		return slices.SortedFunc(maps.Values(found), compareLabels), nil
	})
}

// seriesInOrder returns the label sets of the series of q, one more than limit at most if there is a limit.
func (e *Engine) seriesInOrder(ctx context.Context, q storage.Query, limit int) ([]storage.Labels, error) {
	set := e.store.Select(ctx, q)
	defer set.Close()
	var found []storage.Labels
	for (limit <= 0 || len(found) <= limit) && set.Next() {
		found = append(found, set.At().Labels())
	}
	return found, set.Err()
}

// addSeries adds the label sets of the series of q to found, by their keys.
func (e *Engine) addSeries(ctx context.Context, q storage.Query, found map[string]storage.Labels) error {
	set := e.store.Select(ctx, q)
	defer set.Close()
	for set.Next() {
		if s := set.At(); found[s.Key()] == nil {
			found[s.Key()] = s.Labels()
		}
	}
	return set.Err()
}

// compareLabels orders label sets as Prometheus does: by the first name or value that differs, else the shorter one first.
func compareLabels(a, b storage.Labels) int {
	return slices.CompareFunc(a, b, func(a, b storage.Label) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
}

// LabelNames returns the names of the labels of the series, ascending. Without a selector all series count.
func (e *Engine) LabelNames(ctx context.Context, sel Selection) (Lookup[string], error) {
	return lookup(ctx, e, sel, func(ctx context.Context, queries []storage.Query) ([]string, error) {
		return union(queries, func(q storage.Query) ([]string, error) { return e.store.LabelNames(ctx, q) })
	})
}

// LabelValues returns the values that a label has in the series, ascending. Without a selector all series count.
func (e *Engine) LabelValues(ctx context.Context, name string, sel Selection) (Lookup[string], error) {
	return lookup(ctx, e, sel, func(ctx context.Context, queries []storage.Query) ([]string, error) {
		return union(queries, func(q storage.Query) ([]string, error) { return e.store.LabelValues(ctx, name, q) })
	})
}

// union returns what get gives for the queries, ascending, each text once.
func union(queries []storage.Query, get func(storage.Query) ([]string, error)) ([]string, error) {
	var all []string
	for _, q := range queries {
		texts, err := get(q)
		if err != nil {
			return nil, err
		}
		all = append(all, texts...)
	}
	if len(queries) > 1 {
		slices.Sort(all)
		all = slices.Compact(all)
	}
	return all, nil
}

// lookup calls find with one query for each selector, or with one for all series if there is none, when it is its turn and within
// the timeout, and cuts what it found.
func lookup[T any](ctx context.Context, e *Engine, sel Selection, find func(context.Context, []storage.Query) ([]T, error)) (Lookup[T], error) {
	sets, err := e.Selectors(sel.Match)
	if err != nil {
		return Lookup[T]{}, err
	}
	if len(sets) == 0 {
		sets = [][]storage.Matcher{nil}
	}
	queries := make([]storage.Query, len(sets))
	for i, ms := range sets {
		queries[i] = storage.Query{Matchers: ms, Mint: sel.Mint, Maxt: sel.Maxt, Limit: oneMore(sel.Limit)}
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	if _, err := e.lookups.Insert(ctx, ""); err != nil {
		return Lookup[T]{}, failed(err, Execution)
	}
	defer e.lookups.Delete(0)
	found, err := find(ctx, queries)
	if err != nil {
		return Lookup[T]{}, failed(fromStore(err), Execution)
	}
	if sel.Limit > 0 && len(found) > sel.Limit {
		return Lookup[T]{Found: found[:sel.Limit:sel.Limit], Warnings: []string{truncated}}, nil
	}
	return Lookup[T]{Found: found}, nil
}

// oneMore returns the limit that also tells whether it cut something off.
func oneMore(limit int) int {
	if limit <= 0 || limit == math.MaxInt {
		return limit
	}
	return limit + 1
}
