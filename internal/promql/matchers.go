package promql

import (
	"errors"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"metricd/internal/storage"
)

// matchTypes are the operators of both sides, which speak one language: RE2, anchored, the dot matches newlines, an absent label is
// the empty text.
var matchTypes = [...]storage.MatchType{
	labels.MatchEqual:     storage.MatchEqual,
	labels.MatchNotEqual:  storage.MatchNotEqual,
	labels.MatchRegexp:    storage.MatchRegexp,
	labels.MatchNotRegexp: storage.MatchNotRegexp,
}

// translate makes the store's matchers of the parser's.
func translate(in []*labels.Matcher) ([]storage.Matcher, error) {
	out := make([]storage.Matcher, len(in))
	for i, m := range in {
		var err error
		if out[i], err = storage.NewMatcher(m.Name, matchTypes[m.Type], m.Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var (
	errNoSelector    = errors.New("no match[] parameter provided")
	errEmptySelector = errors.New("match[] must contain at least one non-empty matcher")
)

// Selectors parses selectors, as PromQL writes them, each to its matchers. One that would match a series without labels, and so
// probably all, is refused. Its errors are of type *Error.
func (e *Engine) Selectors(match []string) ([][]storage.Matcher, error) {
	if _, err := measure(strings.Join(match, " ")); err != nil {
		return nil, badData(err)
	}
	parsed, err := e.parser.ParseMetricSelectors(match)
	if err != nil {
		return nil, badData(err)
	}
	sets := make([][]storage.Matcher, len(parsed))
	for i, ms := range parsed {
		if sets[i], err = translate(ms); err != nil {
			return nil, badData(err)
		}
		if storage.MatchAll(sets[i], nil) {
			return nil, badData(errEmptySelector)
		}
	}
	return sets, nil
}
