package peers

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// native is a line for remote_write.
const native = "    send_native_histograms: true\n"

// TestPrometheusOfDebian has a Prometheus that is years old scrape itself and a target, and send by remote write 1.0. The server is killed: it has
// all that Prometheus has, to the last bit. Its promtool takes docs/alerts.yml.
func TestPrometheusOfDebian(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(debian(t, "prometheus"), "usr/bin")
	if out := run(t, exec.Command(filepath.Join(bin, "promtool"), "check", "rules", filepath.Join(root, "docs/alerts.yml"))); !strings.Contains(out, "SUCCESS") {
		t.Errorf("promtool check rules: %s", out)
	}
	p := newPrometheus(t, filepath.Join(bin, "prometheus"), "--enable-feature=native-histograms")
	p.jobs = `
  - job_name: target
    static_configs: [{targets: ["TARGET"]}]
`
	p.sends(t, p.s.block(t, "Prometheus", 0)+native)
}

// prometheusServer is a Prometheus with a data directory, that sends to s. It scrapes twice a second.
type prometheusServer struct {
	*process
	s            *server
	bin          string
	flags        []string
	dir          string
	addr, target string // HOST:PORT
	queries      bool   // compare their answers, too
	jobs         string // to scrape, beside itself, with TARGET for the target
}

func newPrometheus(t *testing.T, bin string, flags ...string) *prometheusServer {
	t.Helper()
	return &prometheusServer{s: serve(t), bin: bin, flags: flags, dir: t.TempDir(), addr: freeAddr(t), target: serveTarget(t)}
}

// sends starts Prometheus, on the data that is there, lets it scrape and send while the server is killed, stops it, and compares.
func (p *prometheusServer) sends(t *testing.T, remoteWrite string) {
	t.Helper()
	none := "global: {scrape_interval: 500ms}\n" + remoteWrite
	p.configure(t, none+fmt.Sprintf(`
scrape_configs:
  - job_name: self
    static_configs: [{targets: ["%s"]}]`, p.addr)+strings.ReplaceAll(p.jobs, "TARGET", p.target))
	cmd := exec.Command(p.bin, append([]string{
		"--config.file=" + filepath.Join(p.dir, "prometheus.yml"), "--storage.tsdb.path=" + filepath.Join(p.dir, "data"),
		"--web.listen-address=" + p.addr, "--log.level=warn",
	}, p.flags...)...)
	p.process = start(t, cmd)

	scraped := func(more int) {
		t.Helper()
		before := p.targetScrapes(t)
		until(t, func() error {
			if n := p.targetScrapes(t); n < before+more {
				return fmt.Errorf("the server has %d scrapes of the target, want %d more than %d", n, more, before)
			}
			return nil
		})
	}
	scraped(3)
	p.s.stop(t, syscall.SIGKILL)
	until(t, func() error {
		if n, err := p.metric("prometheus_remote_storage_samples_retried_total"); err != nil || n == 0 {
			return fmt.Errorf("Prometheus sent %v samples again (%v), want some", n, err)
		}
		return nil
	})
	p.s.start(t)
	scraped(3)

	// No more is scraped; what was, arrives.
	p.configure(t, none)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, func() error {
		if n, err := p.metric("prometheus_remote_storage_samples_pending"); err != nil || n != 0 {
			return fmt.Errorf("%v samples are pending (%v), want none", n, err)
		}
		return p.compare(t)
	})
	for _, what := range []string{"samples", "histograms"} {
		if n, err := p.metric("prometheus_remote_storage_" + what + "_dropped_total"); err != nil || n != 0 {
			t.Errorf("Prometheus dropped %v %s (%v), want none", n, what, err)
		}
	}
	if p.queries {
		p.compareQueries(t)
	}
	p.stop(t, syscall.SIGTERM)
}

// targetScrapes returns how often the target was scraped, as the server has it.
func (p *prometheusServer) targetScrapes(t *testing.T) int {
	t.Helper()
	got, err := p.s.export()
	if err != nil {
		t.Fatal(err)
	}
	return len(got["up;instance="+p.target+";job=target"])
}

// configure writes the configuration.
func (p *prometheusServer) configure(t *testing.T, yaml string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "prometheus.yml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
}

// metric returns one of Prometheus' own metrics, summed over its series; 0 if it has none.
func (p *prometheusServer) metric(name string) (sum float64, err error) {
	resp, err := http.Get("http://" + p.addr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		v, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, lines.Err()
}
