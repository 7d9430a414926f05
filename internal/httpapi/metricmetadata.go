package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// metricMetadata answers with what senders told of metrics:
//
//	metric            only of this one
//	limit             most metrics, in order of their names; below 0 all
//	limit_per_metric  as Prometheus has it; here there is one for each
func (s *Server) metricMetadata(_ *http.Request, q url.Values) (found, error) {
	limit, err := numberOf(q, "limit")
	if err != nil {
		return found{}, err
	}
	if _, err := numberOf(q, "limit_per_metric"); err != nil {
		return found{}, err
	}
	names := []string{q.Get("metric")}
	if names[0] == "" {
		names = s.metadata.names()
		slices.Sort(names)
	}
	return found{write: func(j *jsonWriter) { j.metadata(s.metadata, names, limit) }, weight: textWeight * len(names)}, nil
}

// targetMetadata answers as if there were no targets, if that was asked properly: what senders told belongs to none.
func (s *Server) targetMetadata(_ *http.Request, q url.Values) (found, error) {
	if _, err := numberOf(q, "limit"); err != nil {
		return found{}, err
	}
	if m := q.Get("match_target"); m != "" {
		if _, err := s.engine.Selectors([]string{m}); err != nil {
			return found{}, ofParameter("match_target", err)
		}
	}
	return foundData("[]"), nil
}

// numberOf returns a parameter that is a number, -1 if it is not there.
func numberOf(q url.Values, name string) (int, error) {
	text := q.Get(name)
	if text == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badRequest("%s must be a number", name)
	}
	return n, nil
}

// metadata writes {"metric":[{"type":…,"help":…,"unit":…}],…}.
func (j *jsonWriter) metadata(known *metadata, names []string, limit int) {
	j.buf = append(j.buf, '{')
	written := 0
	for _, name := range names {
		m, ok := known.find(name)
		if !ok {
			continue
		}
		if limit >= 0 && written >= limit {
			break
		}
		if written++; written > 1 {
			j.buf = append(j.buf, ',')
		}
		j.buf = append(appendText(j.buf, name), `:[{"type":`...)
		j.buf = append(appendText(j.buf, m.Type), `,"help":`...)
		j.buf = append(appendText(j.buf, m.Help), `,"unit":`...)
		j.buf = append(appendText(j.buf, m.Unit), "}]"...)
		if !j.more() {
			return
		}
	}
	j.buf = append(j.buf, '}')
}
