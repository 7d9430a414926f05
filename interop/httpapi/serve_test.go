package httpapi

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	promtsdb "github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/teststorage"
	v1 "github.com/prometheus/prometheus/web/api/v1"

	"metricd/internal/httpapi"
	"metricd/internal/promql"
	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// begin is the time of the first sample, in milliseconds; samples are 15 s apart, for half an hour.
const begin int64 = 1_700_000_000_000

// data calls add with each sample, in an order that Prometheus takes: by time.
func data(add func(ls labels.Labels, t int64, v float64)) {
	for i := range int64(120) {
		t, v := begin+i*15_000, float64(i)
		for k, host := range []string{"a", "b", "c"} {
			add(labels.FromStrings("__name__", "requests_total", "host", host, "job", "web"), t, v*float64(k+1)+0.1)
			add(labels.FromStrings("__name__", "load", "host", host), t, math.Sin(v)*math.Pow(10, float64(k*8)))
		}
		for _, le := range []string{"0.1", "1", "+Inf"} {
			add(labels.FromStrings("__name__", "latency_bucket", "le", le), t, v*float64(len(le)))
		}
		add(labels.FromStrings("__name__", "palm.cpu", "odd<&>", "é\"\\\n\u2028"), t+1, -v)
		if i%2 == 0 {
			add(labels.FromStrings("__name__", "odd", "is", "nan"), t, math.NaN())
			add(labels.FromStrings("__name__", "odd", "is", "inf"), t+7, math.Inf(1-2*int(i%4/2)))
			add(labels.FromStrings("__name__", "odd", "is", "tiny"), t+70, v*1e-9)
		}
	}
}

// ours serves metricd's API over the data until the end of the test, and returns its address.
func ours(t *testing.T) (address string) {
	t.Helper()
	db, err := tsdb.Open(tsdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b storage.Batch
	data(func(ls labels.Labels, at int64, v float64) {
		set := storage.Labels{}
		ls.Range(func(l labels.Label) { set = append(set, storage.Label{Name: l.Name, Value: l.Value}) })
		b.Rows = append(b.Rows, storage.Row{Key: storage.AppendKey(nil, set), T: at, V: v})
	})
	if _, err := db.Appender().Append(&b); err != nil || len(b.Refused) > 0 {
		t.Fatal(err, b.Refused)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- httpapi.New(httpapi.Config{Store: db, Version: "v0", Flags: map[string]string{"listen": "x"}}).Serve(ctx, ln)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String()
}

// theirs returns Prometheus' API over the data in its own storage: its paths are below /, without /api/v1.
func theirs(t *testing.T) http.Handler {
	t.Helper()
	db := teststorage.New(t)
	app := db.Appender(t.Context())
	data(func(ls labels.Labels, at int64, v float64) {
		if _, err := app.Append(0, ls, at, v); err != nil {
			t.Fatal(err)
		}
	})
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	ready := func(f http.HandlerFunc) http.HandlerFunc { return f }
	o := promql.EngineOptions(promql.Options{})
	n := nothing{}
	api := v1.NewAPI(prom.NewEngine(o), db, nil, db,
		func(context.Context) v1.ScrapePoolsRetriever { return n },
		func(context.Context) v1.TargetRetriever { return n },
		func(context.Context) v1.AlertmanagerRetriever { return n },
		func() config.Config { return config.Config{} }, map[string]string{"listen": "x"}, v1.GlobalURLOptions{},
		ready, admin{db.DB}, "", true, false, 0, promslog.NewNopLogger(),
		func(context.Context) v1.RulesRetriever { return n },
		0, 0, 0, false, nil, nil, &v1.PrometheusVersion{}, nil, nil, prometheus.NewRegistry(), nil, nil,
		false, nil, false, false, false, 0, false, false, nil, nil, v1.OpenAPIOptions{},
		parser.NewParser(parser.Options{EnableUnquotedUTF8Names: true}), false, 0)
	router := route.New()
	api.Register(router)
	return router
}

// nothing retrieves what there is not.
type nothing struct{}

func (nothing) ScrapePools() []string                       { return []string{} }
func (nothing) TargetsActive() map[string][]*scrape.Target  { return nil }
func (nothing) TargetsDropped() map[string][]*scrape.Target { return nil }
func (nothing) TargetsDroppedCounts() map[string]int        { return map[string]int{} }
func (nothing) Alertmanagers() []*url.URL                   { return nil }
func (nothing) DroppedAlertmanagers() []*url.URL            { return nil }
func (nothing) RuleGroups() []*rules.Group                  { return nil }
func (nothing) AlertingRules() []*rules.AlertingRule        { return nil }

func (nothing) ScrapePoolConfig(string) (*config.ScrapeConfig, error) { return nil, nil }

// admin is what Prometheus' server makes of its storage for the API.
type admin struct{ *promtsdb.DB }

func (a admin) Stats(label string, limit int) (*promtsdb.Stats, error) {
	return a.Head().Stats(label, limit), nil
}

func (admin) WALReplayStatus() (promtsdb.WALReplayStatus, error) {
	return promtsdb.WALReplayStatus{}, nil
}

func (admin) BlockMetas() ([]promtsdb.BlockMeta, error) { return []promtsdb.BlockMeta{}, nil }
