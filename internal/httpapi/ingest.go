package httpapi

import (
	"io"
	"net/http"

	"metricd/internal/ingest/influx"
	"metricd/internal/ingest/otlp"
	"metricd/internal/ingest/remotewrite"
	"metricd/internal/ownmetrics"
)

// mountIngest mounts the protocols of others that come over HTTP. What they answer is theirs to say, the time that a
// client has is ours.
func (s *Server) mountIngest() {
	samples := remotewrite.New(remotewrite.Options{
		Store:    s.cfg.Store,
		Metadata: s.metadata,
		MaxKey:   s.cfg.MaxKey,
	})
	s.mux.Handle("POST /api/v1/write", s.ingest(samples))
	points := otlp.New(otlp.Options{Store: s.cfg.Store, Metadata: s.metadata, MaxKey: s.cfg.MaxKey})
	s.mux.Handle("POST /v1/metrics", s.ingest(points))
	s.mux.Handle("POST /api/v1/otlp/v1/metrics", s.ingest(points))
	lines := influx.New(influx.Config{
		Store:   s.cfg.Store,
		MaxKey:  s.cfg.MaxKey,
		Version: s.cfg.Version,
		Now:     s.cfg.Now,
	})
	for pattern, h := range lines.Handlers() {
		s.mux.Handle(pattern, s.ingest(h))
	}
	s.cfg.Metrics.MustRegister(ownmetrics.RemoteWrite(samples.Stats), ownmetrics.OTLP(points.Stats), ownmetrics.Influx(lines.Stats))
}

// ingest returns what answers with h. Its body ends with an error when its client is slow, or the server about to stop.
func (s *Server) ingest(h http.Handler) http.Handler {
	return s.answer(s.inTurn(func(w *reply, r *http.Request) error {
		b := s.newBody(w, r)
		defer b.Close()
		r.Body = io.NopCloser(b)
		h.ServeHTTP(w, r)
		return nil
	}))
}
