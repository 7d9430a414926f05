// Package bench is the load generator behind `metricd bench`. It puts or gets a named
// workload over the line protocol, counts only what the server acknowledged, reads a part
// of it back and fails if a sample differs.
//
// The figures of one run are taken between the first request and the last reply. Filling
// the server for a workload of gets, and reading back, happen outside. Samples come from a
// seed: a value is a function of (seed, series, index), never of what was sent before.
//
// How little the generator may cost decides what can be measured: text is made from
// integers, replies to puts are compared in bulk, one request at a time is driven by a
// loop of its own (epoll, on Linux).
package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Config says what to run and against what. The zero value runs the workload walk once
// against 127.0.0.1:8888. A zero field stands for its default; the defaults of
// Series, Samples, Connections and Requests depend on the workload (see Workloads).
type Config struct {
	Workload    string `json:"workload"` // a name of Workloads; default walk
	Addr        string `json:"addr"`     // host:port of the server; default 127.0.0.1:8888
	Connections int    `json:"connections"`
	Series      int    `json:"series"`
	Samples     int    `json:"samples"` // of each series

	// Requests is how many gets are made, in all.
	Requests int `json:"requests,omitempty"`

	// Start is the time of each series' oldest sample in Unix seconds, default
	// 1,700,000,000; Step is the seconds between two of its samples, default 10, of years 3,600.
	Start int64 `json:"start"`
	Step  int64 `json:"step"`

	// Seed decides values, the order of shuffle, and which series are read back; default 1.
	Seed uint64 `json:"seed"`

	// Prefix begins every key. Where the server already holds such keys, and for every
	// further run, r2., r3., … is put behind it, so that each run makes new series.
	Prefix string `json:"prefix,omitempty"`

	Runs     int `json:"runs"`      // how often the workload is run; default 1
	Batch    int `json:"batch"`     // bytes of one pipelined write; default 128 KiB
	ReadBack int `json:"read_back"` // series read back after puts; default 20; negative: none

	// PID is the server's process on this machine, whose CPU time and resident memory
	// are reported; 0: unknown. How memory grows is best seen on a server that has just
	// started: one that did more before may fill what it has freed.
	PID int `json:"pid,omitempty"`
	// UntilIdle counts the server's CPU time and memory until it has done nothing for a second, so with all that it does
	// in the background. It takes a PID.
	UntilIdle bool `json:"until_idle,omitempty"`

	// Timeout is how long a reply may make no progress; default 30 s.
	Timeout time.Duration `json:"timeout_ns"`
}

// Workload describes one of the named loads.
type Workload struct {
	Name  string
	About string // one line

	// The defaults of Config's fields of the same names; 0: the workload does not use it.
	Series, Samples, Connections, Requests int

	order     order
	latencyOf string
	unit      string // what Result.Acknowledged counts
	run       func(*run, context.Context) error
}

const (
	ofBatches   = "the last sample of each pipelined write, from before the write to its ok"
	ofFirstRows = "each get of a key, from before its write to the first bytes of its reply"
	ofRequests  = "each request, from before its write to the end of its reply"
)

// Workloads returns all workloads in the order in which they should be listed.
func Workloads() []Workload {
	return []Workload{
		{"walk", "random walks of two decimals, all series at one time, then all at the next", 10_000, 1_000, 1, 0, forward, ofBatches, samplesUnit, (*run).putPipelined},
		{"one", "one long series in order of time", 1, 1_000_000, 1, 0, forward, ofBatches, samplesUnit, (*run).putPipelined},
		{"wide", "very many short series, all at one time, then all at the next", 1_000_000, 5, 1, 0, forward, ofBatches, samplesUnit, (*run).putPipelined},
		{"reverse", "one long series, newest sample first", 1, 1_000_000, 1, 0, backward, ofBatches, samplesUnit, (*run).putPipelined},
		{"shuffle", "the samples of walk in pseudo-random order", 10_000, 1_000, 1, 0, shuffled, ofBatches, samplesUnit, (*run).putPipelined},
		{"single", "each connection puts one sample and waits for its reply", 10_000, 50, 50, 0, forward, ofRequests, samplesUnit, (*run).putSingle},
		{"get", "each connection gets one key and waits for its reply", 100, 1_000, 50, 50_000, forward, ofRequests, "gets", (*run).getKeys},
		{"getall", "get *, over and over", 1_000, 1_000, 1, 5, forward, ofRequests, samplesUnit, (*run).getAll},
		{"years", "hourly samples of five years: gets of single keys, then get * once", 1_000, 43_800, 1, 200, forward, ofFirstRows, samplesUnit, (*run).years},
		{"idle", "open connections that send nothing (needs the server's PID)", 0, 0, 1_000, 0, forward, "", connectionsUnit, (*run).idle},
		{"idle-put", "open connections that each put one sample (needs the server's PID)", 1_000, 1, 1_000, 0, forward, ofRequests, connectionsUnit, (*run).idle},
		{"redis", "the requests of single as SETs to a redis-server; nothing is read back", 10_000, 50, 50, 0, forward, ofRequests, "sets", (*run).setRedis},
	}
}

const (
	samplesUnit     = "samples"
	connectionsUnit = "connections"
)

// resolve returns the workload that c names and c with every default filled in.
func (c Config) resolve() (Config, Workload, error) {
	or := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	if c.Workload == "" {
		c.Workload = "walk"
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:8888"
	}
	if c.Start == 0 {
		c.Start = 1_700_000_000
	}
	if c.Step == 0 {
		c.Step = 10
		if c.Workload == "years" {
			c.Step = 3600
		}
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	or(&c.Runs, 1)
	or(&c.Batch, 128<<10)
	or(&c.ReadBack, 20)
	for _, w := range Workloads() {
		if w.Name != c.Workload {
			continue
		}
		or(&c.Series, w.Series)
		or(&c.Samples, w.Samples)
		or(&c.Connections, w.Connections)
		or(&c.Requests, w.Requests)
		if c.Workload == "idle-put" {
			c.Series = max(c.Series, c.Connections)
		} else if w.Series > 0 && w.Requests == 0 {
			c.Connections = min(c.Connections, c.Series) // a series belongs to one connection
		}
		return c, w, c.check()
	}
	return c, Workload{}, fmt.Errorf("no workload is called %q", c.Workload)
}

// check returns an error for a field out of its bounds.
func (c Config) check() error {
	const most = 100_000_000
	switch {
	case c.Series < 0 || c.Series > most || c.Samples < 0 || c.Samples > most || c.Requests < 0:
		return fmt.Errorf("%d series, %d samples, %d requests: want 1 to %d of each", c.Series, c.Samples, c.Requests, most)
	case c.Connections < 1 || c.Runs < 1:
		return fmt.Errorf("%d connections, %d runs: want at least one", c.Connections, c.Runs)
	case c.Batch < 0 || c.Batch > 64<<20:
		return fmt.Errorf("batch of %d bytes: want at most 64 MiB", c.Batch)
	case c.Step < 1 || c.Step > 1e6 || c.Start < -1e15 || c.Start > 1e15:
		return fmt.Errorf("start %d, step %d: want ±1e15 seconds, and 1 to 1,000,000 seconds", c.Start, c.Step)
	case c.UntilIdle && c.PID == 0:
		return errors.New("to know when the server is idle takes its PID")
	case c.Timeout < 0:
		return fmt.Errorf("timeout %v: want a positive one", c.Timeout)
	}
	return nil
}

// run is one run of a workload.
type run struct {
	cfg    Config // resolved
	load   *load
	result *Result
	tally  *tally
	want   []byte // memory for match
}

// Run runs the workload and reports. An error means that the figures are not to be relied
// on: the server refused or lost something, could not be reached, or ctx is done; the report
// holds what there is all the same. Run is safe for concurrent use, but the CPU time of
// the generator is that of the whole process.
func Run(ctx context.Context, cfg Config) (Report, error) {
	cfg, w, err := cfg.resolve()
	rep := Report{Config: cfg, LatencyOf: w.latencyOf}
	if err != nil {
		return rep, err
	}
	for range cfg.Runs {
		result := Result{Unit: w.unit}
		err = runOnce(ctx, cfg, w, &result)
		rep.Results = append(rep.Results, result)
		if err != nil {
			break
		}
	}
	rep.Figures = summarise(rep.Results)
	return rep, err
}

// runOnce runs w a single time and fills in result.
func runOnce(ctx context.Context, cfg Config, w Workload, result *Result) error {
	r := &run{cfg: cfg, result: result, tally: newTally()}
	prefix := cfg.Prefix
	if w.Series > 0 {
		var err error
		if prefix, err = freshPrefix(ctx, cfg, w); err != nil {
			return err
		}
		if r.load, err = newLoad(cfg, prefix, w.order); err != nil {
			return err
		}
	}
	result.Prefix = prefix
	if err := w.run(r, ctx); err != nil {
		return err
	}
	if n := r.tally.errors; n > 0 {
		return fmt.Errorf("%d requests were refused or answered wrongly; the first: %s", n, r.tally.first)
	}
	return nil
}

// dial opens n connections to the server. If it fails, none is left open.
func dial(ctx context.Context, cfg Config, n int) ([]net.Conn, error) {
	d := net.Dialer{Timeout: cfg.Timeout}
	conns := make([]net.Conn, 0, n)
	for range n {
		c, err := d.DialContext(ctx, "tcp", cfg.Addr)
		if err != nil {
			closeAll(conns)
			return nil, fmt.Errorf("connection %d of %d: %w", len(conns)+1, n, err)
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// together runs all jobs, each in a goroutine, and returns the first error. As soon as
// there is one, or ctx is done, conns are closed and the jobs' context ends.
func together(ctx context.Context, conns []net.Conn, jobs []func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() { closeAll(conns) })
	defer stop()
	var group sync.WaitGroup
	for _, job := range jobs {
		group.Go(func() {
			if err := job(ctx); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// share returns how many of n things the k-th of parts gets.
func share(n, k, parts int) int { return n*(k+1)/parts - n*k/parts }

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		c.Close()
	}
}
