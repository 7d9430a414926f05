package interop

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"metricd"
	"metricd/internal/ownmetrics"
	"metricd/internal/promql"
	"metricd/internal/tsdb"
)

// watched returns an engine over what a server at work shows at /metrics, scraped twice, and the time of the second one.
func watched(t *testing.T) (*promql.Engine, time.Time) {
	t.Helper()
	s, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0", Graphite: "127.0.0.1:0", Data: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	store, err := tsdb.Open(tsdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := ownmetrics.NewRecorder(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return figuresOf(t, s.HTTPAddr()), nil }), store, slog.New(slog.DiscardHandler))
	figuresOf(t, s.HTTPAddr()) // so that there are figures of that
	at := time.Now()
	for range 2 {
		at = at.Add(ownmetrics.Every)
		work(t, s.Addr())
		if err := r.Record(at); err != nil {
			t.Fatal(err)
		}
	}
	return promql.New(store, promql.Options{}), at
}

// work sends requests and reads the replies.
func work(t *testing.T, to net.Addr) {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "put a 1 1\nget a\nwhat\n"); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	if _, err := io.ReadAll(conn); err != nil {
		t.Fatal(err)
	}
}

func figuresOf(t *testing.T, from net.Addr) (all []*dto.MetricFamily) {
	t.Helper()
	res, err := http.Get("http://" + from.String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text := expfmt.NewTextParser(model.UTF8Validation)
	families, err := text.TextToMetricFamilies(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		all = append(all, f)
	}
	return all
}

// results evaluates an expression and returns how many series it gives.
func results(t *testing.T, e *promql.Engine, at time.Time, expr string) int {
	t.Helper()
	r, err := e.Instant(t.Context(), expr, at, promql.QueryOptions{})
	if err != nil {
		t.Errorf("%s: %v", expr, err)
		return 0
	}
	defer r.Close()
	return len(strings.Fields(strings.ReplaceAll(r.Value.String(), "=>", " ")))
}

// checkSelectors expects that every selector of an expression selects something. Series named up are made by who scrapes.
func checkSelectors(t *testing.T, e *promql.Engine, at time.Time, expr string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v", expr, err)
		return
	}
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok && s.Name != "up" && results(t, e, at, s.String()) == 0 {
			t.Errorf("%s: nothing at /metrics is %s", expr, s)
		}
		return nil
	})
}

// TestAlerts: the rules load, each says what to do, is about figures that there are, and is silent about a server that is well.
func TestAlerts(t *testing.T) {
	e, at := watched(t)
	rules, errs := rulefmt.ParseFile("../docs/alerts.yml", false, model.UTF8Validation, parser.NewParser(parser.Options{}), promslog.NewNopLogger())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	// Nothing scrapes here; and how fast and how full its disk is, is the machine's matter.
	mayFire := []string{"MetricdDown", "MetricdSyncSlow", "MetricdReadOnly", "MetricdDiskNearlyFull", "MetricdDiskFullWithinADay"}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Annotations["summary"] == "" || r.Annotations["runbook"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%s: no summary, runbook or severity", r.Alert)
			}
			checkSelectors(t, e, at, r.Expr)
			if results(t, e, at, r.Expr) > 0 && !slices.Contains(mayFire, r.Alert) {
				t.Errorf("%s fires for a server that is well", r.Alert)
			}
		}
	}
}

// TestDashboard: every panel of the dashboard shows something.
func TestDashboard(t *testing.T) {
	e, at := watched(t)
	text, err := os.ReadFile("../docs/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil || len(board.Panels) < 10 {
		t.Fatalf("%d panels, %v", len(board.Panels), err)
	}
	for _, p := range board.Panels {
		shown := 0
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$job", ownmetrics.Job, "$__rate_interval", "1m").Replace(target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%s: %s has a variable that is not known here", p.Title, expr)
			}
			checkSelectors(t, e, at, expr)
			shown += results(t, e, at, expr)
		}
		if shown == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
	}
}
