package remotewrite

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

func open(t testing.TB, o tsdb.Options) storage.Store {
	t.Helper()
	db, err := tsdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// post sends a body and returns the answer.
func post(r *Receiver, v version, body []byte) *httptest.ResponseRecorder {
	return do(r, headers(v), bytes.NewReader(body))
}

func do(r *Receiver, h http.Header, body io.Reader) *httptest.ResponseRecorder {
	req := httptest.NewRequest("POST", "/api/v1/write", body)
	req.Header = h
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

func encode(v version, all ...sent) []byte {
	if v == version1 {
		return encode1(all...)
	}
	return encode2(all...)
}

// versions runs f for both.
func versions(t *testing.T, f func(t *testing.T, v version)) {
	for _, v := range []version{version1, version2} {
		t.Run(fmt.Sprintf("v%d", v), func(t *testing.T) { f(t, v) })
	}
}

// dump returns all samples of a store: `key time value`, sorted.
func dump(t testing.TB, store storage.Store) []string {
	t.Helper()
	set := store.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	var all []string
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() {
			at, v := it.At()
			text := fmt.Sprint(v)
			if math.IsNaN(v) {
				text = fmt.Sprintf("%x", math.Float64bits(v))
			}
			all = append(all, fmt.Sprintf("%s %d %s", set.At().Key(), at, text))
		}
		if it.Err() != nil {
			t.Fatal(it.Err())
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	slices.Sort(all)
	return all
}

func wantDump(t testing.TB, store storage.Store, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := dump(t, store); !slices.Equal(got, want) {
		t.Errorf("stored\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// wantAnswer compares an answer. written is "samples histograms exemplars", or empty for no such headers.
func wantAnswer(t testing.TB, w *httptest.ResponseRecorder, status int, written string, words ...string) {
	t.Helper()
	var got []string
	for _, what := range []string{"Samples", "Histograms", "Exemplars"} {
		got = append(got, w.Header()["X-Prometheus-Remote-Write-"+what+"-Written"]...)
	}
	if w.Code != status || strings.Join(got, " ") != written {
		t.Errorf("%d, written %q, want %d, %q: %s", w.Code, got, status, written, w.Body)
	}
	for _, word := range words {
		if !strings.Contains(w.Body.String(), word) {
			t.Errorf("answer %q, want %q in it", w.Body, word)
		}
	}
	if text := w.Body.String(); status == http.StatusNoContent && text != "" || strings.Count(text, "\n") > 1 || len(text) > 1024 {
		t.Errorf("answer %q, want a line", text)
	}
	if again := w.Header().Get("Retry-After"); (again != "") != (status == http.StatusServiceUnavailable) {
		t.Errorf("%d with Retry-After %q", status, again)
	}
}

func up(t int64, v float64) sent {
	return sent{labels: []string{"__name__", "up"}, samples: []sampleAt{{t, v}}}
}

func TestStored(t *testing.T) {
	stale := math.Float64frombits(storage.StaleNaN)
	versions(t, func(t *testing.T, v version) {
		store := open(t, tsdb.Options{})
		r := New(Options{Store: store})
		w := post(r, v, pack(encode(v,
			sent{labels: []string{"__name__", "cpu", "core", "0", "host", "a"}, samples: []sampleAt{{1000, 1.5}, {2000, 2}, {-5, -1}}},
			sent{labels: []string{"__name__", "disk.used%", "dc", "Zürich ;="}, samples: []sampleAt{{1700000000123, math.Inf(-1)}}},
			sent{labels: []string{"__name__", "gone"}, samples: []sampleAt{{2000, 1}, {1000, stale}}, exemplars: 2},
			sent{labels: []string{"__name__", "zero"}, samples: []sampleAt{{}}},
			sent{labels: []string{"__name__", "nothing"}},
		)))
		wantAnswer(t, w, http.StatusNoContent, "7 0 0")
		w = post(r, v, pack(encode(v, sent{labels: []string{"__name__", "cpu", "core", "0", "host", "a"}, samples: []sampleAt{{2000, 7}, {1500, 6}}})))
		wantAnswer(t, w, http.StatusNoContent, "2 0 0")
		wantDump(t, store,
			"cpu;core=0;host=a -5 -1", "cpu;core=0;host=a 1000 1.5", "cpu;core=0;host=a 1500 6", "cpu;core=0;host=a 2000 7",
			"disk.used%;dc=Zürich%20%3B= 1700000000123 -Inf", "gone 1000 7ff0000000000002", "gone 2000 1", "zero 0 0")
		if s := r.Stats(); s.Requests != 2 || s.Samples != 9 || s.Exemplars != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestLabels(t *testing.T) {
	long := strings.Repeat("x", 5000)
	cases := []struct {
		name   string
		labels []string
		key    string // empty: refused
		why    string
	}{
		{"sorted", []string{"__name__", "m", "a", "1", "b", "2"}, "m;a=1;b=2", ""},
		{"unsorted", []string{"b", "2", "__name__", "m", "a", "1"}, "m;a=1;b=2", ""},
		{"empty value", []string{"__name__", "m", "a", "", "b", "2"}, "m;b=2", ""},
		{"name alone", []string{"__name__", "a b"}, "a%20b;", ""},
		{"a star", []string{"__name__", "*"}, "*;", ""},
		{"like a tag", []string{"__name__", "m;a=1"}, "m%3Ba=1;", ""},
		{"lengths of two bytes", []string{"__name__", "m", "a", long[:300]}, "m;a=" + long[:300], ""},
		{"33 bytes", []string{"__name__", "m", "a", long[:33], long[:33], "b"}, "m;a=" + long[:33] + ";" + long[:33] + "=b", ""},
		{"no name", []string{"a", "1"}, "", "no label __name__"},
		{"no labels", nil, "", "no label __name__"},
		{"empty name", []string{"__name__", "", "a", "1"}, "", "no label __name__"},
		{"twice", []string{"__name__", "m", "a", "1", "a", "1"}, "", "a label name twice"},
		{"twice, once empty", []string{"__name__", "m", "a", "1", "b", "2", "a", ""}, "", "a label name twice"},
		{"name twice", []string{"__name__", "m", "__name__", "n"}, "", "a label name twice"},
		{"label without name", []string{"", "1", "__name__", "m"}, "", "without a name"},
		{"not UTF-8", []string{"__name__", "m", "a", "\xff"}, "", "not of UTF-8"},
		{"long", []string{"__name__", "m", "a", long}, "", "labels too long"},
		{"long when escaped", []string{"__name__", "m", "a", strings.Repeat(";", 2000)}, "", "labels too long"},
		{"many", slices.Concat(slices.Repeat([]string{"a", ""}, 5000), []string{"__name__", "m"}), "", "labels too long"},
	}
	versions(t, func(t *testing.T, v version) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				store := open(t, tsdb.Options{})
				r := New(Options{Store: store})
				one := sent{labels: c.labels, samples: []sampleAt{{1000, 1}, {2000, 2}}}
				for range 2 { // the second time it is known
					w := post(r, v, pack(encode(v, up(1000, 1), one, up(2000, 2))))
					if c.key != "" {
						wantAnswer(t, w, http.StatusNoContent, "4 0 0")
						wantDump(t, store, "up 1000 1", "up 2000 2", c.key+" 1000 1", c.key+" 2000 2")
						continue
					}
					wantAnswer(t, w, http.StatusBadRequest, "2 0 0", "2 samples", c.why, "at 1000 ms")
					wantDump(t, store, "up 1000 1", "up 2000 2")
				}
			})
		}
	})
}

func TestStatuses(t *testing.T) {
	good := func(v version) []byte { return pack(encode(v, up(1000, 1))) }
	with := func(v version, name, value string) http.Header {
		h := headers(v)
		h.Set(name, value)
		return h
	}
	versions(t, func(t *testing.T, v version) {
		other := version1 + version2 - v
		cases := []struct {
			name    string
			header  http.Header
			body    []byte
			status  int
			written string
		}{
			{"good", headers(v), good(v), 204, "1 0 0"},
			{"no encoding named", http.Header{"Content-Type": headers(v)["Content-Type"]}, good(v), 204, "1 0 0"},
			{"nothing in it", headers(v), pack(nil), 204, "0 0 0"},
			{"gzip", with(v, "Content-Encoding", "gzip"), good(v), 415, ""},
			{"JSON", with(v, "Content-Type", "application/json"), good(v), 415, ""},
			{"a message of the future", with(v, "Content-Type", "application/x-protobuf;proto=io.prometheus.write.v3.Request"), good(v), 415, ""},
			{"no media type", with(v, "Content-Type", ";;"), good(v), 415, ""},
			{"not compressed", headers(v), encode(v, up(1000, 1)), 400, ""},
			{"no body", headers(v), nil, 400, ""},
			{"cut", headers(v), good(v)[:len(good(v))-1], 400, ""},
			{"a bomb", headers(v), []byte{0x80, 0x80, 0x40, 0}, 400, ""},
			{"a large bomb", headers(v), []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}, 413, ""},
			{"decompressed too large", headers(v), pack(make([]byte, 1<<20+1)), 413, ""},
			{"too large", headers(v), make([]byte, 1<<20+1), 413, ""},
			{"message cut", headers(v), pack(encode(v, up(1000, 1), up(2000, 1))[:30]), 400, "0 0 0"},
			{"no protobuf", headers(v), pack([]byte("put up 1 1\n")), 400, "0 0 0"},
			{"the other message", headers(v), good(other), 400, "0 0 0"},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				store := open(t, tsdb.Options{})
				r := New(Options{Store: store, MaxBody: 1 << 20})
				wantAnswer(t, do(r, c.header, bytes.NewReader(c.body)), c.status, c.written)
				wantAnswer(t, do(r, c.header, io.MultiReader(bytes.NewReader(c.body))), c.status, c.written) // of unknown length
				if c.status != 204 || c.written == "0 0 0" {
					wantDump(t, store)
				}
				if n := r.bodies.Taken.Load(); n != 0 {
					t.Errorf("%d bytes are still taken", n)
				}
			})
		}
	})
}

// TestPartly: what is refused for good does not affect what stands beside it.
func TestPartly(t *testing.T) {
	versions(t, func(t *testing.T, v version) {
		now := time.Unix(1_700_000_000, 0)
		store := open(t, tsdb.Options{MaxSeries: 2, Retention: time.Hour, Now: func() time.Time { return now }})
		r := New(Options{Store: store})
		ms := now.UnixMilli()
		all := []sent{
			up(ms, 1), up(ms-3600_001, 2), up(ms-3599_000, 3), up(math.MaxInt64, 4),
			{labels: []string{"__name__", "down"}, samples: []sampleAt{{ms, 5}}},
			{labels: []string{"__name__", "one.too.many"}, samples: []sampleAt{{ms, 6}, {ms + 1, 6}}},
			{labels: []string{"a", "b"}, samples: []sampleAt{{ms, 7}}},
			up(ms+1, 8),
		}
		for range 2 {
			w := post(r, v, pack(encode(v, all...)))
			wantAnswer(t, w, http.StatusBadRequest, "4 0 0", "5 samples", "1: older than the retention", fmt.Sprintf(`: up at %d ms`, ms-3600_001),
				"1: time out of range", "2: series limit reached", `: one.too.many at`, "1: no label __name__", `{a="b"}`)
		}
		wantDump(t, store, fmt.Sprintf("up %d 1", ms), fmt.Sprintf("up %d 3", ms-3599_000), fmt.Sprintf("up %d 8", ms+1), fmt.Sprintf("down %d 5", ms))
		s := r.Stats()
		if s.Samples != 8 || s.Refused["too_old"] != 2 || s.Refused["time_range"] != 2 || s.Refused["series_limit"] != 4 || s.Refused["no_name"] != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}
