package peers

import (
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serveTarget serves metrics of every kind for Prometheus to scrape, and returns its HOST:PORT.
func serveTarget(t *testing.T) string {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(collector(func(ch chan<- prometheus.Metric) {
		special := prometheus.NewDesc("peers_special", "Values that are easily lost.", []string{"label"}, nil)
		for label, v := range map[string]float64{
			"plain": 0.1, "a b;c=d%20": -0.1, "é\"\\\n": math.Inf(1), "minus": math.Inf(-1), "nan": math.NaN(),
			"denormal": math.SmallestNonzeroFloat64, "large": math.MaxFloat64, "": 1 << 53,
		} {
			ch <- prometheus.MustNewConstMetric(special, prometheus.GaugeValue, v, label)
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("peers_negative_zero", "Which is sent as 0.", nil, nil), prometheus.GaugeValue, math.Copysign(0, -1))
		changing := prometheus.NewDesc("peers_changing", "Any bits, of series that come and go.", []string{"n"}, nil)
		for n := range 20 {
			if rand.IntN(3) > 0 {
				ch <- prometheus.MustNewConstMetric(changing, prometheus.GaugeValue, math.Float64frombits(rand.Uint64()), strconv.Itoa(n))
			}
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("peers.dotted", "A name that takes quotes in PromQL.", nil, prometheus.Labels{"a.b": "c"}), prometheus.CounterValue, 1)
	}))
	classic := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "peers_classic", Help: "With buckets of its own.", Buckets: []float64{-1, 0, 0.1, 1, 2.5, 1e6}})
	native := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "peers_native", Help: "With exponential buckets.", NativeHistogramBucketFactor: 1.1})
	for _, v := range []float64{-2, 0.05, 0.1, 0.7, 1.5, 2, 3, 1e9} {
		classic.Observe(v)
		native.Observe(v)
	}
	r.MustRegister(classic, native)
	s := httptest.NewServer(promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// collector collects metrics that nobody knows before.
type collector func(chan<- prometheus.Metric)

func (c collector) Collect(ch chan<- prometheus.Metric) { c(ch) }
func (c collector) Describe(chan<- *prometheus.Desc)    {}
