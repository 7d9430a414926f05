// Package httpapi serves HTTP beside the line protocol: queries as Prometheus does, health, export and import of samples as text,
// and backups. It knows a storage.Store and no engine of storage.
//
//	GET  /, /assets/…             the page (package webui)
//	GET  /-/healthy               200 while the process serves
//	GET  /-/ready                 200 while the store works, else 503; on a full disk 200, with "reads only" and why
//	GET  /metrics                 the server's own figures, for Prometheus (metrics.go, package ownmetrics)
//	GET  /api/v1/export           samples as text (export.go)
//	POST /api/v1/import           samples from text (import.go)
//	GET  /api/v1/admin/backup     all files of the store as a tar (backup.go)
//	GET  /api/page/top            the busiest connections and series of the next second or so (top.go)
//	POST /api/v1/write            Prometheus' remote write (package remotewrite)
//	     /api/page/boards         boards of the page, to be listed, read, made, replaced and deleted (boards.go)
//	POST /write, /api/v2/write    InfluxDB's line protocol (package influx), with its /ping, /health and /query
//
//	GET  /api/page/browse         the tree of names, and series by a filter, with last values (browse.go)
//	GET  /api/page/extent         from when to when selected series have samples (extent.go)
//
// Below /api/v1/ is also the HTTP API of Prometheus 3.16, with its answers to the byte (queries.go). Where that has GET and POST the
// parameters may be a form in the body, of a MiB at most; parameters that are not known are ignored:
//
//	GET, POST query, query_range           PromQL at one time, and at many (query.go)
//	GET, POST format_query, parse_query    an expression printed anew, and as a tree
//	GET, POST query_exemplars              there are none
//	GET, POST series, labels               label sets, and names of labels (lookups.go)
//	GET       label/{name}/values          values of a label
//	GET       metadata, targets/metadata   type, help and unit of metrics as senders told them; nothing (metricmetadata.go)
//	GET       status/buildinfo, status/runtimeinfo, status/flags    the process (status.go)
//	GET       status/tsdb                  counts of series and labels (cardinality.go)
//	GET       rules, targets, alerts, alertmanagers, scrape_pools, notifications, status/config, status/walreplay,
//	          status/tsdb/blocks           valid and empty: there is nothing of the kind (absent.go)
//	POST, PUT admin/tsdb/delete_series     deletes samples (admin.go)
//	POST, PUT admin/tsdb/clean_tombstones  nothing to do
//	POST, PUT admin/tsdb/snapshot          501, and where backups are
//
// Errors are JSON, as Prometheus' HTTP API has it: {"status":"error","errorType":…,"error":…}. An answer that
// fails after its first byte was sent has no end: the connection is closed, and clients see that it is cut short.
//
// # Who may ask
//
// Whoever can connect and shows the password or certificate that Config.WebConfig asks for, if it does. With a browser between, that alone would let
// every web site ask that its user looks at, so:
//
//	GET changes nothing, nor does HEAD
//	403  what a page of another origin sends but for GET and HEAD, and all that it asks for below /api/: by Sec-Fetch-Site, else by Origin
//	421  a Host that is no IP address, localhost or one of Config.Hosts, where the connection is of this machine and no password was asked for: the name of a web
//	     site, made to point here (DNS rebinding), would be of the same origin. HTTP/1.0 may leave it out: no browser does
//	CORS for Config.Origins only, to GET and HEAD, not below /api/v1/admin/. Where passwords are asked for, browsers get no further than the question ahead (preflight),
//	     which has none
//
// ServeAdmin is for those who watch the server, without password or TLS.
//
// What a request may hold is bounded: headers of 64 KiB (431), the time to send them (10 s), the time without a byte of the body or a reader of the answer (Config.Stall), and its
// decompressed size or its memory by each handler.
//
// # Goroutines
//
// Serve and ServeAdmin run in their caller's goroutine and have net/http's: one that accepts, and one for each connection, and one more
// while a request is carried out. All requests have ended when they return.
package httpapi

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"metricd/internal/promql"
	"metricd/internal/storage"
)

// Config says how a Server is to be. Store is needed; zero values elsewhere stand for the defaults.
type Config struct {
	Store storage.Store

	MaxLine int // bytes of a line of an import; 64 KiB
	MaxKey  int // bytes of a key of an import; 4,096

	// Stall is how long a request waits for its client to send or to read something; a minute.
	Stall time.Duration

	Version string            // of metricd, for those who ask
	Flags   map[string]string // how the server was started, for those who ask; not changed any more
	// LineAddr is where the line protocol is served, HOST:PORT, for those who ask; empty: nowhere.
	LineAddr string

	// Query are the limits of the engine of queries, and where it logs. What it counts is in Metrics, and Own is seen by it.
	Query promql.Options

	// Metrics is where what the server counts is registered, and what /metrics shows; nil: a registry of its own.
	Metrics *prometheus.Registry
	// Own is the store of the server's own figures, which queries see beside Store; nil: there is none.
	Own       storage.Store
	WebConfig string   // the file with certificates and passwords, see CheckWebConfig; empty: there are none
	Hosts     []string // names, see CheckHost, that clients of this machine may call it by, beside localhost and IP addresses
	Origins   []string // web sites, see CheckOrigin, whose pages may read

	// WatchConns begins to watch what connections of other protocols do; end returns the busiest, at most so many. nil: there are none.
	WatchConns func() (end func(most int) []BusyConn)

	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // the clock, for what is dated; nil: time.Now
}

// Server answers HTTP requests. Its methods are safe for concurrent use.
type Server struct {
	cfg Config
	log *slog.Logger
	mux routes

	stopTime time.Duration // see the constant

	metadata *metadata
	metrics  *metrics    // nil while the store is being opened
	web      connections // those that Serve has
	engine   *promql.Engine
	held     held         // results that are being written
	watching atomic.Int64 // requests of top
	started  time.Time    // when New was called

	atWork  chan struct{} // holds a value for each request that is carried out in its turn
	stop    chan struct{} // closed when requests under way are to end soon
	endSoon func()        // closes it, once

	mu struct {
		sync.Mutex
		stopping bool // no more requests
	}
	copying sync.Mutex     // held for a backup: each pins files that are no longer needed
	running sync.WaitGroup // requests; grows with mu held only, while stopping is not set
}

// New returns a Server that has no listener yet.
func New(cfg Config) *Server {
	s := newServer(cfg)
	s.mux.Handle("GET /-/healthy", s.answer(s.healthy))
	s.mux.Handle("GET /-/ready", s.answer(s.ready))
	s.mux.Handle("GET /api/v1/export", s.answer(s.inTurn(s.export)))
	s.mux.Handle("POST /api/v1/import", s.answer(s.inTurn(s.importSamples)))
	s.mux.Handle("GET /api/v1/admin/backup", s.answer(s.inTurn(s.backup)))
	s.mux.Handle("GET /api/page/top", s.answer(s.top))
	s.metrics = s.newMetrics()
	s.mountIngest()
	s.mountQueries()
	s.mountBoards()
	s.mountPage()
	return s
}

// NewStarting returns a Server for the time in which the store of cfg is still being opened: it is healthy, the page is there and waits, and 503 is the answer to all else.
// Config.Store is not needed. It stops within about a second.
func NewStarting(cfg Config) *Server {
	s := newServer(cfg)
	s.stopTime = time.Second
	s.mux.Handle("GET /-/healthy", s.answer(s.healthy))
	s.mountPage()
	s.mux.Handle("/", s.answer(func(*reply, *http.Request) error { return errRecovering }))
	return s
}

// newServer returns a Server without routes.
func newServer(cfg Config) *Server {
	if cfg.Stall <= 0 {
		cfg.Stall = time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	s := &Server{cfg: cfg, log: cfg.Logger, stopTime: stopTime, metadata: newMetadata(), started: cfg.Now(), atWork: make(chan struct{}, maxAtWork), stop: make(chan struct{})}
	s.endSoon = sync.OnceFunc(func() { close(s.stop) })
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// routes is a ServeMux that can tell what it was given. It is safe for concurrent use once all is mounted.
type routes struct {
	http.ServeMux
	patterns []string
}

// Handle is as that of ServeMux.
func (r *routes) Handle(pattern string, h http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.ServeMux.Handle(pattern, h)
}

// enter counts a request, if it may begin.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.stopping {
		return false
	}
	s.running.Add(1)
	return true
}
