package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"metricd/internal/bench"
)

// benchCmd measures a server. Its zero flags are bench's defaults, which depend on the workload.
type benchCmd struct {
	Workload string `arg:"" optional:"" enum:"${workloads}" default:"${workload}" help:"What to do; see above (default ${default})."`

	Connections int    `placeholder:"N" help:"Connections at once."`
	Series      int    `placeholder:"N" help:"Series; their samples are shared out among the connections."`
	Samples     int    `placeholder:"N" help:"Samples of each series."`
	Requests    int    `placeholder:"N" help:"Gets, in all."`
	Start       int64  `placeholder:"SECONDS" help:"Unix time of the oldest samples (default 1700000000); --start=-5 for a negative one."`
	Step        int64  `placeholder:"SECONDS" help:"Time between two samples of a series (default 10; of years 3600)."`
	Seed        uint64 `placeholder:"N" help:"Decides the values, the order of shuffle, and what is read back (default 1)."`
	Prefix      string `placeholder:"TEXT" help:"Before every key; further runs put r2., r3., … behind it."`

	Runs      int           `placeholder:"N" help:"Run it so often; the figures are then medians (default 1)."`
	Batch     size          `placeholder:"SIZE" help:"One pipelined write (default 128KiB)."`
	ReadBack  int           `placeholder:"N" help:"Series to read back after puts (default 20); --read-back=-1: none."`
	Timeout   time.Duration `placeholder:"DURATION" help:"How long a reply may make no progress (default 30s)."`
	Pid       int           `placeholder:"PID" help:"The server's process on this machine: its CPU time and memory are reported, too."`
	UntilIdle bool          `help:"Count CPU time and memory until the server has done nothing for a second, with all that it does in the background (with --pid)."`
	JSON      bool          `name:"json" help:"Print the report as JSON."`

	server
}

// workloadNames returns the names of all workloads.
func workloadNames() []string {
	var names []string
	for _, w := range bench.Workloads() {
		names = append(names, w.Name)
	}
	return names
}

// Help returns the workloads and their sizes.
func (*benchCmd) Help() string {
	var b strings.Builder
	b.WriteString("Workloads, with their defaults for --series x --samples:\n\n")
	for _, w := range bench.Workloads() {
		amount := ""
		if w.Series > 0 {
			amount = fmt.Sprintf("%d x %d", w.Series, w.Samples)
		}
		fmt.Fprintf(&b, "    %-9s %-15s %s\n", w.Name, amount, w.About)
	}
	b.WriteString(`
Only what the server acknowledged is counted, and a part of it is read back: if a sample differs, the exit code is 1.
The samples stay in the server. For figures worth comparing give server and generator a core each:

    taskset -c 0 metricd serve & taskset -c 1 metricd bench walk --runs 5 --pid $!`)
	return b.String()
}

// Run runs the workload and prints the report, also of what came before a failure.
func (c *benchCmd) Run() error {
	ctx, stop := untilInterrupted()
	defer stop()
	report, err := bench.Run(ctx, bench.Config{
		Workload:    c.Workload,
		Addr:        c.Addr,
		Connections: c.Connections,
		Series:      c.Series,
		Samples:     c.Samples,
		Requests:    c.Requests,
		Start:       c.Start,
		Step:        c.Step,
		Seed:        c.Seed,
		Prefix:      c.Prefix,
		Runs:        c.Runs,
		Batch:       int(c.Batch),
		ReadBack:    c.ReadBack,
		PID:         c.Pid,
		UntilIdle:   c.UntilIdle,
		Timeout:     c.Timeout,
	})
	if err != nil && len(report.Results) == 0 { // nothing was begun: the flags don't go together
		return usageError{err}
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("ended early: %w", context.Cause(ctx))
	}
	if !report.Empty() {
		err = errors.Join(c.print(&report), err)
	}
	if unreachable := c.unreachable(err); unreachable != nil {
		return unreachable
	}
	return err
}

// print prints the report to stdout.
func (c *benchCmd) print(report *bench.Report) error {
	var b strings.Builder
	if c.JSON {
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		if err := e.Encode(report); err != nil {
			return err
		}
	} else if err := report.WriteText(&b); err != nil {
		return err
	}
	_, err := os.Stdout.WriteString(b.String())
	return err
}
