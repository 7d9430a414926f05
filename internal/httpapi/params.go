package httpapi

import (
	"bytes"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"metricd/internal/dump"
	"metricd/internal/storage"
)

// params returns the query of a request, with none but these parameters: one that is misspelled would be as if it were not there.
func params(r *http.Request, names ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("%v", err)
	}
	for name := range q {
		if !slices.Contains(names, name) {
			return nil, badRequest("no parameter %q here: want any of %s", name, strings.Join(names, ", "))
		}
	}
	return q, nil
}

// format returns the format that the query asks for, CSV if it says nothing.
func format(q url.Values) (dump.Format, error) {
	name := q.Get("format")
	if name == "" {
		return dump.CSV, nil
	}
	f, err := dump.ParseFormat(name)
	if err != nil {
		return "", badRequest("%v", err)
	}
	return f, nil
}

// selection returns what the query selects: by each match[] in turn; everything if there is none. A series may be in more than one.
func (s *Server) selection(q url.Values) ([]storage.Query, error) {
	mint, err := timeOf(q, "start", storage.MinTime)
	if err != nil {
		return nil, err
	}
	maxt, err := timeOf(q, "end", storage.MaxTime)
	if err != nil {
		return nil, err
	}
	var all []storage.Query
	for _, m := range q["match[]"] {
		one, err := s.match(m)
		if err != nil {
			return nil, err
		}
		if one.Key == "" && one.Matchers == nil {
			all = nil
			break
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		all = []storage.Query{{}}
	}
	for i := range all {
		all[i].Mint, all[i].Maxt = mint, maxt
	}
	return all, nil
}

// match reads one match[]: a key, a selector of PromQL with its braces, or * for all.
func (s *Server) match(text string) (storage.Query, error) {
	switch {
	case text == "*":
		return storage.Query{}, nil
	case strings.Contains(text, "{"):
		sets, err := s.engine.Selectors([]string{text})
		if err != nil {
			return storage.Query{}, badRequest("match[] %q: %v; a key with a brace is the selector {__name__=\"…\"}", text, err)
		}
		return storage.Query{Matchers: sets[0]}, nil
	case !storage.ValidKey([]byte(text)):
		return storage.Query{}, badRequest("match[] %q: want a key (one word of UTF-8 without control characters), a selector with {…}, or * for all", text)
	}
	return storage.Query{Key: text}, nil
}

// matches says whether q selects a series.
func matches(q storage.Query, series storage.Series) bool {
	return (q.Key == "" || sameSeries(q.Key, series.Key())) && storage.MatchAll(q.Matchers, series.Labels())
}

func sameSeries(a, b string) bool {
	return a == b || bytes.Equal(storage.AppendCanonical(nil, []byte(a)), storage.AppendCanonical(nil, []byte(b)))
}

// timeOf returns a time of the query in ms: Unix seconds, with or without a fraction, or RFC 3339. What is finer than a millisecond is
// rounded.
func timeOf(q url.Values, name string, absent int64) (int64, error) {
	text := q.Get(name)
	if text == "" {
		return absent, nil
	}
	if sec, err := strconv.ParseInt(text, 10, 64); err == nil && sec <= storage.MaxTime/1000 && sec >= storage.MinTime/1000 {
		return sec * 1000, nil
	}
	if sec, err := strconv.ParseFloat(text, 64); err == nil && sec <= float64(storage.MaxTime/1000) && sec >= float64(storage.MinTime/1000) {
		return int64(math.Round(sec * 1000)), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UnixMilli(), nil
	}
	return 0, badRequest("%s %q: want Unix seconds, at most %d, or a time such as 2006-01-02T15:04:05Z", name, text, storage.MaxTime/1000)
}
