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

// failing is a store whose names can't be looked up.
type failing struct {
	storage.Store
	storage.Browser
	err error
}

func (s failing) Children(context.Context, storage.ChildQuery) (storage.Children, error) {
	return storage.Children{}, s.err
}

func (s failing) Find(context.Context, storage.FindQuery) (storage.Finding, error) {
	return storage.Finding{}, s.err
}

// TestBrowseEnded: a look-up that took too long is no error of the server, nor is one that nobody waits for.
func TestBrowseEnded(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		want   string
	}{
		{context.DeadlineExceeded, 503, `"errorType":"timeout","error":"it takes longer than 10s: ask for less`},
		{context.Canceled, 499, `"errorType":"canceled"`},
		{storage.ErrFailed, 503, `"errorType":"unavailable"`},
	} {
		s := serve(t, Config{Store: failing{Store: memory(t), err: tt.err}})
		for _, query := range []string{"", "?match=x"} {
			status, text, _ := s.do("GET", "/api/page/browse"+query, nil)
			if status != tt.status || !strings.Contains(text, tt.want) {
				t.Errorf("%v%s: got %d %s, want %d with %s", tt.err, query, status, text, tt.status, tt.want)
			}
		}
	}
}
