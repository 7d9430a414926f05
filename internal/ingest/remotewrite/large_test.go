package remotewrite

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"metricd/internal/ingest/body"
	"metricd/internal/ingest/rows"
	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// TestLarge: a request of many rows, in one series and in many, and what remains of one that is broken at its end.
func TestLarge(t *testing.T) {
	versions(t, func(t *testing.T, v version) {
		store := open(t, tsdb.Options{})
		r := New(Options{Store: store})
		one := sent{labels: []string{"__name__", "long"}}
		for i := range 3 * rows.Max / 2 {
			one.samples = append(one.samples, sampleAt{int64(i), 1})
		}
		all := fleet(rows.Max)
		message := encode(v, append(all, one)...)
		for range 2 {
			wantAnswer(t, post(r, v, pack(message)), http.StatusNoContent, fmt.Sprint(rows.Max*5/2, " 0 0"))
		}
		if s, _ := store.Stats(); s.Series != rows.Max+1 || s.Samples != rows.Max*5/2 {
			t.Errorf("%d series, %d samples", s.Series, s.Samples)
		}
		broken := append(slices.Clip(message), 0x2a, 5)
		if v == version1 { // version 2 looks at the whole table of symbols first
			wantAnswer(t, post(r, v, pack(broken)), http.StatusBadRequest, fmt.Sprint(2*rows.Max, " 0 0"))
		} else {
			wantAnswer(t, post(r, v, pack(broken)), http.StatusBadRequest, "0 0 0")
		}
	})
}

// TestBodies: bodies that are still coming share a bounded memory.
func TestBodies(t *testing.T) {
	r := New(Options{Store: open(t, tsdb.Options{})})
	r.bodies.Taken.Store(body.Shared - 100)
	large := pack(encode1(fleet(40_000)...))
	if len(large) < body.Own {
		t.Fatalf("only %d bytes", len(large))
	}
	wantAnswer(t, post(r, version1, large), http.StatusServiceUnavailable, "", "too many large requests")
	wantAnswer(t, post(r, version1, pack(encode1(fleet(1000)...))), http.StatusNoContent, "1000 0 0")
	if n := r.bodies.Taken.Load(); n != body.Shared-100 {
		t.Errorf("%d bytes are taken, want %d", n, body.Shared-100)
	}
	r.bodies.Taken.Store(0)
	wantAnswer(t, post(r, version1, large), http.StatusNoContent, "40000 0 0")
}

type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

func TestBrokenBody(t *testing.T) {
	r := New(Options{Store: open(t, tsdb.Options{})})
	wantAnswer(t, do(r, headers(version1), brokenBody{io.ErrUnexpectedEOF}), http.StatusBadRequest, "")
	wantAnswer(t, do(r, headers(version1), brokenBody{errors.New("the server is stopping")}), http.StatusServiceUnavailable, "", "the server is stopping")
	wantAnswer(t, do(r, headers(version1), brokenBody{&http.MaxBytesError{Limit: 7}}), http.StatusRequestEntityTooLarge, "")
}

// TestTogether: many senders at once, of the same series and others, while the cache is too small for all of them.
func TestTogether(t *testing.T) {
	const senders, rounds, series = 8, 20, 600
	store := open(t, tsdb.Options{})
	r := New(Options{Store: store, Cache: 200 << 10})
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			v := version1 + version(i%2)
			mine := fleet(series * (1 + i/2))[series*(i/2):]
			for round := range rounds {
				for j := range mine {
					mine[j].samples[0] = sampleAt{int64(round*senders + i), float64(j)}
				}
				if w := post(r, v, pack(encode(v, mine...))); w.Code != http.StatusNoContent {
					t.Error(w.Code, w.Body)
				}
			}
		})
	}
	all.Wait()
	var want []string
	for i := range senders {
		mine := fleet(series * (1 + i/2))[series*(i/2):]
		for j, s := range mine {
			var ls []storage.Label
			for k := 0; k < len(s.labels); k += 2 {
				ls = append(ls, storage.Label{Name: s.labels[k], Value: s.labels[k+1]})
			}
			set, _ := storage.NewLabels(ls...)
			for round := range rounds {
				want = append(want, fmt.Sprintf("%s %d %d", storage.AppendKey(nil, set), round*senders+i, j))
			}
		}
	}
	wantDump(t, store, want...)
}
