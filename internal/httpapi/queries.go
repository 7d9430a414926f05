package httpapi

import (
	"errors"
	"net/http"
	"net/url"

	"metricd/internal/promql"
	"metricd/internal/storage"
)

// statusClientGone is what nginx says, and Prometheus after it, when the client went away before there was an answer.
const statusClientGone = 499

// found is what a request of Prometheus' HTTP API found. Its data are written while the client reads them.
type found struct {
	write           func(*jsonWriter) // the data; nil: there are none, and the answer is 204
	warnings, infos []string
	weight          int    // of what write holds in memory; see held
	close           func() // nil: nothing is to be released
}

// answerer answers a request, whose parameters q are.
type answerer func(r *http.Request, q url.Values) (found, error)

// mountQueries mounts Prometheus' HTTP API.
func (s *Server) mountQueries() {
	s.cfg.Query.Own, s.cfg.Query.Registerer = s.cfg.Own, s.cfg.Metrics
	s.engine = promql.New(s.cfg.Store, s.cfg.Query)
	s.held.limit = int64(s.cfg.Query.MaxSamples)
	if s.held.limit <= 0 {
		s.held.limit = promql.DefaultMaxSamples
	}
	get, post, put := "GET /api/v1/", "POST /api/v1/", "PUT /api/v1/"
	for path, f := range map[string]answerer{
		"query":           s.query,
		"query_range":     s.queryRange,
		"query_exemplars": s.queryExemplars,
		"format_query":    s.formatQuery,
		"parse_query":     s.parseQuery,
		"labels":          s.labelNames,
		"series":          s.series,
	} {
		s.mux.Handle(get+path, s.prometheus(f))
		s.mux.Handle(post+path, s.prometheus(f))
	}
	for path, f := range map[string]answerer{
		"label/{name}/values": s.labelValues,
		"metadata":            s.metricMetadata,
		"targets":             s.targets,
		"targets/metadata":    s.targetMetadata,
		"rules":               s.rules,
		"status/buildinfo":    s.buildInfo,
		"status/runtimeinfo":  s.runtimeInfo,
		"status/flags":        s.flags,
		"status/tsdb":         s.tsdbStatus,
	} {
		s.mux.Handle(get+path, s.prometheus(f))
	}
	s.mux.Handle("GET /api/page/browse", s.prometheus(s.browse))
	s.mux.Handle("GET /api/page/extent", s.prometheus(s.extent))
	for path, data := range constant {
		s.mux.Handle(get+path, s.prometheus(answerData(data)))
	}
	for path, f := range map[string]answerer{
		"delete_series":    s.deleteSeries,
		"clean_tombstones": s.cleanTombstones,
		"snapshot":         s.snapshot,
	} {
		s.mux.Handle(post+"admin/tsdb/"+path, s.prometheus(f))
		s.mux.Handle(put+"admin/tsdb/"+path, s.prometheus(f))
	}
}

// prometheus returns what answers with f, as Prometheus does.
func (s *Server) prometheus(f answerer) http.Handler {
	return s.answer(s.inTurn(func(w *reply, r *http.Request) error {
		q, err := s.form(w, r)
		if err != nil {
			return writeFailure(w, err)
		}
		data, err := f(r, q)
		if err != nil {
			return writeFailure(w, err)
		}
		if data.close != nil {
			defer data.close()
		}
		release, err := s.held.hold(data.weight)
		if err != nil {
			return writeFailure(w, err)
		}
		defer release()
		if data.write == nil {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return writeSuccess(newJSONWriter(w, r), data)
	}))
}

// writeSuccess writes an answer.
func writeSuccess(j *jsonWriter, data found) error {
	j.buf = append(j.buf, `{"status":"success","data":`...)
	data.write(j)
	for _, notes := range []struct {
		name  string
		texts []string
	}{{"warnings", data.warnings}, {"infos", data.infos}} {
		if len(notes.texts) > 0 {
			j.buf = append(append(append(j.buf, `,"`...), notes.name...), `":`...)
			j.buf = appendTexts(j.buf, notes.texts)
		}
	}
	j.buf = append(j.buf, '}')
	return j.end()
}

// writeFailure answers with an error, without a newline behind it, as Prometheus does.
func writeFailure(w *reply, err error) error {
	e := asAPIError(queryError(err))
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if e.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	body := append([]byte(`{"status":"error","errorType":`), appendText(nil, e.kind)...)
	body = append(appendText(append(body, `,"error":`...), e.text), '}')
	w.WriteHeader(e.status)
	_, err = w.Write(body)
	return err
}

// queryError returns an error of package promql with the status that Prometheus gives it; others as they are.
func queryError(err error) error {
	e := new(promql.Error)
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case promql.BadData:
		return badRequest("%v", err)
	case promql.Execution, promql.TooManySamples:
		return &apiError{http.StatusUnprocessableEntity, "execution", err.Error()}
	case promql.Timeout:
		return &apiError{http.StatusServiceUnavailable, "timeout", err.Error()}
	case promql.Canceled:
		return &apiError{statusClientGone, "canceled", err.Error()}
	}
	return err // of the store
}

// ofParameter says of a bad argument that a parameter named it; other errors stay as they are.
func ofParameter(name string, err error) error {
	if e := new(promql.Error); errors.As(err, &e) && e.Kind == promql.BadData {
		return invalid(name, err)
	}
	return err
}

// answerData returns an answerer with data that are the same at all times.
func answerData(data string) answerer {
	return func(*http.Request, url.Values) (found, error) { return foundData(data), nil }
}

// foundData is found with data that are JSON already.
func foundData(data string) found {
	return found{write: func(j *jsonWriter) { j.buf = append(j.buf, data...) }}
}

// foundValue is found with data of a bounded size that encoding/json prints.
func foundValue(v any) found { return found{write: func(j *jsonWriter) { j.value(v) }} }

// foundTexts is found with names or values.
func foundTexts(l promql.Lookup[string]) found {
	return found{write: func(j *jsonWriter) { j.texts(l.Found) }, warnings: l.Warnings, weight: textWeight * len(l.Found)}
}

// foundSets is found with label sets.
func foundSets(l promql.Lookup[storage.Labels]) found {
	return found{write: func(j *jsonWriter) { j.labelSets(l.Found) }, warnings: l.Warnings, weight: weightOfSets(l.Found)}
}
