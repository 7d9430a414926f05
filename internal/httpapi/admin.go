package httpapi

import (
	"net/http"
	"net/url"

	"metricd/internal/storage"
)

// deleteSeries deletes samples: those of the series that match, in a range of time. They are gone, and that is durable, when the
// answer comes, which is 204.
//
//	match[]     selectors, one at least, and none that matches everything: Prometheus takes {} here
//	start, end  the first and the last time, both inclusive; everything
func (s *Server) deleteSeries(r *http.Request, q url.Values) (found, error) {
	if len(q["match[]"]) == 0 {
		return found{}, badRequest("no match[] parameter provided")
	}
	mint, maxt, err := rangeOf(q)
	if err != nil {
		return found{}, err
	}
	sets, err := s.engine.Selectors(q["match[]"])
	if err != nil {
		return found{}, ofParameter("match[]", err)
	}
	for _, ms := range sets {
		if err := s.cfg.Store.Delete(r.Context(), storage.Query{Matchers: ms, Mint: mint, Maxt: maxt}); err != nil {
			return found{}, err
		}
	}
	return found{}, nil
}

// cleanTombstones has nothing to do, and says so with 204: there are no tombstones that anybody would have to clean.
func (s *Server) cleanTombstones(*http.Request, url.Values) (found, error) { return found{}, nil }

// snapshot says where backups are. Prometheus leaves a copy of its blocks in its own data directory and answers with the name of that;
// here a backup is a stream to whoever asks, since a copy that nobody owns would hold the disk for ever.
func (s *Server) snapshot(*http.Request, url.Values) (found, error) {
	return found{}, &apiError{http.StatusNotImplemented, "unavailable", "no snapshots are made on the server: GET /api/v1/admin/backup answers with a backup as a tar, and metricd backup DIR unpacks it"}
}
