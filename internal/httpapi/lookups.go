package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/common/model"

	"metricd/internal/promql"
)

// lookupOf returns what a request for series or labels selects:
//
//	match[]     selectors, any of which must match
//	start, end  there must be a sample in this range, both inclusive; everything
//	limit       most results; 0: all
func lookupOf(q url.Values) (promql.Selection, error) {
	limit, err := limitOf(q)
	if err != nil {
		return promql.Selection{}, err
	}
	mint, maxt, err := rangeOf(q)
	return promql.Selection{Match: q["match[]"], Mint: mint, Maxt: maxt, Limit: limit}, err
}

// series answers with label sets.
func (s *Server) series(r *http.Request, q url.Values) (found, error) {
	if len(q["match[]"]) == 0 {
		return found{}, badRequest("no match[] parameter provided")
	}
	sel, err := lookupOf(q)
	if err != nil {
		return found{}, err
	}
	sets, err := s.engine.Series(r.Context(), sel)
	if err != nil {
		return found{}, ofParameter("match[]", err)
	}
	return foundSets(sets), nil
}

// labelNames answers with names of labels.
func (s *Server) labelNames(r *http.Request, q url.Values) (found, error) {
	sel, err := lookupOf(q)
	if err != nil {
		return found{}, err
	}
	names, err := s.engine.LabelNames(r.Context(), sel)
	return foundTexts(names), err
}

// labelValues answers with the values of one label. Its name in the path may be escaped, as exporters escape names: U__ and then
// _2e_ for a dot.
func (s *Server) labelValues(r *http.Request, q url.Values) (found, error) {
	name := r.PathValue("name")
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return found{}, badRequest("invalid label name: %q", name)
	}
	sel, err := lookupOf(q)
	if err != nil {
		return found{}, err
	}
	values, err := s.engine.LabelValues(r.Context(), name, sel)
	return foundTexts(values), err
}
