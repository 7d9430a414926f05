package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"metricd/internal/storage"
)

// faulty is a store whose appenders do as they are told.
type faulty struct {
	storage.Store
	refuse, appendErr, waitErr error
	waiting                    chan struct{} // Wait sends, and then waits for it to be closed; nil: it does not wait
	release                    chan struct{}
}

type faultyAppender struct{ f *faulty }

func (f *faulty) Appender() storage.Appender { return faultyAppender{f} }

func (a faultyAppender) Append(b *storage.Batch) (storage.Seq, error) {
	b.Refused = b.Refused[:0]
	for i := range b.Rows {
		if a.f.refuse != nil {
			b.Refused = append(b.Refused, storage.Refusal{Row: i, Err: a.f.refuse})
		}
	}
	return 1, a.f.appendErr
}

func (a faultyAppender) Wait(ctx context.Context, _ storage.Seq) error {
	if a.f.waiting != nil {
		a.f.waiting <- struct{}{}
		select {
		case <-a.f.release:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return a.f.waitErr
}

func TestUnavailable(t *testing.T) {
	full := fmt.Errorf("%w: the disk is full", storage.ErrReadOnly)
	cases := map[string]*faulty{
		"disk full":         {refuse: full},
		"failed":            {appendErr: storage.ErrFailed},
		"closed":            {appendErr: storage.ErrClosed},
		"failed in waiting": {waitErr: storage.ErrFailed},
	}
	versions(t, func(t *testing.T, v version) {
		for name, f := range cases {
			t.Run(name, func(t *testing.T) {
				r := New(Options{Store: f})
				for range 3 {
					wantAnswer(t, post(r, v, pack(encode(v, up(1000, 1), sent{labels: []string{"a", "b"}, samples: []sampleAt{{1, 1}}}))), http.StatusServiceUnavailable, "", errors.Join(f.refuse, f.appendErr, f.waitErr).Error())
				}
				if n := r.Stats().Failed[http.StatusServiceUnavailable]; n != 3 {
					t.Errorf("%d failed, want 3", n)
				}
			})
		}
	})
}

// TestDurable: there is no answer before the samples are durable, whatever it will be, and meanwhile others are served.
func TestDurable(t *testing.T) {
	for _, bad := range []bool{false, true} {
		f := &faulty{waiting: make(chan struct{}), release: make(chan struct{})}
		r := New(Options{Store: f})
		all := []sent{up(1, 1)}
		want := http.StatusNoContent
		if bad {
			all = append(all, sent{samples: []sampleAt{{1, 1}}})
			want = http.StatusBadRequest
		}
		answers := make(chan *httptest.ResponseRecorder)
		n := 3 * cap(r.works)
		for range n {
			go func() { answers <- post(r, version1, pack(encode1(all...))) }()
		}
		for range n {
			<-f.waiting
		}
		select {
		case w := <-answers:
			t.Errorf("answered %d before it was durable", w.Code)
		default:
		}
		close(f.release)
		for range n {
			wantAnswer(t, <-answers, want, "1 0 0")
		}
	}
}
