package servers

import (
	"fmt"
	"testing"

	"github.com/gogo/protobuf/proto"
	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"golang.org/x/sync/errgroup"
)

const (
	type1 = "application/x-protobuf"
	type2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

const (
	perRequest = 2000   // samples; Prometheus' default for max_samples_per_send
	nodeSeries = 10_000 // of 100 hosts
	senders    = 4      // connections
)

// BenchmarkRemoteWrite measures how servers receive samples of 10,000 series of node_exporter over four connections, in requests
// as Prometheus sends them: an op is one of each connection, with 2,000 samples. cpu-s/M are seconds of processor time a
// million samples, from the start of the process to its end in order; -benchtime 300x are 2.4 million.
func BenchmarkRemoteWrite(b *testing.B) {
	for _, p := range processes(b) {
		for version, contentType := range []string{1: type1, 2: type2} {
			if contentType != "" {
				b.Run(fmt.Sprintf("%s/v%d", p.name, version), func(b *testing.B) { p.receive(b, version, contentType) })
			}
		}
	}
}

func (p *process) receive(b *testing.B, version int, contentType string) {
	bodies := make([][]byte, senders*b.N)
	for i := range bodies {
		bodies[i] = nodes(version, i)
	}
	p.dir = b.TempDir()
	p.start(b)
	b.ResetTimer()
	for i := range b.N {
		var sending errgroup.Group
		for _, body := range bodies[senders*i : senders*(i+1)] {
			sending.Go(func() error { return p.write(contentType, body) })
		}
		if err := sending.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	used := p.stop(b)
	b.ReportMetric(used.Seconds()*1e6/float64(b.N*senders*perRequest), "cpu-s/M")
}

// nodes returns the n-th request: a sample of each of the next series, 15 s after the one before.
func nodes(version, n int) []byte {
	var v1 prompb.WriteRequest
	var v2 writev2.Request
	symbols := writev2.NewSymbolTable()
	for i := range perRequest {
		at := n*perRequest + i
		series, round := at%nodeSeries, at/nodeSeries
		t, v := 1_700_000_000_000+15_000*int64(round), float64(series%977)*float64(round+1)/4
		labels := nodeLabels(series)
		if version == 1 {
			v1.Timeseries = append(v1.Timeseries, prompb.TimeSeries{Labels: pairs(labels), Samples: []prompb.Sample{{Timestamp: t, Value: v}}})
			continue
		}
		ts := writev2.TimeSeries{Samples: []writev2.Sample{{Timestamp: t, Value: v}}}
		for _, text := range labels {
			ts.LabelsRefs = append(ts.LabelsRefs, symbols.Symbolize(text))
		}
		v2.Timeseries = append(v2.Timeseries, ts)
	}
	if version == 1 {
		return pack(&v1)
	}
	v2.Symbols = symbols.Symbols()
	return pack(&v2)
}

// nodeLabels returns the labels of a series, name and value in turn, ascending.
func nodeLabels(series int) []string {
	host, k := series/100, series%100
	instance := fmt.Sprintf("10.1.0.%d:9100", host)
	if k < 64 {
		return []string{"__name__", "node_cpu_seconds_total", "cluster", "eu-west-1-production", "cpu", fmt.Sprint(k / 8), "instance", instance, "job", "node-exporter", "mode", fmt.Sprint("mode", k%8)}
	}
	return []string{"__name__", fmt.Sprintf("node_memory_%02d_bytes", k), "cluster", "eu-west-1-production", "instance", instance, "job", "node-exporter"}
}

func pairs(texts []string) (all []prompb.Label) {
	for i := 0; i < len(texts); i += 2 {
		all = append(all, prompb.Label{Name: texts[i], Value: texts[i+1]})
	}
	return all
}

func pack(m proto.Message) []byte {
	raw, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return snappy.Encode(nil, raw)
}
