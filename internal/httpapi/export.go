package httpapi

import (
	"net/http"
	"slices"
	"strconv"

	"metricd/internal/dump"
	"metricd/internal/storage"
)

// The trailers of an export, each a number: so many series and samples were written, and so many samples are not whole (see
// dump.Loss).
const (
	trailerSeries    = "Metricd-Series"
	trailerSamples   = "Metricd-Samples"
	trailerCut       = "Metricd-Cut"
	trailerCollapsed = "Metricd-Collapsed"
	trailerNaN       = "Metricd-Nan"
	trailerStale     = "Metricd-Stale"
)

var exportTrailers = []string{trailerSeries, trailerSamples, trailerCut, trailerCollapsed, trailerNaN, trailerStale}

// export answers with samples as text, by series in order of first append, each by ascending time:
//
//	match[]     a key, a selector of PromQL with its braces, or * for all; any number of them; none: all
//	start, end  the first and the last time, both inclusive; Unix seconds, or RFC 3339
//	format      csv (the default) or put; package dump says what they look like
//
// It is compressed with gzip for those who accept that. What put lines can't hold, the trailers count.
func (s *Server) export(w *reply, r *http.Request) error {
	q, err := params(r, "match[]", "start", "end", "format")
	if err != nil {
		return err
	}
	f, err := format(q)
	if err != nil {
		return err
	}
	queries, err := s.selection(q)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", map[dump.Format]string{dump.CSV: "text/csv; charset=utf-8; header=present", dump.Put: "text/plain; charset=utf-8"}[f])
	h["Trailer"] = exportTrailers
	if r.Method == http.MethodHead {
		return nil
	}
	body := compress(w, r)
	out := dump.NewWriter(body, f)
	for i, query := range queries {
		if err := s.exportQuery(r, query, queries[:i], out); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	series, samples, loss := out.Counts()
	for i, n := range []int64{series, samples, loss.Cut, loss.Collapsed, loss.NaN, loss.Stale} {
		h.Set(exportTrailers[i], strconv.FormatInt(n, 10))
	}
	return nil
}

// exportQuery writes the series of one query but those of earlier ones, so that none is there twice.
func (s *Server) exportQuery(r *http.Request, q storage.Query, earlier []storage.Query, out *dump.Writer) error {
	set := s.cfg.Store.Select(r.Context(), q)
	defer set.Close()
	var it storage.Iterator
	for set.Next() {
		series := set.At()
		if slices.ContainsFunc(earlier, func(q storage.Query) bool { return matches(q, series) }) {
			continue
		}
		it = series.Iterator(it)
		if err := out.Series(series.Key(), it); err != nil {
			return err
		}
	}
	return set.Err()
}
