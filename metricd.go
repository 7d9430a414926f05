// Package metricd is a metrics server that can be embedded: it takes samples over the line
// protocol, and those of others, and keeps them.
//
// The command metricd is this package with flags; it keeps samples in a directory unless told otherwise, a Server in
// memory unless Config.Data names one. Open a Server, run Serve until its context
// is done, then Close it. A Server has no goroutines before Serve but for those that Open ends, prints nothing, handles
// no signals and changes no global state; RunServer, for those who want a server in one call,
// handles SIGINT and SIGTERM.
package metricd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"metricd/internal/collect"
	"metricd/internal/httpapi"
	"metricd/internal/ingest/graphite"
	"metricd/internal/lineserver"
	"metricd/internal/tsdb"
)

// DefaultHTTP is where the command metricd serves its HTTP API unless told otherwise: this machine only. A Server that is
// embedded has none unless Config.HTTP says so.
const DefaultHTTP = "127.0.0.1:8889"

// DefaultListen is where a Server listens unless told otherwise: this machine only.
const DefaultListen = "127.0.0.1:8888"

// InMemory is the Config.Data that keeps nothing when the server ends.
const InMemory = ":memory:"

// Config says how a Server is to be. The zero value works: a server on DefaultListen without HTTP, which keeps everything in
// memory and loses it when it ends. To keep samples, give Data a directory.
type Config struct {
	// Listen is the TCP address of the line protocol, DefaultListen if empty. Port 0 takes
	// any free port; Addr tells which.
	Listen string
	// HTTP is the TCP address of the HTTP API (go doc metricd/internal/httpapi); empty: there is none.
	HTTP string
	// WebConfig is a file with certificates and passwords for the HTTP API, as Prometheus' --web.config.file
	// (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md). It is read again for each connection and request. The protocols
	// beside HTTP have neither.
	WebConfig string
	// HTTPHosts are names by which programs on this machine may call the HTTP API in the Host of a request, beside localhost and IP addresses.
	HTTPHosts []string
	// CORSOrigins are web sites whose pages may read from the HTTP API, each as browsers send it: https://grafana.example; * stands for all.
	CORSOrigins []string
	// Admin is where health is answered without password or TLS, on this machine: a TCP address that is loopback, or unix: and the path of a socket; empty:
	// nowhere.
	Admin string
	// Graphite is the address, for TCP and UDP, of Graphite's plaintext protocol (go doc metricd/internal/ingest/graphite);
	// empty: it is not spoken.
	Graphite string
	// Version is what the HTTP API says when it is asked for the version; empty: (devel).
	Version string
	// Data is the directory where samples are kept; it is made if there is none. InMemory, or empty: nowhere,
	// they are in memory only, and gone when the server ends.
	Data string
	// SyncInterval says what a reply of ok means, with a directory. 0: the sample is on stable storage. Above:
	// the operating system has it, and puts it on stable storage within so long; a crash of the machine may
	// cost what came in the last interval, a crash of the server nothing.
	SyncInterval time.Duration

	// Retention is how old samples may be, by this machine's clock. Older ones are refused, no longer shown, and
	// dropped in steps of an eighth of it or less. 0: any age.
	Retention time.Duration
	// DropMost lets retention drop more than half of all samples at once. Else it refuses to, and logs that.
	DropMost bool

	MaxLine   int // bytes of a request line; 0: 64 KiB
	MaxKey    int // bytes of a key; 0: 4,096
	MaxConns  int // connections at once; 0: 10,000. One more is told so and closed
	MaxSeries int // series; 0: any number. Samples of one more are refused

	// MemoryLimit bounds the memory for series and samples, in bytes. Near it new series are
	// refused, at it samples; gets go on. 0: three quarters of what this process may
	// have (its cgroup's limit, or the machine's memory); negative: no limit.
	MemoryLimit int64

	// IdleTimeout closes a connection that sent nothing for so long; 0: never.
	IdleTimeout time.Duration
	// WriteTimeout closes a connection that was stopped because its replies pile up, and
	// that takes no byte of them for so long; 0: a minute.
	WriteTimeout time.Duration

	// CollectInterval, if above 0, is how often this machine's own figures (docs/collect.md) are stored, too: whole seconds, 1 s to a day.
	CollectInterval time.Duration
	// CollectTags spells their keys cpu_user;host=NAME, otherwise host.cpu.user. CollectHost is NAME, and takes the place of host; empty:
	// with tags, what the machine calls itself.
	CollectTags bool
	CollectHost string

	// Logger is told what a person running the server should know; nil: nothing is logged.
	Logger *slog.Logger

	tune func(*tsdb.Options) // changes what the engine gets, for tests; may be nil
}

// Server is an open metrics server. Its methods are safe for concurrent use.
type Server struct {
	on       listeners
	store    *tsdb.DB
	lines    *lineserver.Server
	api      *httpapi.Server // nil without HTTP and admin address, and so is own
	own      *own
	security httpapi.Security
	graphite *graphite.Server
	collects collect.Config // Interval 0: nothing is collected

	failed chan error // why the store failed, once
	log    *slog.Logger

	memoryLimit int64
}

// Open makes a server that listens, so that clients can connect, and serves them once
// Serve is called. HTTP is answered while Open reads the data directory, which may take seconds: it is healthy, and unavailable.
// Its errors are of type *ConfigError, *ListenError or *DataError, or say what else is wrong.
func Open(cfg Config) (*Server, error) {
	if cfg.Data == InMemory {
		cfg.Data = ""
	}
	if cfg.Listen == "" {
		cfg.Listen = DefaultListen
	}
	switch {
	case cfg.MemoryLimit == 0:
		cfg.MemoryLimit = defaultMemoryLimit()
	case cfg.MemoryLimit < 0:
		cfg.MemoryLimit = 0
	}
	if cfg.Version == "" {
		cfg.Version = "(devel)"
	}
	security, err := checkHTTP(cfg)
	if err != nil {
		return nil, err
	}
	collects, err := collecting(cfg)
	if err != nil {
		return nil, err
	}
	on, err := listen(cfg)
	if err != nil {
		return nil, err
	}
	web := httpapi.Config{
		MaxLine:   cfg.MaxLine,
		MaxKey:    cfg.MaxKey,
		Version:   cfg.Version,
		Flags:     cfg.flags(),
		LineAddr:  on.lines.Addr().String(),
		WebConfig: cfg.WebConfig,
		Hosts:     cfg.HTTPHosts,
		Origins:   cfg.CORSOrigins,
		Logger:    cfg.Logger,
	}
	failed := make(chan error, 1)
	o := tsdb.Options{
		Dir:          cfg.Data,
		SyncInterval: cfg.SyncInterval,
		Retention:    cfg.Retention,
		DropMost:     cfg.DropMost,
		MaxSeries:    cfg.MaxSeries,
		MemoryLimit:  cfg.MemoryLimit,
		OnFailure:    func(err error) { failed <- err },
		Logf:         logf(cfg.Logger),
	}
	if cfg.tune != nil {
		cfg.tune(&o)
	}
	meanwhile := on.answerStarting(web)
	store, err := tsdb.Open(o)
	meanwhile()
	if err != nil {
		return nil, errors.Join(&DataError{cfg.Data, err}, on.close())
	}
	s := &Server{on: on, store: store, security: security, collects: collects, failed: failed, log: cfg.Logger, memoryLimit: cfg.MemoryLimit}
	lines := lineserver.Config{
		Store:        store,
		MaxLine:      cfg.MaxLine,
		MaxKey:       cfg.MaxKey,
		MaxConns:     cfg.MaxConns,
		IdleTimeout:  cfg.IdleTimeout,
		WriteTimeout: cfg.WriteTimeout,
		Logger:       cfg.Logger,
	}
	s.graphite = graphite.New(graphite.Config{
		Store:       store,
		MaxLine:     cfg.MaxLine,
		MaxKey:      cfg.MaxKey,
		IdleTimeout: cfg.IdleTimeout,
		Logger:      cfg.Logger,
	})
	if on.web != nil || on.admin != nil {
		if err := s.openAPI(web); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		lines.OnGet = s.own.onGet
	}
	s.lines = lineserver.New(lines)
	return s, nil
}

// MemoryLimit returns the limit on the memory for series and samples in bytes, 0 if there is
// none. The garbage collector does not know it: where memory is scarce, a program should tell it with
// debug.SetMemoryLimit, as the command metricd does; else garbage may take as much again.
func (s *Server) MemoryLimit() int64 { return s.memoryLimit }

// Addr returns the address of the line protocol.
func (s *Server) Addr() net.Addr { return s.on.lines.Addr() }

// HTTPAddr returns the address of the HTTP API, nil if there is none.
func (s *Server) HTTPAddr() net.Addr {
	if s.on.web == nil {
		return nil
	}
	return s.on.web.Addr()
}

// HTTPSecurity says whether the HTTP API encrypts, and whether it asks who is there, by Config.WebConfig as it was when the Server was opened.
func (s *Server) HTTPSecurity() (tls, auth bool) { return s.security.TLS, s.security.Auth }

// AdminAddr returns the address where health is answered without a password, nil if there is none.
func (s *Server) AdminAddr() net.Addr {
	if s.on.admin == nil {
		return nil
	}
	return s.on.admin.Addr()
}

// GraphiteAddr returns the address of Graphite's protocol, for TCP and UDP alike, nil if it is not spoken.
func (s *Server) GraphiteAddr() net.Addr {
	if s.on.graphite == nil {
		return nil
	}
	return s.on.graphite.Addr()
}

// Serve serves until ctx is done. Then it stops accepting, answers what was received, closes
// the connections and returns nil, all in less than ten seconds. If the store fails (an error of the disk, say)
// it returns why, within two seconds, and connections may still be open. It can be called once.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, cancel) }()
	if s.log != nil && s.log.Enabled(ctx, slog.LevelDebug) {
		var logging sync.WaitGroup
		defer logging.Wait()
		defer cancel()
		logging.Go(func() { s.logStats(ctx) })
	}
	select {
	case err := <-served:
		select {
		case failed := <-s.failed: // while it was stopping
			return failed
		default:
			return err
		}
	case err := <-s.failed:
		cancel()
		select {
		case <-served:
		case <-time.After(failing):
		}
		return err
	}
}

// statsEvery is how often figures of the store are logged, for those who debug.
const statsEvery = time.Minute

func (s *Server) logStats(ctx context.Context) {
	tick := time.NewTicker(statsEvery)
	defer tick.Stop()
	for {
		st, err := s.store.Stats()
		if err != nil {
			return // whoever serves tells
		}
		s.log.Debug("stats", "series", st.Series, "samples", st.Samples, "appended", st.Appended, "refused", st.Refused,
			"memory_bytes", st.MemoryBytes, "disk_bytes", st.Files.DiskBytes, "disk_bytes_per_sample", math.Round(100*st.DiskBytesPerSample())/100,
			"log_bytes", st.Files.LogBytes, "flushes", st.Files.Flushes, "cache_hits", st.Files.CacheHits, "cache_misses", st.Files.CacheMisses,
			"syncs", st.Files.Syncs, "sync_median", st.Files.SyncMedian, "sync_p99", st.Files.SyncSlow, "sync_max", st.Files.SyncMax)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// serve runs the servers of all protocols until ctx is done. cancel does that; if one of them ends, so do the others.
func (s *Server) serve(ctx context.Context, cancel func()) error {
	var running sync.WaitGroup
	errs := make([]error, 4)
	run := func(i int, serve func() error) {
		running.Go(func() {
			defer cancel()
			errs[i] = serve()
		})
	}
	run(0, func() error { return s.lines.Serve(ctx, s.on.lines) })
	if s.on.web != nil {
		run(1, func() error { return s.api.Serve(ctx, s.on.web) })
		running.Go(func() { s.own.record(ctx, s.log) })
	}
	if s.on.graphite != nil {
		run(2, func() error { return s.graphite.Serve(ctx, s.on.graphite, s.on.udp) })
	}
	if s.collects.Interval > 0 {
		running.Go(func() { collect.Run(ctx, s.collects, collect.NewStorer(s.store, s.collects.Logger).Take) })
	}
	if s.on.admin != nil {
		run(3, func() error { return s.api.ServeAdmin(ctx, s.on.admin) })
	}
	running.Wait()
	return errors.Join(errs...)
}

// failing is how long clients have to read their last replies when the store failed.
const failing = 1500 * time.Millisecond

// DataError says that a data directory can't be opened.
type DataError struct {
	Dir string
	Err error
}

func (e *DataError) Error() string { return fmt.Sprintf("data directory %s: %v", e.Dir, e.Err) }

// Unwrap returns the cause.
func (e *DataError) Unwrap() error { return e.Err }

// logf returns what logs warnings to log, which may be nil.
func logf(log *slog.Logger) func(string, ...any) {
	if log == nil {
		return nil
	}
	return func(format string, args ...any) { log.Warn(fmt.Sprintf(format, args...)) }
}

// Close releases the listeners and the store. Call it after Serve has returned, or instead
// of Serve.
func (s *Server) Close() error {
	err := errors.Join(s.on.close(), s.store.Close())
	if s.own != nil {
		err = errors.Join(err, s.own.store.Close())
	}
	return err
}

// RunServer serves the line protocol on host and port, keeping samples in memory, until the
// process gets SIGINT or SIGTERM; a second signal ends the process at once.
func RunServer(host string, port int) error {
	s, err := Open(Config{Listen: net.JoinHostPort(host, strconv.Itoa(port))})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal is not caught
	return errors.Join(s.Serve(ctx), s.Close())
}
