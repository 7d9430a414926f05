package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"metricd/internal/promql"
)

// maxSteps is how many times query_range evaluates an expression at most, but for the last: Prometheus' limit.
const maxSteps = 11000

// query evaluates an expression at one time:
//
//	query           the expression
//	time            when; now
//	timeout         how long it may take; no longer than the engine's
//	limit           most series in the result; 0: all
//	lookback_delta  how old a sample may be
//	stats           whether to give statistics; all: by step, too
func (s *Server) query(r *http.Request, q url.Values) (found, error) {
	limit, err := limitOf(q)
	if err != nil {
		return found{}, err
	}
	at, err := instantOf(q, "time", s.cfg.Now())
	if err != nil {
		return found{}, err
	}
	if err := evaluable("time", at); err != nil {
		return found{}, err
	}
	o, err := queryOptions(q, limit)
	if err != nil {
		return found{}, err
	}
	res, err := s.engine.Instant(r.Context(), q.Get("query"), at, o)
	return foundResult(q, res, err)
}

// queryRange evaluates an expression at start, start+step, … up to end; the other parameters are those of query.
func (s *Server) queryRange(r *http.Request, q url.Values) (found, error) {
	limit, err := limitOf(q)
	if err != nil {
		return found{}, err
	}
	start, end, step, err := steps(q)
	if err != nil {
		return found{}, err
	}
	o, err := queryOptions(q, limit)
	if err != nil {
		return found{}, err
	}
	res, err := s.engine.Range(r.Context(), q.Get("query"), start, end, step, o)
	return foundResult(q, res, err)
}

// mostSeconds is how far from the epoch the engine can evaluate: it counts nanoseconds in 64 bits.
const mostSeconds = 9_200_000_000

// evaluable returns an error if the engine can't evaluate at t, where it would give wrong answers. Samples may be there.
func evaluable(name string, t time.Time) error {
	if sec := t.Unix(); sec > mostSeconds || sec < -mostSeconds {
		return invalid(name, fmt.Errorf("%d: PromQL is evaluated from %d to %d Unix seconds (1678 to 2261); export shows samples of any time", sec, -mostSeconds, mostSeconds))
	}
	return nil
}

// steps returns the times of a query_range.
func steps(q url.Values) (start, end time.Time, step time.Duration, err error) {
	if start, err = requiredInstant(q, "start"); err != nil {
		return start, end, 0, err
	}
	if end, err = requiredInstant(q, "end"); err != nil {
		return start, end, 0, err
	}
	if err = cmp.Or(evaluable("start", start), evaluable("end", end)); err != nil {
		return start, end, 0, err
	}
	if end.Before(start) {
		return start, end, 0, invalid("end", errors.New("end timestamp must not be before start time"))
	}
	step, err = durationOf(q.Get("step"))
	switch {
	case err != nil:
		err = invalid("step", err)
	case step < time.Millisecond:
		err = invalid("step", errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer"))
	case uint64(end.UnixMilli()-start.UnixMilli())*uint64(time.Millisecond)/uint64(step) > maxSteps: // of two instants in range: below 2^64
		err = badRequest("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
	}
	return start, end, step, err
}

// queryOptions returns what a request wishes of its query.
func queryOptions(q url.Values, limit int) (o promql.QueryOptions, err error) {
	o = promql.QueryOptions{Limit: limit, Stats: q.Get("stats") != "", StepStats: q.Get("stats") == "all"}
	if text := q.Get("timeout"); text != "" {
		if o.Timeout, err = durationOf(text); err != nil {
			return o, invalid("timeout", err)
		}
		if o.Timeout <= 0 {
			return o, invalid("timeout", fmt.Errorf("timeout must be positive, got %s", o.Timeout))
		}
	}
	if text := q.Get("lookback_delta"); text != "" {
		if o.LookbackDelta, err = durationOf(text); err != nil {
			return o, badRequest("error parsing lookback delta duration: %v", err)
		}
	}
	return o, nil
}

// foundResult is found with the result of a query.
func foundResult(q url.Values, res *promql.Result, err error) (found, error) {
	if err != nil {
		return found{}, ofParameter("query", err)
	}
	if stats := q.Get("stats"); stats != "" && stats != "true" && stats != "all" {
		res.Warnings = append(res.Warnings, fmt.Sprintf(
			"value %q for parameter \"stats\" is deprecated and will be rejected in the next major release, use \"true\" or \"all\"", stats))
	}
	return found{
		write:    func(j *jsonWriter) { j.queryData(res) },
		warnings: res.Warnings,
		infos:    res.Infos,
		weight:   weightOf(res.Value),
		close:    res.Close,
	}, nil
}

// formatQuery prints an expression anew.
func (s *Server) formatQuery(_ *http.Request, q url.Values) (found, error) {
	text, err := s.engine.Format(q.Get("query"))
	if err != nil {
		return found{}, ofParameter("query", err)
	}
	return found{write: func(j *jsonWriter) { j.buf = appendText(j.buf, text) }}, nil
}

// parseQuery answers with the tree of an expression.
func (s *Server) parseQuery(_ *http.Request, q url.Values) (found, error) {
	tree, err := s.engine.Parse(q.Get("query"))
	if err != nil {
		return found{}, ofParameter("query", err)
	}
	return foundValue(tree), nil
}

// queryExemplars answers for an expression with selectors that there are no exemplars: none are kept.
func (s *Server) queryExemplars(_ *http.Request, q url.Values) (found, error) {
	mint, maxt, err := rangeOf(q)
	if err != nil {
		return found{}, err
	}
	if maxt < mint {
		return found{}, badRequest("end timestamp must not be before start timestamp")
	}
	selects, err := s.engine.Selects(q.Get("query"))
	if err != nil || !selects {
		return found{}, err
	}
	return foundData("[]"), nil
}
