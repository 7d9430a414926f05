package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
)

// queries are about what Prometheus and the server both have: not of native histograms.
var queries = []string{
	`{job="target",__name__!~"peers_n.*"}`,
	`{job="self",__name__=~"prometheus_(tsdb|remote).*"}`,
	`peers_changing`,
	`peers_changing offset 1s`,
	`peers_special == peers_special`,
	`{"peers.dotted", "a.b"="c"}`,
	`up{job="target"} @ start()`,
	`sum by (job) (up{job=~"target|self"})`,
	`count by (n) (peers_changing{job="target"} > 0)`,
	`absent(peers_changing{job="target", n="1"})`,
	`absent_over_time(peers_changing{job="target", n="1"}[1s])`,
	`changes(peers_changing[5s])`,
	`quantile_over_time(0.3, peers_changing[5s])`,
	`last_over_time(peers_changing[3s])`,
	`rate(process_cpu_seconds_total{job="self"}[5s])`,
	`deriv(process_resident_memory_bytes{job="self"}[5s])`,
	`max_over_time(rate(prometheus_tsdb_head_samples_appended_total{job="self",type="float"}[2s])[10s:1s])`,
	`histogram_quantile(0.9, sum by (le) (rate(prometheus_tsdb_compaction_duration_seconds_bucket{job="self"}[5s])))`,
	`histogram_quantile(0.4, peers_classic_bucket{job="target"})`,
	`topk(3, peers_classic_bucket{job="target"})`,
	`label_replace(up{job="target"}, "x", "$1", "instance", "(.*):.*")`,
	`prometheus_tsdb_head_series{job="self"} / on (instance) group_left process_start_time_seconds{job="self"}`,
	`vector(scalar(up{job="target"}) + time())`,
	`timestamp(peers_special)`,
}

// compareQueries sees that the server answers as Prometheus does, at times in ms and in between.
func (p *prometheusServer) compareQueries(t *testing.T) {
	t.Helper()
	all, err := p.raw()
	if err != nil {
		t.Fatal(err)
	}
	times := slices.Sorted(maps.Keys(all["up;instance="+p.target+";job=target"]))
	first, last := seconds(times[0]), seconds(times[len(times)-1])
	filled := 0
	compare := func(path string, form url.Values) {
		t.Helper()
		want, err := ask(p.addr, path, form)
		if err != nil {
			t.Fatalf("Prometheus: %s %v: %v", path, form, err)
		}
		got, err := ask(p.s.http, path, form)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s %v: the server answers\n%v (%v), Prometheus\n%v", path, form, got, err, want)
		}
		filled += min(1, len(want))
	}
	for _, q := range queries {
		compare("query", url.Values{"query": {q}, "time": {last}})
		compare("query_range", url.Values{"query": {q}, "start": {first}, "end": {last}, "step": {"0.3"}})
	}
	for _, raw := range []string{`peers_changing[1h]`, `up{job=~"target|self"}[1h]`} {
		compare("query", url.Values{"query": {raw}, "time": {last}})
	}
	if filled < len(queries) {
		t.Errorf("of the answers only %d are not empty", filled)
	}
}

func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64) }

// ask asks an HTTP API as Prometheus has it, and returns the values of the answer as they are written, by series.
func ask(addr, path string, form url.Values) (map[string]string, error) {
	resp, err := http.PostForm("http://"+addr+"/api/v1/"+path, form)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var a struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     []struct {
				Metric                               map[string]string
				Value, Values, Histogram, Histograms json.RawMessage
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return nil, fmt.Errorf("%s: %w", resp.Status, err)
	}
	if a.Status != "success" {
		return nil, errors.New(a.Error)
	}
	all := map[string]string{}
	for _, r := range a.Data.Result {
		all[key(r.Metric, "")] = fmt.Sprintf("%s %s%s%s%s", a.Data.ResultType, r.Value, r.Values, r.Histogram, r.Histograms)
	}
	if len(all) != len(a.Data.Result) {
		return nil, errors.New("a series is there twice")
	}
	return all, nil
}
