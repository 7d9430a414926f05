package remotewrite

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"golang.org/x/sync/errgroup"
)

// Programs that BenchmarkServers starts, on the first processor. Run it on another one:
//
//	taskset -c 1 go test ./remotewrite -run '^$' -bench Servers -benchtime 300x -metricd PATH [-prometheus PATH]
var (
	metricdPath    = flag.String("metricd", "", "the metricd to measure")
	prometheusPath = flag.String("prometheus", "", "the Prometheus to measure beside it")
)

const (
	perRequest = 2000   // samples; Prometheus' default for max_samples_per_send
	benchTotal = 10_000 // series
	senders    = 4      // connections
)

// BenchmarkServers measures servers that receive samples of 10,000 series of node_exporter over four connections, in requests as
// Prometheus sends them: an op is one of each connection, with 2,000 samples. cpu-s/M are seconds of processor time a million
// samples, from the start of the process to its end in order.
func BenchmarkServers(b *testing.B) {
	for _, server := range []struct{ name, path string }{{"metricd", *metricdPath}, {"prometheus", *prometheusPath}} {
		for version, contentType := range map[int]string{1: type1, 2: type2} {
			if server.path != "" {
				b.Run(fmt.Sprintf("%s/v%d", server.name, version), func(b *testing.B) { benchServer(b, server.name, server.path, version, contentType) })
			}
		}
	}
}

func benchServer(b *testing.B, name, path string, version int, contentType string) {
	bodies := make([][]byte, senders*b.N)
	for i := range bodies {
		bodies[i] = message(version, i)
	}
	addr, dir := freePort(b), b.TempDir()
	args := []string{"-c", "0", path, "serve", "--http", addr, "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data")}
	if name == "prometheus" {
		config := filepath.Join(dir, "config.yml")
		if err := os.WriteFile(config, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		args = []string{"-c", "0", path, "--web.enable-remote-write-receiver", "--web.listen-address", addr, "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "data"), "--log.level", "warn"}
	}
	cmd := exec.Command("taskset", args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get("http://" + addr + "/-/ready")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(until) {
			b.Fatal("the server does not come up: ", err)
		}
	}
	b.ResetTimer()
	for i := range b.N {
		var sending errgroup.Group
		for _, body := range bodies[senders*i : senders*(i+1)] {
			sending.Go(func() error { return post(addr, contentType, body) })
		}
		if err := sending.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		b.Fatal(err)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	b.ReportMetric(used.Seconds()*1e6/float64(b.N*senders*perRequest), "cpu-s/M")
}

func freePort(b *testing.B) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func post(addr, contentType string, body []byte) error {
	req, err := http.NewRequest("POST", "http://"+addr+"/api/v1/write", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", contentType)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s %w", answer.Status, text, err)
	}
	return nil
}

// message returns the n-th request: a sample of each of the next series, 15 s after the one before.
func message(version, n int) []byte {
	var v1 prompb.WriteRequest
	symbols := writev2.NewSymbolTable()
	var v2 writev2.Request
	for i := range perRequest {
		at := n*perRequest + i
		series, round := at%benchTotal, at/benchTotal
		host, k := series/100, series%100
		instance := fmt.Sprintf("10.1.0.%d:9100", host)
		labels := []string{"__name__", fmt.Sprintf("node_memory_%02d_bytes", k), "cluster", "eu-west-1-production", "instance", instance, "job", "node-exporter"}
		if k < 64 {
			labels = []string{"__name__", "node_cpu_seconds_total", "cluster", "eu-west-1-production", "cpu", fmt.Sprint(k / 8), "instance", instance, "job", "node-exporter", "mode", fmt.Sprint("mode", k%8)}
		}
		t, v := 1_700_000_000_000+15_000*int64(round), float64(series%977)*float64(round+1)/4
		if version == 1 {
			ts := prompb.TimeSeries{Samples: []prompb.Sample{{Timestamp: t, Value: v}}}
			for l := 0; l < len(labels); l += 2 {
				ts.Labels = append(ts.Labels, prompb.Label{Name: labels[l], Value: labels[l+1]})
			}
			v1.Timeseries = append(v1.Timeseries, ts)
			continue
		}
		ts := writev2.TimeSeries{Samples: []writev2.Sample{{Timestamp: t, Value: v}}}
		for _, text := range labels {
			ts.LabelsRefs = append(ts.LabelsRefs, symbols.Symbolize(text))
		}
		v2.Timeseries = append(v2.Timeseries, ts)
	}
	var m proto.Message = &v1
	if version == 2 {
		v2.Symbols = symbols.Symbols()
		m = &v2
	}
	raw, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return snappy.Encode(nil, raw)
}
