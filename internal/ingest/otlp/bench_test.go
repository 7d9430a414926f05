package otlp

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// field makes a field of its key and data.
func field(key byte, data []byte) []byte {
	return append(binary.AppendUvarint([]byte{key}, uint64(len(data))), data...)
}

// sink is a store that takes everything and keeps nothing.
type sink struct{ storage.Store }

func (sink) Appender() storage.Appender { return sinkAppender{} }

type sinkAppender struct{ storage.Appender }

func (sinkAppender) Append(b *storage.Batch) (storage.Seq, error) {
	for i := range b.Rows {
		b.Rows[i].Ref = 1
	}
	b.Refused = b.Refused[:0]
	return 1, nil
}

func (sinkAppender) Wait(context.Context, storage.Seq) error { return nil }

// export is what an SDK sends: 500 points, one each of 50 instruments' 10 series, as of the time given in s.
func export(t testing.TB, at int) []byte {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	for _, a := range [][2]string{
		{"service.name", "checkout"},
		{"service.namespace", "shop"},
		{"service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"},
		{"service.version", "1.4.2"},
		{"telemetry.sdk.language", "go"},
		{"telemetry.sdk.name", "opentelemetry"},
		{"telemetry.sdk.version", "1.47.0"},
		{"host.name", "node-17.eu-west-1.internal"},
	} {
		rm.Resource().Attributes().PutStr(a[0], a[1])
	}
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
	for i := range 50 {
		m := sm.Metrics().AppendEmpty()
		m.SetName(fmt.Sprintf("http.server.request.%02d", i))
		m.SetUnit("By")
		m.SetDescription("Size of HTTP server requests.")
		var points pmetric.NumberDataPointSlice
		if i%2 == 0 {
			points = m.SetEmptyGauge().DataPoints()
		} else {
			s := m.SetEmptySum()
			s.SetIsMonotonic(true)
			s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			points = s.DataPoints()
		}
		for j := range 10 {
			p := points.AppendEmpty()
			p.SetStartTimestamp(ns(1_700_000_000_000))
			p.SetTimestamp(ns(1_700_000_000_000 + 1000*int64(at)))
			p.SetDoubleValue(float64((i*j)%977) * float64(at) / 4)
			p.Attributes().PutStr("http.request.method", "GET")
			p.Attributes().PutStr("http.route", fmt.Sprintf("/api/v1/orders/%d", j))
			p.Attributes().PutInt("http.response.status_code", 200)
			p.Attributes().PutStr("network.protocol.version", "1.1")
		}
	}
	return encode(t, md)
}

type discard struct {
	h      http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

type replay struct {
	r      *Receiver
	header http.Header
	w      discard
}

func newReplay(store storage.Store, f format) *replay {
	return &replay{r: New(Options{Store: store}), header: http.Header{"Content-Type": {types[f]}}, w: discard{h: http.Header{}}}
}

func (p *replay) send(body []byte) int {
	clear(p.w.h)
	req := &http.Request{Method: "POST", Header: p.header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body))}
	p.r.ServeHTTP(&p.w, req)
	return p.w.status
}

// TestAllocations: known series cost no allocation a sample.
func TestAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	p := newReplay(sink{}, inProtobuf)
	b := export(t, 1)
	p.send(b)
	if got := testing.AllocsPerRun(20, func() { p.send(b) }); got > 20 {
		t.Errorf("%v allocations for 500 samples", got)
	}
}

// BenchmarkReceive stores exports of one SDK, without the network. cpu-s/M are seconds of processor time a million samples.
func BenchmarkReceive(b *testing.B) {
	for name, f := range map[string]format{"protobuf": inProtobuf, "json": inJSON} {
		for _, where := range []string{"none", "memory", "disk"} {
			b.Run(name+"/"+where, func(b *testing.B) { benchReceive(b, f, where) })
		}
	}
}

func benchReceive(b *testing.B, f format, where string) {
	const exports = 64
	var bodies [exports][]byte
	for i := range bodies {
		if bodies[i] = export(b, i); f == inJSON {
			bodies[i] = asJSON(b, bodies[i])
		}
	}
	var store storage.Store = sink{}
	var o tsdb.Options
	if where == "disk" {
		o.Dir = b.TempDir()
	}
	if where != "none" {
		db, err := tsdb.Open(o)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		store = db
	}
	p := newReplay(store, f)
	if status := p.send(bodies[0]); status != http.StatusOK {
		b.Fatal(status)
	}
	b.ReportAllocs()
	b.ResetTimer()
	used := cpuTime(b)
	for i := range b.N {
		p.send(bodies[i%exports])
	}
	b.ReportMetric((cpuTime(b)-used).Seconds()*1e6/float64(b.N*500), "cpu-s/M")
	b.ReportMetric(float64(len(bodies[0]))/500, "B/sample")
}

// cpuTime returns the processor time that this process has taken.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
