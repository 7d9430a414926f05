package remotewrite

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// fleet returns the series of hosts that run node_exporter: cpu seconds by core and mode, and others; n of them.
func fleet(n int) []sent {
	modes := []string{"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"}
	all := make([]sent, 0, n)
	for i := range n {
		host, k := i/100, i%100
		l := []string{"__name__", "node_cpu_seconds_total", "cluster", "eu-west-1-production", "cpu", fmt.Sprint(k / 8), "instance", fmt.Sprintf("10.1.%d.%d:9100", host/250, host%250), "job", "node-exporter", "mode", modes[k%8]}
		if k >= 64 {
			l = []string{"__name__", fmt.Sprintf("node_memory_%02d_bytes", k), "cluster", "eu-west-1-production", "instance", l[7], "job", "node-exporter"}
		}
		all = append(all, sent{labels: l, samples: make([]sampleAt, 1)})
	}
	return all
}

// rounds returns bodies with samples of all series, one each, every 15 s: size samples a body.
func rounds(v version, all []sent, size, rounds int) (bodies [][]byte) {
	for round := range rounds {
		for first := 0; first < len(all); first += size {
			some := all[first:min(first+size, len(all))]
			for i := range some {
				some[i].samples[0] = sampleAt{1_700_000_000_000 + 15_000*int64(round), float64((first+i)%977) * float64(round+1) / 4}
			}
			if v == version1 {
				bodies = append(bodies, pack(encode1(some...)))
			} else {
				bodies = append(bodies, pack(encode2(some...)))
			}
		}
	}
	return bodies
}

type replay struct {
	r      *Receiver
	header http.Header
	w      discard
}

func newReplay(store storage.Store, v version) *replay {
	return &replay{r: New(Options{Store: store}), header: headers(v), w: discard{h: http.Header{}}}
}

func (p *replay) send(body []byte) int {
	clear(p.w.h)
	req := &http.Request{Method: "POST", Header: p.header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body))}
	p.r.ServeHTTP(&p.w, req)
	return p.w.status
}

type discard struct {
	h      http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

func headers(v version) http.Header {
	h := http.Header{"Content-Encoding": {"snappy"}, "Content-Type": {"application/x-protobuf"}}
	if v == version2 {
		h.Set("Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request")
	}
	return h
}

// BenchmarkReceive stores samples of 10,000 known series, without the network. cpu-s/M are seconds of processor time a million samples.
func BenchmarkReceive(b *testing.B) {
	for _, v := range []version{version1, version2} {
		for _, size := range []int{500, 2000} {
			for _, where := range []string{"none", "memory", "disk"} {
				b.Run(fmt.Sprintf("v%d/%d/%s", v, size, where), func(b *testing.B) { benchReceive(b, v, size, where) })
			}
		}
	}
}

func benchReceive(b *testing.B, v version, size int, where string) {
	const series = 10_000
	bodies := rounds(v, fleet(series), size, 2+b.N*size/series) // time goes on: no sample comes twice
	first := series / size                                      // bodies in which all series are new
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
	p := newReplay(store, v)
	for _, body := range bodies[:first] {
		if status := p.send(body); status != http.StatusNoContent {
			b.Fatal(status)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	used := cpuTime(b)
	for i := range b.N {
		p.send(bodies[first+i])
	}
	b.ReportMetric((cpuTime(b)-used).Seconds()*1e6/float64(b.N*size), "cpu-s/M")
	b.ReportMetric(float64(len(bodies[0]))/float64(size), "B/sample")
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

// cpuTime returns the processor time that this process has taken.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
