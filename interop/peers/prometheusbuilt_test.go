//go:build soak

package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// prometheusVersion is of the module; the program calls it 3.16.0.
const prometheusVersion = "v0.316.0"

// TestPrometheus is TestPrometheusOfDebian with a new one. It has it scrape itself and a target, with native histograms on, and send by remote write 1.0, then 2.0. The server is killed
// in either, and while Prometheus is stopped: it has all that Prometheus has, to the last bit.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	build := exec.Command("go", "install", "-tags", "remove_all_sd", "github.com/prometheus/prometheus/cmd/prometheus@"+prometheusVersion)
	build.Env = append(os.Environ(), "GOBIN="+bin)
	run(t, build)
	p := newPrometheus(t, filepath.Join(bin, "prometheus"))
	p.queries = true
	p.jobs = `
  - job_name: target
    scrape_native_histograms: true
    static_configs: [{targets: ["TARGET"]}]
  - job_name: custom
    convert_classic_histograms_to_nhcb: true
    static_configs: [{targets: ["TARGET"]}]
`
	p.sends(t, p.s.block(t, "Prometheus", 0)+native+"    convert_nhcb_to_classic: true\n") // in 1.0 it drops them, else
	p.s.kill(t)                                                                            // while there is nobody to send
	p.sends(t, p.s.block(t, "Prometheus", 1)+native)
}
