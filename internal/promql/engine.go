package promql

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"metricd/internal/storage"
)

// What Options are where they are zero or less: Prometheus' defaults.
const (
	DefaultMaxSamples    = 50_000_000
	DefaultTimeout       = 2 * time.Minute
	DefaultLookbackDelta = 5 * time.Minute
	DefaultMaxConcurrent = 20
)

// PrometheusVersion is the version of Prometheus whose engine this is: its module is v0.316.0.
const PrometheusVersion = "3.16.0"

// subqueryStep is the step of a subquery that names none, in milliseconds: Prometheus' default evaluation interval.
const subqueryStep = 60_000

// Options are those of an Engine. The zero value has the defaults above, no log and no metrics.
type Options struct {
	MaxSamples    int           // most samples that one query may hold in memory at once (16 bytes each)
	Timeout       time.Duration // longest that a query may take, waiting for its turn included
	LookbackDelta time.Duration // how old a sample may be to count as the value of now
	MaxConcurrent int           // most queries that run at once, and most look-ups of series and labels beside them

	// Own is a small store that is seen beside the main one, such as that of the server's own figures (joined.go); nil: none.
	Own storage.Store

	Logger     *slog.Logger
	Registerer prometheus.Registerer // for metrics named prometheus_engine_…
}

// or returns v, or, where that is zero or less, otherwise.
func or[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// Engine evaluates PromQL over a Store, or two, which it does not own. It is safe for concurrent use and holds nothing that must be
// released.
type Engine struct {
	store   reader
	timeout time.Duration
	parser  parser.Parser
	engine  *prom.Engine
	lookups slots // for series and labels, so that those don't wait for long queries
}

// New makes an engine over store.
func New(store storage.Store, o Options) *Engine {
	engineOptions := EngineOptions(o)
	return &Engine{
		store:   join(store, o.Own),
		timeout: engineOptions.Timeout,
		parser:  engineOptions.Parser,
		engine:  prom.NewEngine(engineOptions),
		lookups: make(slots, engineOptions.ActiveQueryTracker.GetMaxConcurrent()),
	}
}

// EngineOptions returns the options that New gives to Prometheus' engine: those of its server by default, and names without
// quotes. Statistics by step are only made where a query asks for them.
func EngineOptions(o Options) prom.EngineOpts {
	return prom.EngineOpts{
		Logger:                   o.Logger,
		Reg:                      o.Registerer,
		MaxSamples:               or(o.MaxSamples, DefaultMaxSamples),
		Timeout:                  or(o.Timeout, DefaultTimeout),
		LookbackDelta:            or(o.LookbackDelta, DefaultLookbackDelta),
		ActiveQueryTracker:       make(slots, or(o.MaxConcurrent, DefaultMaxConcurrent)),
		NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		EnablePerStepStats:       true,
		Parser:                   parser.NewParser(parser.Options{EnableUnquotedUTF8Names: true}),
	}
}
