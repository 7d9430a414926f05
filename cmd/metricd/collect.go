package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"metricd/internal/collect"
	"metricd/internal/lineproto"
)

// collectCmd sends this machine's own figures until a signal ends it.
type collectCmd struct {
	Interval time.Duration `default:"${every}" placeholder:"DURATION" help:"How often, in whole seconds (default ${default}). Samples are at whole multiples of it."`
	Tags     bool          `help:"Spell keys as Prometheus does, cpu_user;host=NAME, and not host.cpu.user."`
	Host     string        `placeholder:"NAME" help:"The name of this machine: with --tags that of the tag host (default: what the machine calls itself), else the first word of keys (default host)."`
	Buffer   size          `default:"32MiB" placeholder:"SIZE" help:"Memory for samples while the server is away, most of a day's by default (${default}); then the oldest are dropped."`
	Print    bool          `help:"Send nothing: print the put lines of one time, and end."`

	server
	logging
}

// Help returns what --help says beside the flags.
func (*collectCmd) Help() string {
	return `Examples:

    metricd collect
    metricd collect --addr metrics.example:8888 --tags
    metricd collect --print

Sent are the use of the processor in percent of all its cores (host.cpu.user), load, memory and swap in bytes, the space of each disk, and of disks,
network and processes what has gathered since the start of the machine: keys in _total, which rate() makes plain. docs/collect.md lists
them all. metricd serve --collect does the same in the server itself.

What can't be read is left out, and said once. While the server is away samples are kept, and sent later; what is dropped is said, too.
SIGINT (Ctrl-C) and SIGTERM end it, within a few seconds; a second signal at once.`
}

// lastWords is how long what was collected may take to be sent when the command is stopped.
const lastWords = 3 * time.Second

// Run collects until SIGINT or SIGTERM.
func (c *collectCmd) Run() error {
	if err := c.check(); err != nil {
		return err
	}
	stderr := newPatientWriter(os.Stderr) // nothing waits for somebody to read the log
	defer stderr.Close()
	log, err := c.logger(stderr)
	if err != nil {
		return err
	}
	ctx, stop := untilInterrupted()
	defer stop()
	cfg := collect.Config{Interval: c.Interval, Tags: c.Tags, Host: c.Host, Logger: log}
	if c.Print {
		return printRound(ctx, cfg)
	}
	signal.Ignore(syscall.SIGPIPE) // it goes on without whoever reads what it prints
	c.send(ctx, cfg, log)
	return nil
}

// send collects and sends until ctx is done.
func (c *collectCmd) send(ctx context.Context, cfg collect.Config, log *slog.Logger) {
	log.Info("collecting", "addr", c.Addr, "interval", c.Interval.String())
	opts := collect.SenderOptions{Client: clientOptions(), Buffer: int(c.Buffer), Explain: c.serverError, Logger: log}
	to := collect.NewSender(c.Addr, opts)
	collect.Run(ctx, cfg, to.Take)
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if unsent := to.Close(ctx); unsent > 0 {
		log.Warn("stopped, and samples that were kept for the server are lost", "samples", unsent, "addr", c.Addr)
		return
	}
	log.Info("stopped")
}

// check checks the flags.
func (c *collectCmd) check() error {
	if err := collect.CheckInterval(c.Interval); err != nil {
		return usagef("--interval %v: %w", c.Interval, err)
	}
	if c.Host != "" {
		if err := collect.CheckHost(c.Host); err != nil {
			return usagef("--host %q: %w", c.Host, err)
		}
	}
	if c.Buffer < 1 {
		return usagef("--buffer 0: want 1 byte or more")
	}
	if _, port, err := net.SplitHostPort(c.Addr); err != nil || port == "" {
		return usagef("--addr %q: want HOST:PORT, such as 127.0.0.1:8888", c.Addr)
	}
	return nil
}

// printRound prints one round, as it would be sent.
func printRound(ctx context.Context, cfg collect.Config) (err error) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	collect.Run(ctx, cfg, func(_ context.Context, r collect.Round) {
		defer done()
		var text []byte
		for _, s := range r.Samples {
			text = lineproto.AppendPut(text, s.Key, s.Value, r.At.Unix())
		}
		if _, err = os.Stdout.Write(text); err != nil {
			err = fmt.Errorf("printing: %w", err)
		}
	})
	return err
}
