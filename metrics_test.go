package metricd

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// watched is a server in a test, of which the figures are asked.
type watched struct {
	*Server
	t     testing.TB
	stop  func()
	ended chan struct{} // closed when Serve has returned
}

// watch runs a server until the test ends.
func watch(t testing.TB, cfg Config) *watched {
	t.Helper()
	cfg.Listen, cfg.HTTP = "127.0.0.1:0", "127.0.0.1:0"
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{Server: s, t: t, stop: cancel, ended: make(chan struct{})}
	var served error
	go func() {
		defer close(w.ended)
		served = s.Serve(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		if <-w.ended; served != nil {
			t.Error(served)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// say sends lines over the line protocol, ends the input and returns all replies.
func (w *watched) say(lines string) string {
	w.t.Helper()
	return talk(w.t, w.Addr(), lines)
}

func talk(t testing.TB, to net.Addr, lines string) string {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, lines); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	replies, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(replies)
}

// post sends a body over HTTP and returns the status.
func (w *watched) post(path, body string) int {
	w.t.Helper()
	res, err := http.Post("http://"+w.HTTPAddr().String()+path, "text/plain", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// get returns what is at a path, which must be there.
func (w *watched) get(path string) string {
	w.t.Helper()
	_, text := w.accepting("", path)
	return text
}

// page returns /metrics, as who accepts what is named would get it.
func (w *watched) page(accept string) (header http.Header, text string) {
	w.t.Helper()
	return w.accepting(accept, "/metrics")
}

func (w *watched) accepting(accept, path string) (header http.Header, text string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.HTTPAddr().String()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s, %v: %s", path, res.Status, err, b)
	}
	return res.Header, string(b)
}

// figures returns the values of /metrics, each by its name with labels as it is printed.
func (w *watched) figures() map[string]string {
	w.t.Helper()
	_, text := w.page("")
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			i := strings.LastIndexByte(line, ' ')
			all[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return all
}

// want checks figures.
func (w *watched) want(want map[string]string) {
	w.t.Helper()
	got := w.figures()
	for name, v := range want {
		if got[name] != v {
			w.t.Errorf("%s is %q, want %q", name, got[name], v)
		}
	}
}

// until waits for a figure.
func (w *watched) until(name, want string) {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		got := w.figures()[name]
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s stays %q, want %q", name, got, want)
		}
	}
}

// TestFigures: what was asked, and how it was answered, is in the figures right after it.
func TestFigures(t *testing.T) {
	w := watch(t, Config{Data: t.TempDir() + "/data", Graphite: "127.0.0.1:0", MaxSeries: 3, Version: "v1.2.3"})
	in := "put a 1 10\nput b 1 10\nput a 2 10\nput a 3 5\nget a\nnonsense\n"
	out := w.say(in)
	w.say("put c 1 1\nput d 1 1\n") // one series too many
	if status := w.post("/write?precision=s", "c v=1 1\nc value=1,text=\"x\" 2\nwrong\n"); status != http.StatusBadRequest {
		t.Errorf("InfluxDB's protocol is answered with %d", status)
	}
	w.post("/api/v1/write", "x")
	w.post("/nowhere", "x")
	talk(t, w.GraphiteAddr(), "c 1 3\nwrong\nc nan 4\n")
	w.want(map[string]string{
		`metricd_requests_total{command="put",protocol="line"}`:                "6",
		`metricd_requests_total{command="get",protocol="line"}`:                "1",
		`metricd_requests_total{command="unknown",protocol="line"}`:            "1",
		`metricd_request_errors_total{protocol="line",reason="malformed"}`:     "1",
		`metricd_request_errors_total{protocol="line",reason="series_limit"}`:  "1",
		`metricd_request_errors_total{protocol="line",reason="too_old"}`:       "0",
		`metricd_received_bytes_total{protocol="line"}`:                        fmt.Sprint(len(in) + 20),
		`metricd_sent_bytes_total{protocol="line"}`:                            fmt.Sprint(len(out) + len("ok\n\n") + len("error\nseries limit reached: 3 series is the most allowed (--max-series)\n\n")),
		`metricd_get_duration_seconds_count`:                                   "1",
		`metricd_connections_limit{protocol="line"}`:                           "10000",
		`metricd_connections_accepted_total{protocol="line"}`:                  "2",
		`metricd_requests_total{command="put",protocol="graphite"}`:            "3",
		`metricd_request_errors_total{protocol="graphite",reason="malformed"}`: "1",
		`metricd_request_errors_total{protocol="graphite",reason="nan"}`:       "1",
		`metricd_graphite_samples_total`:                                       "1",
		`metricd_requests_total{command="write",protocol="influx"}`:            "1",
		`metricd_request_errors_total{protocol="influx",reason="400"}`:         "1",
		`metricd_influx_lines_total`:                                           "3",
		`metricd_influx_lines_dropped_total`:                                   "2",
		`metricd_influx_strings_ignored_total`:                                 "1",
		`metricd_requests_total{command="write",protocol="remote_write"}`:      "1",
		`metricd_request_errors_total{protocol="remote_write",reason="415"}`:   "1",
		`metricd_http_requests_total{code="400",handler="/write"}`:             "1",
		`metricd_http_requests_total{code="415",handler="/api/v1/write"}`:      "1",
		`metricd_http_requests_total{code="404",handler="other"}`:              "1",
		`metricd_http_request_duration_seconds_count{handler="/api/v1/write"}`: "1",
		`metricd_storage_series`:                                               "3",
		`metricd_storage_samples`:                                              "6",
		`metricd_storage_samples_appended_total`:                               "7",
		`metricd_storage_samples_overwritten_total`:                            "1",
		`metricd_storage_samples_late_total`:                                   "1",
		`metricd_storage_samples_refused_total`:                                "2",
		`metricd_storage_failed`:                                               "0",
		`metricd_storage_read_only`:                                            "0",
	})
	w.until(`metricd_connections{protocol="line"}`, "0") // a connection is counted a little longer than its client sees it
	w.until(`metricd_connections{protocol="http"}`, "1")
	got := w.figures()
	for _, name := range []string{
		"metricd_storage_log_sync_duration_seconds_count", "metricd_storage_log_bytes", "metricd_storage_disk_free_bytes", "metricd_storage_disk_needed_bytes",
		"metricd_storage_memory_bytes", "go_goroutines", "process_cpu_seconds_total",
	} {
		if v := got[name]; v == "" || v == "0" {
			t.Errorf("%s is %q", name, v)
		}
	}
	if !regexp.MustCompile(`^go1\.`).MatchString(strings.Split(buildInfo(got), `"`)[1]) || !strings.Contains(buildInfo(got), `version="v1.2.3"`) {
		t.Errorf("metricd_build_info is %s", buildInfo(got))
	}
}

// buildInfo returns the labels of metricd_build_info.
func buildInfo(figures map[string]string) string {
	for name := range figures {
		if labels, ok := strings.CutPrefix(name, "metricd_build_info"); ok {
			return labels
		}
	}
	return `""`
}

// TestFiguresAreWellNamed: all have a help, names and units are as Prometheus wants them, and they come in both formats.
func TestFiguresAreWellNamed(t *testing.T) {
	w := watch(t, Config{Data: t.TempDir() + "/data", Graphite: "127.0.0.1:0"})
	w.say("put a 1 10\nget a\n")
	w.page("")
	header, text := w.page("")
	if got := header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Errorf("Content-Type %s", got)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "prometheus_engine_") { // named by Prometheus
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, f := range families(t, text) {
		if f.GetHelp() == "" || !strings.HasSuffix(f.GetHelp(), ".") && strings.HasPrefix(f.GetName(), "metricd_") {
			t.Errorf("%s: help %q", f.GetName(), f.GetHelp())
		}
	}
	header, text = w.page("application/openmetrics-text; version=1.0.0")
	if got := header.Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text") || !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("Content-Type %s, ends in %q", got, text[len(text)-10:])
	}
}

// families reads the text format.
func families(t testing.TB, text string) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.UTF8Validation)
	all, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
