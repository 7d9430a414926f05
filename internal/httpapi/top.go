package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"metricd/internal/storage"
)

// BusyConn is an open connection, and what it did in a while.
type BusyConn struct {
	Protocol string `json:"protocol"`
	Client   string `json:"client"` // its address
	Puts     int64  `json:"puts"`   // refused ones included
	Gets     int64  `json:"gets"`
	Received int64  `json:"receivedBytes"`
	Sent     int64  `json:"sentBytes"`
}

// The bounds of GET /api/page/top.
const (
	defaultWatch = time.Second
	leastWatch   = 10 * time.Millisecond
	longestWatch = time.Minute
	// maxWatches is how many may watch at once: each costs puts a little, and has a request that stays open.
	maxWatches = 8
)

// topOf reads the parameters of GET /api/page/top.
func topOf(q url.Values) (watch time.Duration, limit int, err error) {
	watch, limit = defaultWatch, defaultTop
	if text := q.Get("seconds"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= leastWatch.Seconds() && seconds <= longestWatch.Seconds()) {
			return 0, 0, badRequest("seconds must be a number from %v to %v", leastWatch.Seconds(), longestWatch.Seconds())
		}
		watch = time.Duration(seconds * float64(time.Second))
	}
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxTop {
			return 0, 0, badRequest("limit must be a number from 1 to %d", maxTop)
		}
	}
	return watch, limit, nil
}

// top watches for a while, and answers with the busiest connections and series of it:
//
//	seconds  how long; 1, from 0.01 to 60
//	limit    most entries of each list; 10
//
//	{"status":"success","data":{"seconds":1.0003,"exact":true,
//	  "connections":[{"protocol":"line","client":"127.0.0.1:5","puts":120,"gets":0,"receivedBytes":4080,"sentBytes":480}],
//	  "series":[{"key":"palm.cpu","samples":60}]}}
//
// exact says that samples were counted, not estimated (storage.Busiest). Nothing is counted while nobody asks.
func (s *Server) top(w *reply, r *http.Request) error {
	watch, limit, err := topOf(r.URL.Query())
	if err != nil {
		return err
	}
	if s.watching.Add(1) > maxWatches {
		s.watching.Add(-1)
		return errBusy
	}
	defer s.watching.Add(-1)
	endSeries := func(int) storage.Busiest { return storage.Busiest{Exact: true} }
	if store, ok := s.cfg.Store.(storage.Watcher); ok {
		endSeries = store.Watch()
	}
	defer endSeries(0)
	endConns := func(int) []BusyConn { return nil }
	if s.cfg.WatchConns != nil {
		endConns = s.cfg.WatchConns()
	}
	begun := time.Now()
	over := time.NewTimer(watch)
	defer over.Stop()
	select {
	case <-over.C:
	case <-s.stop:
		return errStopping
	case <-r.Context().Done(): // nobody reads the answer
		return r.Context().Err()
	}
	seconds := time.Since(begun).Seconds()
	return writeTop(w, seconds, endSeries(limit), endConns(limit))
}

// writeTop writes the answer of top.
func writeTop(w *reply, seconds float64, busiest storage.Busiest, conns []BusyConn) error {
	type series struct {
		Key     string `json:"key"`
		Samples int64  `json:"samples"`
	}
	answer := struct {
		Status string `json:"status"`
		Data   struct {
			Seconds     float64    `json:"seconds"`
			Exact       bool       `json:"exact"`
			Connections []BusyConn `json:"connections"`
			Series      []series   `json:"series"`
		} `json:"data"`
	}{Status: "success"}
	answer.Data.Seconds, answer.Data.Exact = seconds, busiest.Exact
	answer.Data.Connections = append([]BusyConn{}, conns...)
	answer.Data.Series = []series{}
	for _, b := range busiest.Series {
		answer.Data.Series = append(answer.Data.Series, series{b.Key, b.Rows})
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(answer)
}
