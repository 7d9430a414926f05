package httpapi

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// waiting is a store whose Select waits until it is canceled.
type waiting struct {
	storage.Store
	begun, ended chan struct{}
}

func (s *waiting) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	s.begun <- struct{}{}
	<-ctx.Done()
	s.ended <- struct{}{}
	return s.Store.Select(ctx, q)
}

// TestGone: when the client goes away its query is canceled, also if that came as a form.
func TestGone(t *testing.T) {
	store := &waiting{open(t, tsdb.Options{}), make(chan struct{}), make(chan struct{})}
	s := serve(t, Config{Store: store})
	for _, method := range []string{"GET", "POST"} {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, method, "http://"+s.addr+"/api/v1/query?query=x", strings.NewReader("time=1"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		done := make(chan error, 1)
		go func() {
			_, err := http.DefaultClient.Do(r)
			done <- err
		}()
		<-store.begun
		cancel()
		<-store.ended
		if err := <-done; err == nil {
			t.Error("there was an answer")
		}
	}
}

// TestPatient: a query that came as a form may take longer than a client may stall.
func TestPatient(t *testing.T) {
	const stall = 50 * time.Millisecond
	store := &waiting{open(t, tsdb.Options{}), make(chan struct{}, 1), make(chan struct{}, 1)}
	s := serve(t, Config{Store: store, Stall: stall})
	status, text, _ := s.do("POST", "/api/v1/query", strings.NewReader("query=x&timeout=0.3"), "Content-Type", "application/x-www-form-urlencoded")
	if status != 503 || !strings.Contains(text, `"errorType":"timeout"`) {
		t.Errorf("got %d %s, want the end of its own timeout", status, text)
	}
}
