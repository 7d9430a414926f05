package httpapi

import (
	"net/http"
	"net/url"
	"time"

	"metricd/internal/storage"
)

// extentTime is for how long the extent of series is looked for.
const extentTime = time.Second

// extent answers from when to when the series have samples that selectors choose, at any age, in ms:
//
//	match[]  selectors of PromQL, one at least
//
//	{"series":12,"mint":1000,"maxt":61000}
//
// mint and maxt are the times of the oldest and the newest sample of all of them; not there if there is none. Marks of staleness are none. The server's own figures
// count, as in queries. Series are looked at for about a second; if there are more, "partial":true says so. One that two selectors choose counts twice.
func (s *Server) extent(r *http.Request, _ url.Values) (found, error) {
	q, err := params(r, "match[]")
	if err != nil {
		return found{}, err
	}
	if len(q["match[]"]) == 0 {
		return found{}, badRequest("no match[] parameter provided")
	}
	sets, err := s.engine.Selectors(q["match[]"])
	if err != nil {
		return found{}, ofParameter("match[]", err)
	}
	all := &extents{until: time.Now().Add(extentTime)}
	for _, store := range []storage.Store{s.cfg.Store, s.cfg.Own} {
		names, ok := store.(storage.Browser)
		for _, ms := range sets {
			if !ok {
				break
			}
			if err := all.add(r, store, names, ms); err != nil {
				return found{}, err
			}
		}
	}
	return foundValue(all), nil
}

// extents is the extent of some series.
type extents struct {
	Series  int    `json:"series"`
	Mint    *int64 `json:"mint,omitempty"`
	Maxt    *int64 `json:"maxt,omitempty"`
	Partial bool   `json:"partial,omitempty"`

	until time.Time
}

// add adds the series of a store that match.
func (e *extents) add(r *http.Request, store storage.Store, names storage.Browser, ms []storage.Matcher) error {
	set := store.Select(r.Context(), storage.Query{Matchers: ms, Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	for set.Next() {
		if e.Partial = e.Series > 0 && !time.Now().Before(e.until); e.Partial {
			return nil
		}
		x := extent{ctx: r.Context(), store: store, names: names, key: set.At().Key()}
		first, last, ok, err := x.find()
		if err != nil {
			return err
		}
		e.Series++
		if !ok {
			continue
		}
		if e.Mint == nil {
			e.Mint, e.Maxt = &first.t, &last.t
		}
		e.Mint, e.Maxt = new(min(*e.Mint, first.t)), new(max(*e.Maxt, last.t))
	}
	return set.Err()
}
