package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"metricd/internal/ownmetrics"
)

// metrics are what the server counts of its requests. Handlers are named by their paths, as New spells them; what has
// none is "other". Safe for concurrent use.
type metrics struct {
	requests  *prometheus.CounterVec // by handler and status
	durations *prometheus.HistogramVec
	sent      *prometheus.CounterVec
}

// newMetrics registers what s counts, and mounts GET /metrics, where everything in its registry is shown.
func (s *Server) newMetrics() *metrics {
	byHandler := []string{"handler"}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "metricd_http_requests_total",
			Help: "Requests over HTTP that were answered.",
		}, []string{"handler", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "metricd_http_request_duration_seconds",
			Help:    "How long requests over HTTP took, from the end of their headers to the end of the answer.",
			Buckets: []float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 10, 60},
		}, byHandler),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "metricd_http_response_bytes_total",
			Help: "Bytes of the bodies of answers over HTTP.",
		}, byHandler),
	}
	registry := s.cfg.Metrics
	registry.MustRegister(m.requests, m.durations, m.sent, ownmetrics.HTTPConns(s.web.open.Load, MaxConns))
	page := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, OfferedCompressions: []promhttp.Compression{promhttp.Identity, promhttp.Gzip}})
	s.mux.Handle("GET /metrics", s.answer(func(w *reply, r *http.Request) error {
		page.ServeHTTP(w, r)
		return nil
	}))
	return m
}

// count returns what answers as h does, and counts it. h must give requests on as they are: their Pattern is read when it is done.
func (m *metrics) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		seen := &counted{ResponseWriter: w}
		defer func() { // a handler may be ended by a panic
			handler := "other"
			if _, path, ok := strings.Cut(r.Pattern, " "); ok {
				handler = path
			}
			m.requests.WithLabelValues(handler, strconv.Itoa(max(seen.status, http.StatusOK))).Inc()
			m.durations.WithLabelValues(handler).Observe(time.Since(begun).Seconds())
			m.sent.WithLabelValues(handler).Add(float64(seen.bytes))
		}()
		h.ServeHTTP(seen, r)
	})
}

// counted is an answer that is counted. It belongs to one request.
type counted struct {
	http.ResponseWriter
	status int // 0: none was written yet
	bytes  int64
}

// Unwrap is for http.ResponseController.
func (w *counted) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *counted) WriteHeader(status int) {
	if w.status < http.StatusOK { // what comes before an answer (1xx) is none
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *counted) Write(b []byte) (int, error) {
	if w.status < http.StatusOK {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}
