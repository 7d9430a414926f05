package metricd

import (
	"time"

	"metricd/internal/httpapi"
	"metricd/internal/lineserver"
	"metricd/internal/ownmetrics"
)

// openAPI makes the HTTP API, with the server's own figures, and returns what is to be told how long gets take. Who has no HTTP
// can't see these figures, and pays nothing for them.
func (s *Server) openAPI(cfg Config) (onGet func(time.Duration)) {
	gets := ownmetrics.GetDurations()
	own := ownmetrics.NewRegistry(cfg.Version)
	own.MustRegister(gets, ownmetrics.Storage(s.store.Stats), ownmetrics.Lines(func() lineserver.Stats { return s.lines.Stats() }))
	if s.on.graphite != nil {
		own.MustRegister(ownmetrics.Graphite(s.graphite.Stats))
	}
	s.api = httpapi.New(httpapi.Config{Store: s.store, MaxLine: cfg.MaxLine, MaxKey: cfg.MaxKey, Version: cfg.Version, Logger: cfg.Logger, Metrics: own})
	return func(d time.Duration) { gets.Observe(d.Seconds()) }
}
