package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"metricd/internal/ingest/body"
	"metricd/internal/ingest/rows"
	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// faulty is a store whose appenders do as they are told.
type faulty struct {
	storage.Store
	refuse, appendErr, waitErr error
	waiting                    chan struct{} // Wait sends, and then waits for release to be closed; nil: it does not wait
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
	cases := map[string]*faulty{
		"disk full":         {refuse: fmt.Errorf("%w: the disk is full", storage.ErrReadOnly)},
		"failed":            {appendErr: storage.ErrFailed},
		"closed":            {appendErr: storage.ErrClosed},
		"failed in waiting": {waitErr: storage.ErrFailed},
	}
	formats(t, func(t *testing.T, kind string, in func([]byte) []byte) {
		for name, f := range cases {
			t.Run(name, func(t *testing.T) {
				r := New(Options{Store: f})
				for range 3 {
					w := post(r, kind, in(up(t)))
					wantAnswer(t, w, http.StatusServiceUnavailable, errors.Join(f.refuse, f.appendErr, f.waitErr).Error())
					wantStatus(t, w, kind)
				}
				if n := r.Stats().Failed[http.StatusServiceUnavailable]; n != 3 {
					t.Errorf("%d failed, want 3", n)
				}
			})
		}
	})
}

// TestDurable: there is no answer before the samples are durable, and meanwhile others are served.
func TestDurable(t *testing.T) {
	f := &faulty{waiting: make(chan struct{}), release: make(chan struct{})}
	r := New(Options{Store: f})
	answers := make(chan *httptest.ResponseRecorder)
	message := up(t)
	n := 3 * cap(r.works)
	for range n {
		go func() { answers <- post(r, types[inProtobuf], message) }()
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
		wantAnswer(t, <-answers, http.StatusOK)
	}
}

// TestLarge: a request of more rows than are gathered, and what remains of one that is broken at its end.
func TestLarge(t *testing.T) {
	store := open(t, tsdb.Options{})
	r := New(Options{Store: store})
	b := wide(t, 2*rows.Max)
	for range 2 {
		wantAnswer(t, post(r, types[inProtobuf], b), http.StatusOK)
	}
	if s, _ := store.Stats(); s.Series != 2*rows.Max+1 || s.Samples != 2*rows.Max+1 {
		t.Errorf("%d series, %d samples", s.Series, s.Samples)
	}
	wantAnswer(t, post(r, types[inProtobuf], append(b, 0x0a, 5)), http.StatusBadRequest)
	if n := r.Stats().Points; n != 3*2*rows.Max {
		t.Errorf("%d points stored", n)
	}
}

// TestBodies: bodies that are still coming share a bounded memory.
func TestBodies(t *testing.T) {
	r := New(Options{Store: open(t, tsdb.Options{})})
	r.bodies.Taken.Store(body.Shared - 100)
	large := wide(t, 25_000)
	if len(large) < 2*body.Own {
		t.Fatalf("only %d bytes", len(large))
	}
	wantAnswer(t, post(r, types[inProtobuf], large), http.StatusServiceUnavailable, "too many large requests")
	wantAnswer(t, post(r, types[inProtobuf], wide(t, 1000)), http.StatusOK)
	r.bodies.Taken.Store(0)
	wantAnswer(t, post(r, types[inProtobuf], large), http.StatusOK)
}

// TestInfos: target_info is written every 150 s between the first and the last point, as often as a request may have it.
func TestInfos(t *testing.T) {
	for _, c := range []struct {
		first, last int64 // ms
		want        int
	}{
		{0, 0, 1}, {1, 2, 2}, {0, 150_000, 2}, {0, 150_001, 3}, {0, 3600_000, 25}, {0, 1_700_000_000_000, maxInfos + 1},
	} {
		store := open(t, tsdb.Options{})
		r := New(Options{Store: store})
		wantAnswer(t, post(r, types[inProtobuf], message(t, func(all pmetric.MetricSlice) { gauge(all, "up", c.first, c.last) })), http.StatusOK)
		all := slices.DeleteFunc(dump(t, store), func(s string) bool { return !strings.HasPrefix(s, "target_info;host_name=a;job=shop ") })
		if len(all) != c.want {
			t.Errorf("from %d to %d ms: %d samples of target_info, want %d", c.first, c.last, len(all), c.want)
		}
		if last := fmt.Sprintf("target_info;host_name=a;job=shop %d 1", c.last); !slices.Contains(all, last) {
			t.Errorf("no %s", last)
		}
	}
}

// TestSmall: how memory is bounded where few bytes stand for much.
func TestSmall(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	points := slices.Repeat([]byte{0x0a, 0}, 1<<20)  // empty data points
	md := append(field(0x12, field(0x12, append(field(0x0a, []byte("up")), field(0x2a, points)...))), field(0x0a, make([]byte, 0))...)
	b := field(0x0a, md)
	r := New(Options{Store: sink{}})
	post(r, types[inProtobuf], b)
	if n := testing.AllocsPerRun(1, func() { wantAnswer(t, post(r, types[inProtobuf], b), http.StatusOK) }); n > 1000 {
		t.Errorf("%v allocations for a million empty points", n)
	}
	deep := []byte{}
	for range 8000 { // an array in an array
		deep = field(0x2a, field(0x0a, deep))
	}
	resource := field(0x0a, append(field(0x0a, []byte("x")), field(0x12, deep)...))
	one := append(field(0x0a, resource), field(0x12, field(0x12, append(field(0x0a, []byte("up")), field(0x2a, points[:2])...)))...)
	wantAnswer(t, post(r, types[inProtobuf], field(0x0a, one)), http.StatusOK)
}
