package promql

import (
	"context"
	"errors"
	"slices"
	"time"

	prom "github.com/prometheus/prometheus/promql"
	promstorage "github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/stats"
)

// maxAnnotations is how many warnings and how many infos a result has at most; the last then says how many more there were.
const maxAnnotations = 10

// truncated is the warning of a result that a limit cut.
const truncated = "results truncated due to limit"

// QueryOptions are the wishes of one query. The zero value has none.
type QueryOptions struct {
	Timeout       time.Duration // 0, or longer than the engine's: the engine's
	LookbackDelta time.Duration // 0: the engine's
	Limit         int           // most series in the result; 0: all
	Stats         bool          // whether the result shall have Stats
	StepStats     bool          // and these be given by step, too
}

// Result is what a query gave. Its memory goes back to the engine with Close, so that the next query finds it.
type Result struct {
	Value           Value
	Warnings, Infos []string // ascending, at most 10 each and one that says how many more there were
	Stats           Stats    // nil unless asked for

	query prom.Query
}

// Close gives the memory of Value back; Value must not be used any more. It may be called again.
func (r *Result) Close() {
	if r.query != nil {
		r.query.Close()
		r.query, r.Value = nil, nil
	}
}

// Instant evaluates an expression at one time. Its errors are of type *Error.
func (e *Engine) Instant(ctx context.Context, expr string, at time.Time, o QueryOptions) (*Result, error) {
	return e.run(ctx, expr, 0, o, func(ctx context.Context, q promstorage.Queryable, opts prom.QueryOpts) (prom.Query, error) {
		return e.engine.NewInstantQuery(ctx, q, opts, expr, at)
	})
}

// Range evaluates an expression at start, start+step, … up to end, which is inclusive. A step is a millisecond at least; how many
// there may be is for the caller to limit. Its errors are of type *Error.
func (e *Engine) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration, o QueryOptions) (*Result, error) {
	switch {
	case end.Before(start):
		return nil, badData(errors.New("end timestamp must not be before start time"))
	case step < time.Millisecond:
		return nil, badData(errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer"))
	}
	return e.run(ctx, expr, end.Sub(start), o, func(ctx context.Context, q promstorage.Queryable, opts prom.QueryOpts) (prom.Query, error) {
		return e.engine.NewRangeQuery(ctx, q, opts, expr, start, end, step)
	})
}

// construct makes a query of the engine.
type construct func(context.Context, promstorage.Queryable, prom.QueryOpts) (prom.Query, error)

// run makes a query over a time of this length and evaluates it, all within its timeout.
func (e *Engine) run(ctx context.Context, expr string, span time.Duration, o QueryOptions, construct construct) (*Result, error) {
	if err := e.check(expr, span); err != nil {
		return nil, err
	}
	timeout := e.timeout
	if o.Timeout > 0 {
		timeout = min(timeout, o.Timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	data := &queryable{store: e.store}
	query, err := construct(ctx, data, prom.NewPrometheusQueryOpts(o.StepStats, o.LookbackDelta, nil))
	if err != nil {
		return nil, failed(err, BadData)
	}
	res := query.Exec(ctx)
	if res.Err == nil {
		res.Err = data.err
	}
	warnings, infos := texts(res.Warnings, expr)
	if res.Err != nil {
		query.Close()
		e := failed(res.Err, Execution)
		e.Warnings, e.Infos = warnings, infos
		return nil, e
	}
	value, cut := limited(res.Value, o.Limit)
	if cut {
		warnings = append(warnings, truncated)
	}
	r := &Result{Value: value, Warnings: warnings, Infos: infos, query: query}
	if o.Stats || o.StepStats {
		r.Stats = stats.NewQueryStats(query.Stats())
	}
	return r, nil
}

// texts returns what an evaluation had to say about expr.
func texts(a annotations.Annotations, expr string) (warnings, infos []string) {
	warnings, infos = a.AsStrings(expr, maxAnnotations, maxAnnotations)
	slices.Sort(warnings)
	slices.Sort(infos)
	return warnings, infos
}

// limited returns the first limit series of v, and whether there were more; 0 means all.
func limited(v Value, limit int) (_ Value, cut bool) {
	if limit <= 0 {
		return v, false
	}
	switch v := v.(type) {
	case Matrix:
		return v[:min(len(v), limit)], len(v) > limit
	case Vector:
		return v[:min(len(v), limit)], len(v) > limit
	}
	return v, false
}
