package httpapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// TestTop: the samples and connections of the time in which it is asked are told.
func TestTop(t *testing.T) {
	store, err := tsdb.Open(tsdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	conn := BusyConn{Protocol: "line", Client: "127.0.0.1:5", Puts: 3, Sent: 12}
	began := func() {
		b := storage.Batch{Rows: []storage.Row{{Key: []byte("a;b=c"), T: 1}, {Key: []byte("a;b=c"), T: 2}, {Key: []byte("d"), T: 1}}}
		if _, err := store.Appender().Append(&b); err != nil {
			t.Error(err)
		}
	}
	s := serve(t, Config{Store: store, WatchConns: func() func(int) []BusyConn {
		began() // the series are watched by now
		return func(most int) []BusyConn { return []BusyConn{conn}[:min(most, 1)] }
	}})
	status, text, _ := s.do("GET", "/api/page/top?seconds=0.01&limit=1", nil)
	var got struct {
		Status string
		Data   struct {
			Seconds     float64
			Exact       bool
			Connections []BusyConn
			Series      []struct {
				Key     string
				Samples int64
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != http.StatusOK || got.Status != "success" {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	d := got.Data
	if d.Seconds < 0.01 || !d.Exact || !slices.Equal(d.Connections, []BusyConn{conn}) || len(d.Series) != 1 || d.Series[0].Key != "a;b=c" || d.Series[0].Samples != 2 {
		t.Errorf("got %s", text)
	}
	for _, bad := range []string{"seconds=0", "seconds=NaN", "seconds=61", "seconds=x", "limit=0", "limit=1e3"} {
		if status, text, _ := s.do("GET", "/api/page/top?"+bad, nil); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
	if status, _, _ := s.do("GET", "/api/page/top", nil, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("a foreign page is answered with %d", status)
	}
}

// TestTopCrowd: more than maxWatches at once are turned away.
func TestTopCrowd(t *testing.T) {
	let := make(chan struct{})
	var all sync.WaitGroup
	all.Add(maxWatches)
	s := serve(t, Config{WatchConns: func() func(int) []BusyConn {
		all.Done()
		<-let
		return func(int) []BusyConn { return nil }
	}})
	var running sync.WaitGroup
	for range maxWatches {
		running.Go(func() {
			if status, text, _ := s.do("GET", "/api/page/top?seconds=0.01", nil); status != http.StatusOK {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	all.Wait()
	if status, text, _ := s.do("GET", "/api/page/top?seconds=0.01", nil); status != http.StatusServiceUnavailable {
		t.Errorf("one more: %d %s", status, text)
	}
	close(let)
	running.Wait()
}
