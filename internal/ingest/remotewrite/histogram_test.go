package remotewrite

import (
	"math"
	"net/http"
	"slices"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

var latency = []string{"__name__", "latency", "job", "a", "le", "odd"}

func TestClassic(t *testing.T) {
	stale := math.Float64frombits(storage.StaleNaN)
	cases := []struct {
		name string
		h    nativeSent
		want []string // without the time
	}{
		{
			"deltas",
			nativeSent{count: 35, sum: 123, spans: []span{{0, 2}, {4, 1}, {1, 2}}, deltas: []int64{1, 2, 3, 4, 5}, bounds: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
			[]string{"1.0 1", "2.0 4", "3.0 4", "4.0 4", "5.0 4", "6.0 4", "7.0 10", "8.0 10", "9.0 20", "10.0 35", "+Inf 35", "count 35", "sum 123"},
		},
		{
			"counts",
			nativeSent{floats: true, count: 15.5, sum: -1.5, spans: []span{{1, 2}}, counts: []float64{0.5, 4}, bounds: []float64{-0.25, 1e-7, 1e21}},
			[]string{"-0.25 0", "1e-07 0.5", "1e+21 4.5", "+Inf 4.5", "count 15.5", "sum -1.5"},
		},
		{"no bounds", nativeSent{count: 3, sum: 1, spans: []span{{0, 1}}, deltas: []int64{3}}, []string{"+Inf 3", "count 3", "sum 1"}},
		{"empty", nativeSent{bounds: []float64{math.Inf(-1), math.Copysign(0, -1), 1}}, []string{"-Inf 0", "0.0 0", "1.0 0", "+Inf 0", "count 0", "sum 0"}},
		{
			"observations that were NaN",
			nativeSent{count: 3, sum: math.NaN(), spans: []span{{0, 1}}, deltas: []int64{2}, bounds: []float64{1}},
			[]string{"1.0 2", "+Inf 2", "count 3", "sum 7ff8000000000001"},
		},
		{
			"stale",
			nativeSent{sum: stale, count: 9, spans: []span{{0, 1}}, deltas: []int64{2}, bounds: []float64{1}},
			[]string{"1.0 7ff0000000000002", "+Inf 7ff0000000000002", "count 7ff0000000000002", "sum 7ff0000000000002"},
		},
	}
	versions(t, func(t *testing.T, v version) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				store := open(t, tsdb.Options{})
				r := New(Options{Store: store})
				c.h.schema, c.h.t = customBounds, 5000
				message := pack(encode(v, sent{labels: latency, histograms: []nativeSent{c.h}}, up(1, 1)))
				var want []string
				for _, w := range c.want {
					name, value := w[:slices.Index([]byte(w), ' ')], w[slices.Index([]byte(w), ' '):]
					key := "latency_bucket;job=a;le=" + name
					if name == "count" || name == "sum" {
						key = "latency_" + name + ";job=a;le=odd"
					}
					want = append(want, key+" 5000"+value)
				}
				for range 2 {
					wantAnswer(t, post(r, v, message), http.StatusNoContent, "1 1 0")
					wantDump(t, store, append(want, "up 1 1")...)
				}
			})
		}
	})
}

func TestInvalidHistogram(t *testing.T) {
	good := nativeSent{schema: customBounds, count: 6, sum: 1, spans: []span{{0, 2}}, deltas: []int64{2, 2}, bounds: []float64{1, 2}, t: 1}
	cases := map[string]func(h *nativeSent){
		"bounds descend":        func(h *nativeSent) { h.bounds = []float64{2, 1} },
		"a bound twice":         func(h *nativeSent) { h.bounds = []float64{1, 1} },
		"a bound is NaN":        func(h *nativeSent) { h.bounds = []float64{1, math.NaN()} },
		"bound +Inf":            func(h *nativeSent) { h.bounds = []float64{1, math.Inf(1)} },
		"zero count":            func(h *nativeSent) { h.zero = 1 },
		"zero threshold":        func(h *nativeSent) { h.threshold = 1 },
		"negative buckets":      func(h *nativeSent) { h.negative = true },
		"negative offset":       func(h *nativeSent) { h.spans = []span{{-1, 2}} },
		"spans too short":       func(h *nativeSent) { h.spans = []span{{0, 1}} },
		"spans too long":        func(h *nativeSent) { h.spans = []span{{0, 1 << 31}} },
		"spans beyond bounds":   func(h *nativeSent) { h.spans = []span{{2, 2}} },
		"count too small":       func(h *nativeSent) { h.count = 5 },
		"count too large":       func(h *nativeSent) { h.count = 7 },
		"NaN, count too small":  func(h *nativeSent) { h.count, h.sum = 5, math.NaN() },
		"a negative count":      func(h *nativeSent) { h.deltas = []int64{8, -10} },
		"negative, as doubles":  func(h *nativeSent) { h.floats, h.counts = true, []float64{1, -1} },
		"negative count, so":    func(h *nativeSent) { h.floats, h.counts, h.count = true, []float64{1, 1}, -1 },
		"deltas, but as floats": func(h *nativeSent) { h.floats = true },
		"far too long":          func(h *nativeSent) { h.deltas = make([]int64, maxBuckets+2) },
	}
	versions(t, func(t *testing.T, v version) {
		for name, change := range cases {
			t.Run(name, func(t *testing.T) {
				store := open(t, tsdb.Options{})
				r := New(Options{Store: store})
				bad := good
				change(&bad)
				w := post(r, v, pack(encode(v, sent{labels: latency, histograms: []nativeSent{bad, good}, samples: []sampleAt{{2, 2}}})))
				wantAnswer(t, w, http.StatusBadRequest, "1 1 0", "0 samples, 1 histograms", "1: invalid histogram", `{__name__="latency",job="a"`)
				wantDump(t, store, "latency;job=a;le=odd 2 2", "latency_bucket;job=a;le=1.0 1 2", "latency_bucket;job=a;le=2.0 1 6", "latency_bucket;job=a;le=+Inf 1 6",
					"latency_count;job=a;le=odd 1 6", "latency_sum;job=a;le=odd 1 1")
			})
		}
	})
}

// TestExponential: count and sum are kept; a staleness marker has nothing else.
func TestExponential(t *testing.T) {
	versions(t, func(t *testing.T, v version) {
		store := open(t, tsdb.Options{})
		r := New(Options{Store: store})
		h := nativeSent{schema: 3, count: 6, sum: 1.5, spans: []span{{-4, 2}}, deltas: []int64{2, 2}, zero: 1, negative: true, threshold: 1e-128, t: 1}
		wantAnswer(t, post(r, v, pack(encode(v, sent{labels: latency[:4], histograms: []nativeSent{h}}, up(1, 1)))), http.StatusBadRequest, "1 0 0", "1 histograms", "only its _count and _sum are stored")
		h.floats, h.count, h.t, h.counts, h.deltas = true, 0.5, 2, []float64{1, 2}, nil
		wantAnswer(t, post(r, v, pack(encode(v, sent{labels: latency[:4], histograms: []nativeSent{h}}))), http.StatusBadRequest, "0 0 0")
		marker := nativeSent{sum: math.Float64frombits(storage.StaleNaN), t: 3}
		wantAnswer(t, post(r, v, pack(encode(v, sent{labels: latency[:4], histograms: []nativeSent{marker}}))), http.StatusNoContent, "0 1 0")
		wantDump(t, store, "up 1 1", "latency_count;job=a 1 6", "latency_sum;job=a 1 1.5", "latency_count;job=a 2 0.5", "latency_sum;job=a 2 1.5",
			"latency_count;job=a 3 7ff0000000000002", "latency_sum;job=a 3 7ff0000000000002")
		if s := r.Stats(); s.Histograms != 1 || s.Refused["native_histogram"] != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestHistogramPartlyRefused: a histogram of which one series finds no room is not written, and counts once.
func TestHistogramPartlyRefused(t *testing.T) {
	store := open(t, tsdb.Options{MaxSeries: 3})
	r := New(Options{Store: store})
	h := nativeSent{schema: customBounds, count: 2, sum: 1, spans: []span{{0, 1}}, deltas: []int64{2}, bounds: []float64{1}, t: 1}
	whole := nativeSent{schema: customBounds, t: 2}
	exponential := nativeSent{schema: 1, t: 3}
	message := encode1(sent{labels: latency[:4], histograms: []nativeSent{h, whole, exponential}, samples: []sampleAt{{1, 1}}})
	wantAnswer(t, post(r, version1, pack(message)), http.StatusBadRequest, "1 0 0", "0 samples, 3 histograms", "2: series limit reached", "1: native histogram")
	wantDump(t, store, "latency;job=a 1 1", "latency_bucket;job=a;le=1.0 1 2", "latency_bucket;job=a;le=+Inf 1 2", "latency_bucket;job=a;le=+Inf 2 0")
}
