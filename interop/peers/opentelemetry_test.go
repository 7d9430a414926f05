package peers

import (
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// otelPackages are OpenTelemetry's SDK for Python, with what sets it up from the environment and sends by OTLP over HTTP.
var otelPackages = []string{"opentelemetry-distro==0.66b2", "opentelemetry-exporter-otlp-proto-http==1.45.2"}

// TestOpenTelemetry has OpenTelemetry's SDK for Python, which knows no more than the environment that README.md shows, export a
// counter. The server is killed in between.
func TestOpenTelemetry(t *testing.T) {
	t.Parallel()
	lib, env := pypi(t, otelPackages...)
	s := serve(t)
	cmd := exec.Command(filepath.Join(lib, "bin", "opentelemetry-instrument"), "python3", "testdata/orders.py")
	cmd.Env = append(env, "OTEL_SERVICE_NAME=checkout", "OTEL_METRIC_EXPORT_INTERVAL=200", "OTEL_TRACES_EXPORTER=none", "OTEL_LOGS_EXPORTER=none")
	for line := range strings.Lines(s.block(t, "OpenTelemetry", 0)) {
		if setting, ok := strings.CutPrefix(strings.TrimSpace(line), "$ export "); ok {
			cmd.Env = append(cmd.Env, setting)
		}
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	sdk := start(t, cmd)

	fmt.Fprintln(stdin, "order")
	until(t, func() error { return newestOrders(s, 1) })
	s.stop(t, syscall.SIGKILL)
	fmt.Fprintln(stdin, "order")
	sdk.await(t, "counted 2\n")
	s.start(t)
	until(t, func() error { return newestOrders(s, 2) })

	// When it ends it exports what it still has.
	io.WriteString(stdin, "order\norder\n")
	stdin.Close()
	sdk.wait(t)
	if err := newestOrders(s, 4); err != nil {
		t.Error(err)
	}
}

// newestOrders says whether the newest sample of the counter that testdata/orders.py counts is n. The SDK gives the service an id.
func newestOrders(s *server, n float64) error {
	all, err := s.export()
	if err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(all))
	at := slices.IndexFunc(keys, func(key string) bool {
		return strings.HasPrefix(key, "orders_total;instance=") && strings.HasSuffix(key, ";job=checkout")
	})
	if at < 0 {
		return fmt.Errorf("there is no counter among %q", keys)
	}
	got := all[keys[at]]
	if v := got[slices.Max(slices.Collect(maps.Keys(got)))]; v != n {
		return fmt.Errorf("%s: the newest sample is %v, want %v", keys[at], v, n)
	}
	return nil
}
