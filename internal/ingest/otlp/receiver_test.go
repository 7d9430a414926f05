package otlp

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/encoding/protowire"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

func ns(ms int64) pcommon.Timestamp { return pcommon.Timestamp(ms * 1e6) }

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

// post sends a message and returns the answer.
func post(r *Receiver, kind string, body []byte) *httptest.ResponseRecorder {
	return do(r, http.Header{"Content-Type": {kind}}, bytes.NewReader(body))
}

func do(r *Receiver, h http.Header, body io.Reader) *httptest.ResponseRecorder {
	req := httptest.NewRequest("POST", "/v1/metrics", body)
	req.Header = h
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

// formats runs f for both: kind is the Content-Type, and in makes a message of one in protobuf.
func formats(t *testing.T, f func(t *testing.T, kind string, in func(message []byte) []byte)) {
	t.Run("protobuf", func(t *testing.T) {
		f(t, types[inProtobuf], func(message []byte) []byte { return message })
	})
	t.Run("json", func(t *testing.T) {
		f(t, types[inJSON], func(message []byte) []byte { return asJSON(t, message) })
	})
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

// wantAnswer looks for words in the answer, each by its protobuf, JSON or text.
func wantAnswer(t testing.TB, w *httptest.ResponseRecorder, status int, words ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("%d, want %d: %q", w.Code, status, w.Body)
	}
	for _, word := range words {
		if !strings.Contains(w.Body.String(), word) {
			t.Errorf("answer %q, want %q in it", w.Body, word)
		}
	}
	if status == http.StatusOK && len(words) == 0 && w.Body.String() != "" && w.Body.String() != "{}" {
		t.Errorf("answer %q, want none", w.Body)
	}
	if again := w.Header().Get("Retry-After"); (again != "") != (status == http.StatusServiceUnavailable) {
		t.Errorf("%d with Retry-After %q", status, again)
	}
}

// TestStored: one metric of each kind. The comparison with Prometheus is in the module interop.
func TestStored(t *testing.T) {
	b := message(t, func(all pmetric.MetricSlice) {
		gauge(all, "temp.now", 1000, 2000).SetUnit("Cel")
		s := all.AppendEmpty()
		s.SetName("requests")
		s.SetEmptySum().SetIsMonotonic(true)
		s.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		p := s.Sum().DataPoints().AppendEmpty()
		p.SetTimestamp(ns(1500))
		p.SetIntValue(7)
		p.Attributes().PutStr("http.route", "/a b")
		p.Attributes().PutStr("http_route", "c")
		gone := s.Sum().DataPoints().AppendEmpty()
		gone.SetTimestamp(ns(1500))
		gone.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		h := all.AppendEmpty()
		h.SetName("latency")
		h.SetUnit("s")
		h.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		hp := h.Histogram().DataPoints().AppendEmpty()
		hp.SetTimestamp(ns(1500))
		hp.SetCount(3)
		hp.SetSum(0.5)
		hp.ExplicitBounds().FromRaw([]float64{0.1, 1})
		hp.BucketCounts().FromRaw([]uint64{1, 1, 1})
		q := all.AppendEmpty()
		q.SetName("size")
		qp := q.SetEmptySummary().DataPoints().AppendEmpty()
		qp.SetTimestamp(ns(1500))
		qp.QuantileValues().AppendEmpty().SetQuantile(0.5)
	})
	formats(t, func(t *testing.T, kind string, in func([]byte) []byte) {
		store := open(t, tsdb.Options{})
		r := New(Options{Store: store})
		for range 2 { // the second time all is known
			wantAnswer(t, post(r, kind, in(b)), http.StatusOK)
		}
		wantDump(t, store,
			"temp_now_celsius;job=shop 1000 1", "temp_now_celsius;job=shop 2000 1",
			"requests_total;http_route=/a%20b%3Bc;job=shop 1500 7", "requests_total;job=shop 1500 7ff0000000000002",
			"latency_seconds_sum;job=shop 1500 0.5", "latency_seconds_count;job=shop 1500 3",
			"latency_seconds_bucket;job=shop;le=0.1 1500 1", "latency_seconds_bucket;job=shop;le=1 1500 2", "latency_seconds_bucket;job=shop;le=+Inf 1500 3",
			"size_sum;job=shop 1500 0", "size_count;job=shop 1500 0", "size;job=shop;quantile=0.5 1500 0",
			"target_info;host_name=a;job=shop 1000 1", "target_info;host_name=a;job=shop 2000 1")
		if s := r.Stats(); s.Requests != 2 || s.Points != 12 || s.Bytes != int64(2*len(in(b))) {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestPartly: what is refused for good does not affect what stands beside it.
func TestPartly(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ms := now.UnixMilli()
	b := message(t, func(all pmetric.MetricSlice) {
		gauge(all, "up", ms, ms-3600_001, ms-3599_000)
		d := all.AppendEmpty()
		d.SetName("by.delta")
		d.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		d.Sum().DataPoints().AppendEmpty().SetTimestamp(ns(ms))
		d.Sum().DataPoints().AppendEmpty().SetTimestamp(ns(ms))
		u := all.AppendEmpty()
		u.SetName("of.nothing")
		u.SetEmptyHistogram().DataPoints().AppendEmpty().SetTimestamp(ns(ms))
		gauge(all, "__", ms)
		bad := gauge(all, "down", ms, ms+1, ms+2, ms+3)
		bad.Gauge().DataPoints().At(0).Attributes().PutStr("", "x")
		bad.Gauge().DataPoints().At(1).Attributes().PutStr("x", "\xff")
		bad.Gauge().DataPoints().At(2).Attributes().PutStr("x", strings.Repeat("x", 5000))
		e := all.AppendEmpty()
		e.SetName("exp")
		e.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		ep := e.ExponentialHistogram().DataPoints().AppendEmpty()
		ep.SetTimestamp(ns(ms))
		ep.SetCount(5)
		many := all.AppendEmpty()
		many.SetName("many")
		many.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		mp := many.Histogram().DataPoints().AppendEmpty()
		mp.SetTimestamp(ns(ms))
		mp.ExplicitBounds().FromRaw(make([]float64, 1025))
		mp.BucketCounts().FromRaw(make([]uint64, 1026))
		h := all.AppendEmpty()
		h.SetName("one.too.many")
		h.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		h.Histogram().DataPoints().AppendEmpty().SetTimestamp(ns(ms))
	})
	store := open(t, tsdb.Options{MaxSeries: 4, Retention: time.Hour, Now: func() time.Time { return now }})
	r := New(Options{Store: store})
	for range 2 {
		w := post(r, types[inProtobuf], b)
		wantAnswer(t, w, http.StatusOK, "refused for good: 11 data points; the others are stored",
			"1: older than the retention (the first: up;job=shop at", "1: series limit reached (the first: one_too_many_bucket;job=shop;le=+Inf at", "2: delta temporality", "(the first: by.delta at",
			"1: no aggregation temporality", "1: a metric name of which nothing is left", "1: an attribute name of which nothing is left",
			"1: an attribute that is not UTF-8", "1: labels too long", "1: exponential histogram", "1: more than 1,024 buckets", "; target_info is not stored: ")
		inner, n := protowire.ConsumeBytes(w.Body.Bytes()[1:])
		if n < 0 || inner[0] != 0x08 || inner[1] != 11 {
			t.Errorf("answer %q, want 11 rejected data points", w.Body)
		}
	}
	wantDump(t, store, fmt.Sprintf("up;job=shop %d 1", ms), fmt.Sprintf("up;job=shop %d 1", ms-3599_000), fmt.Sprintf("down;job=shop %d 1", ms+3),
		fmt.Sprintf("exp_count;job=shop %d 5", ms), fmt.Sprintf("one_too_many_count;job=shop %d 0", ms))
	s := r.Stats()
	for slug, want := range map[string]int64{"too_old": 2, "series_limit": 2, "delta": 4, "no_temporality": 2, "invalid_name": 2, "invalid_attribute": 2, "not_utf8": 2, "long_labels": 2, "exponential_histogram": 2, "many_buckets": 2} {
		if s.Refused[slug] != want {
			t.Errorf("%d refused for %s, want %d", s.Refused[slug], slug, want)
		}
	}
	if s.Points != 2*3 {
		t.Errorf("%d points stored, want 6", s.Points)
	}
}

func TestStatuses(t *testing.T) {
	zip := func(b []byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		w.Write(b)
		w.Close()
		return out.Bytes()
	}
	proto, json := types[inProtobuf], types[inJSON]
	good, text := up(t), asJSON(t, up(t))
	cases := []struct {
		name, kind, encoding string
		body                 []byte
		status               int
		answer               string // its Content-Type
	}{
		{"protobuf", proto, "", good, 200, proto},
		{"JSON", json, "", text, 200, json},
		{"JSON with a character set", "application/json; charset=utf-8", "identity", text, 200, json},
		{"nothing in it", proto, "", nil, 200, proto},
		{"an empty object", json, "", []byte("{}"), 200, json},
		{"gzip", proto, "gzip", zip(good), 200, proto},
		{"JSON in gzip", json, "GZIP", zip(text), 200, json},
		{"no type", "", "", good, 415, types[asText]},
		{"another type", "application/x-thrift", "", good, 415, types[asText]},
		{"no media type", ";;", "", good, 415, types[asText]},
		{"zstd", proto, "zstd", good, 415, types[asText]},
		{"not gzip", proto, "gzip", good, 400, proto},
		{"gzip cut", proto, "gzip", zip(good)[:20], 400, proto},
		{"a bomb", proto, "gzip", zip(make([]byte, 1<<20+1)), 413, proto},
		{"too large", json, "", make([]byte, 1<<20+1), 413, json},
		{"cut", proto, "", good[:len(good)-1], 400, proto},
		{"no protobuf", proto, "", []byte("put up 1 1\n"), 400, proto},
		{"JSON for protobuf", proto, "", text, 400, proto},
		{"protobuf for JSON", json, "", good, 400, json},
		{"no body of JSON", json, "", nil, 400, json},
		{"JSON cut", json, "", text[:len(text)-1], 400, json},
		{"more behind it", json, "", append(slices.Clip(text), '}'), 400, json},
		{"another JSON", json, "", []byte(`{"resourceMetrics":7}`), 400, json},
		{"deep", json, "", []byte(strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)), 400, json},
		{"many objects", json, "", []byte(`[` + strings.Repeat(`{},`, 300_000) + `{}]`), 413, json},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			store := open(t, tsdb.Options{})
			r := New(Options{Store: store, MaxBody: 1 << 20})
			h := http.Header{"Content-Type": {c.kind}}
			if c.encoding != "" {
				h.Set("Content-Encoding", c.encoding)
			}
			for _, body := range []io.Reader{bytes.NewReader(c.body), io.MultiReader(bytes.NewReader(c.body))} { // the second: of unknown length
				w := do(r, h, body)
				wantAnswer(t, w, c.status)
				if got := w.Header().Get("Content-Type"); got != c.answer {
					t.Errorf("answer of type %q, want %q", got, c.answer)
				}
				if c.status != 200 {
					wantStatus(t, w, c.answer)
				}
			}
			if c.status != 200 {
				wantDump(t, store)
				if n := r.Stats().Failed[c.status]; n != 2 {
					t.Errorf("%d counted as failed", n)
				}
			} else if len(c.body) > 2 {
				wantDump(t, store, "up;job=shop 1000 1", "target_info;host_name=a;job=shop 1000 1")
			}
			if n := r.bodies.Taken.Load(); n != 0 {
				t.Errorf("%d bytes are still taken", n)
			}
		})
	}
}

// wantStatus wants a google.rpc.Status with a code and a message.
func wantStatus(t *testing.T, w *httptest.ResponseRecorder, kind string) {
	t.Helper()
	b := w.Body.Bytes()
	switch kind {
	case types[inProtobuf]:
		if len(b) < 4 || b[0] != 0x08 || b[1] == 0 || b[2] != 0x12 {
			t.Errorf("no status: %q", b)
		} else if text, n := protowire.ConsumeString(b[3:]); n != len(b)-3 || text == "" {
			t.Errorf("no message in the status: %q", b)
		}
	case types[inJSON]:
		if !strings.HasPrefix(string(b), `{"code":`) || !strings.Contains(string(b), `"message":"`) {
			t.Errorf("no status: %q", b)
		}
	}
}
