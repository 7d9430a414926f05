package metricd

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"metricd/internal/httpapi"
	"metricd/internal/lineserver"
	"metricd/internal/ownmetrics"
	"metricd/internal/promql"
	"metricd/internal/tsdb"
)

// own is what a server keeps of its own figures: those of a day, in memory, where PromQL alone sees them. Also when the disk is full.
type own struct {
	figures *prometheus.Registry
	gets    prometheus.Histogram
	store   *tsdb.DB
}

// Bounds of what a server keeps of its own figures. The memory is three times what a day of 600 series takes.
const (
	ownRetention = 24 * time.Hour
	ownMemory    = 24 << 20
	ownSeries    = 3000
	ownFlush     = 4 << 20
)

// openOwn returns the figures of a server, and the store for them. Now is the clock of that; nil: time.Now.
func openOwn(s *Server, version string, now func() time.Time) (*own, error) {
	store, err := tsdb.Open(tsdb.Options{
		Retention:   ownRetention,
		DropMost:    true,
		MaxSeries:   ownSeries,
		MemoryLimit: ownMemory,
		FlushHead:   ownFlush,
		Now:         now,
		Logf:        logf(s.log),
	})
	if err != nil {
		return nil, err
	}
	o := &own{figures: ownmetrics.NewRegistry(version), gets: ownmetrics.GetDurations(), store: store}
	o.figures.MustRegister(
		o.gets,
		ownmetrics.Storage(s.store.Stats),
		ownmetrics.Lines(func() lineserver.Stats { return s.lines.Stats() }),
		ownmetrics.Kept(store.Stats),
	)
	if s.on.graphite != nil {
		o.figures.MustRegister(ownmetrics.Graphite(s.graphite.Stats))
	}
	return o, nil
}

// A query may hold a sixteenth of the memory limit, at 16 bytes a sample, but a million samples always: several run at once.
const (
	queryShare   = 16 * 16
	leastSamples = 1_000_000
)

// openAPI makes the HTTP API and what it shows of the server's own figures. Who has no HTTP can't see these, and pays nothing for them.
func (s *Server) openAPI(web httpapi.Config) (err error) {
	if s.own, err = openOwn(s, web.Version, nil); err != nil {
		return err
	}
	web.Store, web.Own, web.Metrics = s.store, s.own.store, s.own.figures
	web.WatchConns = s.watchConns
	if s.memoryLimit > 0 {
		web.Query.MaxSamples = int(min(max(s.memoryLimit/queryShare, leastSamples), promql.DefaultMaxSamples))
	}
	s.api = httpapi.New(web)
	return nil
}

// record keeps the figures until ctx is done.
func (o *own) record(ctx context.Context, log *slog.Logger) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ownmetrics.NewRecorder(o.figures, o.store, log).Run(ctx)
}

// onGet is told how long a get took.
func (o *own) onGet(d time.Duration) { o.gets.Observe(d.Seconds()) }

// watchConns watches the connections of the line protocol, as httpapi.Config has it.
func (s *Server) watchConns() (end func(most int) []httpapi.BusyConn) {
	endLines := s.lines.Watch()
	return func(most int) (busy []httpapi.BusyConn) {
		for _, c := range endLines(most) {
			busy = append(busy, httpapi.BusyConn{Protocol: "line", Client: c.Client, Puts: c.Puts, Gets: c.Gets, Received: c.Received, Sent: c.Sent})
		}
		return busy
	}
}
