package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"metricd"
)

// defaultData is where samples are kept unless told otherwise.
const defaultData = "metricd-data"

// serveCmd runs the server until a signal ends it.
type serveCmd struct {
	Listen   string  `default:"${listen}" placeholder:"HOST:PORT" help:"Where clients connect (default ${default}: from this machine only). Port 0 takes any free one."`
	HTTP     *string `name:"http" placeholder:"HOST:PORT" help:"Where the HTTP API listens (default ${http}; if that is taken, there is none). none: there is none."`
	Graphite string  `placeholder:"HOST:PORT" help:"Where Graphite's plaintext protocol is spoken, over TCP and UDP, such as 127.0.0.1:2003 (default: nowhere)."`
	Data     string  `default:"${data}" placeholder:"DIR" help:"The directory where samples are kept; made if there is none (default ${default}, below the current one). ${memory}: in memory, until the server stops."`

	Retention         age  `default:"0" placeholder:"AGE" help:"How old samples may be, such as 12h, 30d or 1y: older ones are refused, hidden, and dropped. 0 (the default): any age."`
	RetentionDropMost bool `help:"Let retention drop more than half of all samples at once. It refuses to, else: the clock may be wrong, or --retention."`

	Fsync         string        `group:"Durability (not with --data :memory:):" enum:"always,interval" default:"always" placeholder:"WHEN" help:"What ok means. always (the default): the sample is on stable storage. interval: the operating system has it; a crash of the machine may cost the last interval, one of the server nothing."`
	FsyncInterval time.Duration `group:"Durability (not with --data :memory:):" default:"1s" placeholder:"DURATION" help:"With --fsync interval, how long a sample may stay with the operating system alone (default ${default})."`

	MemoryLimit    memoryLimit   `group:"Limits:" default:"auto" placeholder:"SIZE" help:"Memory for series and samples, such as 512MB or 2GiB; near it new series are refused, at it samples, gets go on. auto (the default): three quarters of what the cgroup or the machine has; none or 0: no limit."`
	MaxSeries      int           `group:"Limits:" default:"0" placeholder:"N" help:"Series; samples of one more are refused. 0 (the default): any number."`
	MaxConnections int           `group:"Limits:" default:"10000" placeholder:"N" help:"Connections at once; one more is told so and closed (default ${default})."`
	MaxLine        size          `group:"Limits:" default:"64KiB" placeholder:"SIZE" help:"A request line; a longer one is refused (default ${default})."`
	MaxKey         size          `group:"Limits:" default:"4096" placeholder:"SIZE" help:"A key; a request with a longer one is refused (default ${default})."`
	IdleTimeout    time.Duration `group:"Limits:" default:"0s" placeholder:"DURATION" help:"A connection that sends nothing for so long is closed. 0 (the default): never."`
	WriteTimeout   time.Duration `group:"Limits:" default:"1m" placeholder:"DURATION" help:"A connection that leaves its replies unread for so long is closed (default ${default})."`

	webSafety

	Collect         bool          `group:"This machine's own figures:" help:"Store them, too: the same as metricd collect beside the server."`
	CollectInterval time.Duration `group:"This machine's own figures:" default:"${every}" placeholder:"DURATION" help:"As --interval of metricd collect (default ${default})."`
	CollectTags     bool          `group:"This machine's own figures:" help:"As --tags of metricd collect."`
	CollectHost     string        `group:"This machine's own figures:" placeholder:"NAME" help:"As --host of metricd collect."`

	logging
}

// Help returns what --help says beside the flags.
func (*serveCmd) Help() string {
	return `Try it from another terminal:

    metricd put palm.cpu 23.7
    metricd get palm.cpu
    telnet 127.0.0.1 8888

SIGINT (Ctrl-C) and SIGTERM stop it: what was received is answered, which takes less than ten seconds; a second signal ends it at once.
It listens on this machine only, unless told otherwise. For HTTP there are passwords and TLS (--web.config.file); whoever can connect to --listen or
--graphite can read and write.`
}

// Run serves until SIGINT or SIGTERM.
func (c *serveCmd) Run() error {
	// Neither a log nor a greeting that nobody reads may hold the server up.
	stderr, stdout := newPatientWriter(os.Stderr), newPatientWriter(os.Stdout)
	defer stderr.Close()
	defer stdout.Close()
	log, err := c.logger(stderr)
	if err != nil {
		return err
	}
	cfg, err := c.config(log)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // a server outlives whoever reads what it prints
	s, err := c.open(&cfg, log)
	if err != nil {
		return err
	}
	limitGarbage(s.MemoryLimit())
	if c.Data != metricd.InMemory && c.Fsync == "always" {
		shareProcessor()
	}
	ctx, stop := untilSignal(log)
	defer stop()
	warnFiles(log, cfg.MaxConns)
	warnBeyond(log, s)
	log.Debug("listening", "addr", s.Addr().String(), "version", version())
	announce(stdout, s, &cfg)
	err = s.Serve(ctx)
	if closed := s.Close(); !errors.Is(closed, err) { // or Close only says again why the store failed
		err = errors.Join(err, closed)
	}
	if err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// open opens the server. The HTTP API is left out if nobody asked for it and the default address is taken.
func (c *serveCmd) open(cfg *metricd.Config, log *slog.Logger) (*metricd.Server, error) {
	s, err := metricd.Open(*cfg)
	taken := new(metricd.ListenError)
	if errors.As(err, &taken) && taken.Field == "HTTP" && c.HTTP == nil && errors.Is(err, syscall.EADDRINUSE) {
		log.Warn("there is no HTTP API, since its address is taken: give another with --http", "addr", cfg.HTTP, "by", holder(context.Background(), cfg.HTTP))
		cfg.HTTP = ""
		s, err = metricd.Open(*cfg)
	}
	if err != nil {
		return nil, openError(err, cfg)
	}
	return s, nil
}

// httpAddr returns the address of the HTTP API, empty for none.
func (c *serveCmd) httpAddr() string {
	switch {
	case c.HTTP == nil:
		return metricd.DefaultHTTP
	case *c.HTTP == "none":
		return ""
	}
	return *c.HTTP
}

// config returns the server's configuration, with the flags checked.
func (c *serveCmd) config(log *slog.Logger) (metricd.Config, error) {
	const most = 1 << 30
	switch {
	case c.Data == "":
		return metricd.Config{}, usagef("--data is empty: want a directory, or %s to keep nothing", metricd.InMemory)
	case c.MaxSeries < 0:
		return metricd.Config{}, usagef("--max-series %d: want 0 (any number) or more", c.MaxSeries)
	case c.MaxConnections < 1:
		return metricd.Config{}, usagef("--max-connections %d: want 1 or more", c.MaxConnections)
	case c.MaxLine < 1 || c.MaxLine > most:
		return metricd.Config{}, usagef("--max-line %d: want 1 byte to 1GiB", c.MaxLine)
	case c.MaxKey < 1 || c.MaxKey > most:
		return metricd.Config{}, usagef("--max-key %d: want 1 byte to 1GiB", c.MaxKey)
	case c.FsyncInterval <= 0:
		return metricd.Config{}, usagef("--fsync-interval %v: want more than 0", c.FsyncInterval)
	case c.Retention != 0 && time.Duration(c.Retention) < time.Minute:
		return metricd.Config{}, usagef("--retention %v: want 0 (any age), or a minute or more", time.Duration(c.Retention))
	case c.IdleTimeout < 0:
		return metricd.Config{}, usagef("--idle-timeout %v: want 0 (never) or more", c.IdleTimeout)
	case c.WriteTimeout <= 0:
		return metricd.Config{}, usagef("--write-timeout %v: want more than 0", c.WriteTimeout)
	}
	interval := c.FsyncInterval
	if c.Fsync == "always" {
		interval = 0
	}
	cfg := metricd.Config{
		Listen:       c.Listen,
		HTTP:         c.httpAddr(),
		Graphite:     c.Graphite,
		Version:      version(),
		Data:         c.Data,
		SyncInterval: interval,
		Retention:    time.Duration(c.Retention),
		DropMost:     c.RetentionDropMost,
		MaxLine:      int(c.MaxLine),
		MaxKey:       int(c.MaxKey),
		MaxConns:     c.MaxConnections,
		MaxSeries:    c.MaxSeries,
		MemoryLimit:  int64(c.MemoryLimit),
		IdleTimeout:  c.IdleTimeout,
		WriteTimeout: c.WriteTimeout,
		Logger:       log,
	}
	if c.Collect {
		cfg.CollectInterval, cfg.CollectTags, cfg.CollectHost = c.CollectInterval, c.CollectTags, c.CollectHost
	}
	c.webSafety.apply(&cfg)
	return cfg, nil
}

// untilSignal returns a context that is done when SIGINT or SIGTERM comes. The second one ends the
// process, however soon it comes after the first.
func untilSignal(log *slog.Logger) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 3) // one, so that they are seen in the order they came in
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup does that
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		waitStop(ctx, signals, log)
		signal.Reset(syscall.SIGINT, syscall.SIGTERM)
		cancel()
		for {
			select {
			case second := <-signals: // before it was no longer caught
				if second != syscall.SIGHUP {
					syscall.Kill(os.Getpid(), second.(syscall.Signal))
				}
			default:
				return
			}
		}
	}()
	return ctx, cancel
}

// waitStop returns at the first of signals that stops, or when ctx is done. Elsewhere a hang-up means to read the configuration again, so
// it must not end the server.
func waitStop(ctx context.Context, signals <-chan os.Signal, log *slog.Logger) {
	for {
		select {
		case s := <-signals:
			if s != syscall.SIGHUP {
				log.Info("stopping: what was received is being answered; a second signal stops at once", "cause", s.String())
				return
			}
			log.Info("there is nothing to read again: the file of --web.config.file is read whenever it is needed, flags are read at the start", "cause", s.String())
		case <-ctx.Done():
			return
		}
	}
}

// limitGarbage tells the garbage collector what is to be held beside series and samples: a sixth of
// that and 64 MiB, and less while there is less. Left alone it lets the memory double before it works. Little of what the server holds
// is garbage ever, and most of it is not looked at, so to collect more often costs next to nothing. GOMEMLIMIT and GOGC have the last
// word.
func limitGarbage(limit int64) {
	const percent = 30
	if limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit + limit/6 + 64<<20)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// shareProcessor lets the sessions go on during a sync where there is but one processor. The runtime
// counts a goroutine that waits for the disk as running until a monitor, which looks every 20 us to
// 10 ms, sees that it isn't: with a second place to run nothing waits for that, and 200 senders
// of single puts get a tenth more of them synced. GOMAXPROCS has the last word.
func shareProcessor() {
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) == 1 {
		runtime.GOMAXPROCS(2)
	}
}

// reachable returns a host and a port by which this machine reaches a listener on TCP.
func reachable(addr net.Addr) (host, port string) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		panic("BUG: a listener on TCP at " + addr.String())
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return host, port
}

// announce says where the server listens and how to try it. Nobody needs to listen to that.
func announce(w io.Writer, s *metricd.Server, cfg *metricd.Config) {
	addr := s.Addr()
	where := "in memory: nothing is kept when it stops"
	if cfg.Data != metricd.InMemory {
		where = "data in " + cfg.Data
	}
	host, port := reachable(addr)
	fmt.Fprintf(w, "metricd %s listens on %s (%s)\n", version(), addr, where)
	if web := s.HTTPAddr(); web != nil {
		protocol := "HTTP"
		if tls, _ := s.HTTPSecurity(); tls {
			protocol = "HTTPS"
		}
		fmt.Fprintf(w, "and for %s on %s\n", protocol, web)
	}
	if admin := s.AdminAddr(); admin != nil {
		fmt.Fprintf(w, "and for health on %s\n", admin)
	}
	if carbon := s.GraphiteAddr(); carbon != nil {
		fmt.Fprintf(w, "and for Graphite on %s, TCP and UDP\n", carbon)
	}
	if cfg.CollectInterval > 0 {
		fmt.Fprintf(w, "and stores this machine's own figures every %v\n", cfg.CollectInterval)
	}
	if web := s.HTTPAddr(); web != nil {
		scheme := "http"
		if tls, _ := s.HTTPSecurity(); tls {
			scheme = "https"
		}
		fmt.Fprintf(w, "the page:  %s://%s/\n", scheme, net.JoinHostPort(reachable(web)))
	}
	fmt.Fprintf(w, `try:  printf 'put palm.cpu 23.7 1150864247\nget palm.cpu\n' | nc -N %s %s
or type it:  telnet %s %s
`, host, port, host, port)
}

// spareFiles is how many open files the process needs beside the connections of the line protocol: those of HTTP, and data.
const spareFiles = 2048 + 64

// warnFiles logs that there may be fewer open files than connections.
func warnFiles(log *slog.Logger, conns int) {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil && files.Cur < uint64(conns)+spareFiles {
		log.Warn("fewer open files are allowed than --max-connections needs: raise the limit (ulimit -n), or lower --max-connections", "limit", files.Cur, "needed", conns+spareFiles)
	}
}
