package httpapi

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"metricd/internal/promql"
)

// must returns what the client returned without an error or warning.
func must[T any](t *testing.T) func(T, error) T {
	return func(got T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
}

// TestClient: Prometheus' official Go client can read the answer of every path that it knows.
func TestClient(t *testing.T) {
	conn, err := api.NewClient(api.Config{Address: ours(t)})
	if err != nil {
		t.Fatal(err)
	}
	c, ctx := v1.NewAPI(conn), t.Context()
	first, last := time.UnixMilli(begin), time.UnixMilli(begin).Add(30*time.Minute)
	minute := v1.Range{Start: first, End: first.Add(time.Minute), Step: 15 * time.Second}

	value, warnings, _, err := c.Query(ctx, `requests_total{host="a"}`, first.Add(time.Minute), v1.WithTimeout(time.Second), v1.WithLookbackDelta(time.Minute), v1.WithStats(v1.AllStatsValue), v1.WithLimit(7))
	if vector, ok := value.(model.Vector); err != nil || len(warnings) > 0 || !ok || len(vector) != 1 || vector[0].Value != 4.1 || vector[0].Timestamp != model.Time(begin+60_000) {
		t.Errorf("query: %v, %v, %v", value, warnings, err)
	}
	value, warnings, _, err = c.Query(ctx, "load", first, v1.WithLimit(1))
	if vector, ok := value.(model.Vector); err != nil || !ok || len(vector) != 1 || len(warnings) != 1 || warnings[0] != "results truncated due to limit" {
		t.Errorf("query with a limit: %v, %v, %v", value, warnings, err)
	}
	value, _, _, err = c.QueryRange(ctx, "sum(requests_total)", minute)
	if matrix, ok := value.(model.Matrix); err != nil || !ok || len(matrix) != 1 || len(matrix[0].Values) != 5 {
		t.Errorf("query_range: %v, %v", value, err)
	}
	_, _, _, err = c.Query(ctx, "x{", first)
	if e, ok := err.(*v1.Error); !ok || e.Type != v1.ErrBadData || !strings.HasPrefix(e.Msg, `invalid parameter "query": 1:3: parse error`) {
		t.Errorf("a wrong query: %v", err)
	}
	_, _, infos, err := c.Query(ctx, "rate(load[5m])", last)
	if err != nil || len(infos) != 1 || !strings.HasPrefix(infos[0], "PromQL info: metric might not be a counter") {
		t.Errorf("infos: %q, %v", infos, err)
	}
	if sets, _, _, err := c.Series(ctx, []string{"load", `{host="a"}`}, first, last); err != nil || len(sets) != 4 || sets[0]["__name__"] != "load" {
		t.Errorf("series: %v, %v", sets, err)
	}
	if names, _, _, err := c.LabelNames(ctx, []string{"load"}, first, last); err != nil || !slices.Equal(names, model.LabelNames{"__name__", "host"}) {
		t.Errorf("labels: %v, %v", names, err)
	}
	if values, _, _, err := c.LabelValues(ctx, "odd<&>", nil, time.Time{}, time.Time{}); err != nil || len(values) != 1 || values[0] != "é\"\\\n\u2028" {
		t.Errorf("label values: %q, %v", values, err)
	}
	if found := must[[]v1.ExemplarQueryResult](t)(c.QueryExemplars(ctx, "load", first, last)); len(found) != 0 {
		t.Errorf("exemplars: %v", found)
	}
	if text := must[string](t)(c.FormatQuery(ctx, "sum(x)by(a)")); text != `"sum by (a) (x)"` { // the client leaves it as it came
		t.Errorf("format_query: %s", text)
	}
	if info := must[v1.BuildinfoResult](t)(c.Buildinfo(ctx)); info.Version != promql.PrometheusVersion || !strings.HasPrefix(info.GoVersion, "go1.") {
		t.Errorf("buildinfo: %+v", info)
	}
	if info := must[v1.RuntimeinfoResult](t)(c.Runtimeinfo(ctx)); info.StartTime.IsZero() || info.GOMAXPROCS < 1 || info.CWD == "" {
		t.Errorf("runtimeinfo: %+v", info)
	}
	if flags := must[v1.FlagsResult](t)(c.Flags(ctx)); flags["listen"] != "x" {
		t.Errorf("flags: %v", flags)
	}
	status := must[v1.TSDBResult](t)(c.TSDB(ctx, v1.WithLimit(2)))
	if status.HeadStats.NumSeries != 13 || status.HeadStats.NumLabelPairs != 16 || len(status.SeriesCountByMetricName) != 2 || status.LabelValueCountByLabelName[0] != (v1.Stat{Name: "__name__", Value: 5}) {
		t.Errorf("tsdb: %+v", status)
	}
	_ = must[v1.WalReplayStatus](t)(c.WalReplay(ctx))
	_ = must[v1.TSDBBlocksResult](t)(c.TSDBBlocks(ctx))
	_ = must[v1.ConfigResult](t)(c.Config(ctx))
	_ = must[v1.AlertManagersResult](t)(c.AlertManagers(ctx))
	_ = must[v1.RulesResult](t)(c.Rules(ctx, []string{"load"}))
	_ = must[v1.AlertsResult](t)(c.Alerts(ctx))
	_ = must[v1.TargetsResult](t)(c.Targets(ctx))
	_ = must[[]v1.MetricMetadata](t)(c.TargetsMetadata(ctx, "", "", ""))
	_ = must[map[string][]v1.Metadata](t)(c.Metadata(ctx, "load", "1"))
	if err := c.CleanTombstones(ctx); err != nil {
		t.Error(err)
	}
	if err := c.DeleteSeries(ctx, []string{`load{host="a"}`}, first, last); err != nil {
		t.Error(err)
	}
	if values, _, _, err := c.LabelValues(ctx, "host", []string{"load"}, time.Time{}, time.Time{}); err != nil || len(values) != 2 {
		t.Errorf("label values after a deletion: %q, %v", values, err)
	}
	_, err = c.Snapshot(ctx, false)
	if e, ok := err.(*v1.Error); !ok || e.Type != v1.ErrServer || !strings.Contains(e.Detail, "GET /api/v1/admin/backup") {
		t.Errorf("snapshot: %v", err)
	}
}
