package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"metricd"
	"metricd/client"
	"metricd/internal/ingest/otlp"
	"metricd/internal/storage"
)

// provider returns OpenTelemetry's SDK, which sends to url when it is flushed.
func provider(t *testing.T, url string, opts ...otlpmetrichttp.Option) *sdk.MeterProvider {
	t.Helper()
	exporter, err := otlpmetrichttp.New(t.Context(), append(opts, otlpmetrichttp.WithEndpointURL(url))...)
	if err != nil {
		t.Fatal(err)
	}
	p := sdk.NewMeterProvider(sdk.WithReader(sdk.NewPeriodicReader(exporter, sdk.WithInterval(time.Hour))), sdk.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "checkout"), attribute.String("service.namespace", "shop"), attribute.String("service.instance.id", "one"), attribute.String("host.name", "a"))))
	t.Cleanup(func() { _ = p.Shutdown(context.WithoutCancel(t.Context())) }) // it sends once more, to nobody
	return p
}

// instruments records 7 with a counter, 3.5 with a gauge and 0.2 with a histogram.
func instruments(t *testing.T, p *sdk.MeterProvider) {
	t.Helper()
	m := p.Meter("test")
	counter, err1 := m.Int64Counter("orders", metric.WithUnit("{order}"))
	gauge, err2 := m.Float64Gauge("queue.size", metric.WithUnit("By"))
	histogram, err3 := m.Float64Histogram("latency", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 1))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 7, metric.WithAttributes(attribute.String("http.route", "/a b")))
	gauge.Record(t.Context(), 3.5)
	histogram.Record(t.Context(), 0.2)
}

// TestSDK: what OpenTelemetry's SDK sends to a server, by both paths and with and without gzip, is there for get.
func TestSDK(t *testing.T) {
	for path, c := range map[string]otlpmetrichttp.Compression{"/v1/metrics": otlpmetrichttp.NoCompression, "/api/v1/otlp/v1/metrics": otlpmetrichttp.GzipCompression} {
		s, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx) }()
		p := provider(t, fmt.Sprintf("http://%s%s", s.HTTPAddr(), path), otlpmetrichttp.WithCompression(c))
		instruments(t, p)
		if err := p.ForceFlush(ctx); err != nil {
			t.Error(err)
		}
		reader, err := client.Dial(ctx, s.Addr().String(), client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		const of = ";instance=one;job=shop/checkout"
		for key, want := range map[string]float64{
			"orders_total;http_route=/a%20b" + of: 7, "queue_size_bytes" + of: 3.5, "target_info;host_name=a" + of: 1,
			"latency_seconds_sum" + of: 0.2, "latency_seconds_count" + of: 1, "latency_seconds_bucket;le=0.1" + of: 0, "latency_seconds_bucket;le=1" + of: 1, "latency_seconds_bucket;le=+Inf" + of: 1,
		} {
			samples, err := reader.Get(ctx, key)
			if err != nil || len(samples) != 1 || samples[0].Value != want || time.Since(samples[0].Time) > time.Minute {
				t.Errorf("%s: get %s: %v, %v; want %v", path, key, samples, err, want)
			}
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
		stop()
		if err := errors.Join(<-served, s.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestPartialSuccess: the SDK tells what was refused, and does not send it again.
func TestPartialSuccess(t *testing.T) {
	store := &keeper{told: map[string]string{}}
	server := httptest.NewServer(otlp.New(otlp.Options{Store: store, Metadata: store}))
	defer server.Close()
	p := provider(t, server.URL, otlpmetrichttp.WithTemporalitySelector(func(k sdk.InstrumentKind) metricdata.Temporality {
		if k == sdk.InstrumentKindCounter {
			return metricdata.DeltaTemporality
		}
		return metricdata.CumulativeTemporality
	}))
	instruments(t, p)
	err := p.ForceFlush(t.Context())
	if err == nil || !strings.Contains(err.Error(), "1: delta temporality") || !strings.Contains(err.Error(), "(1 metric data points rejected)") {
		t.Errorf("the SDK says %v", err)
	}
	if n := store.series(); n != 7 { // the gauge, five of the histogram, target_info
		t.Errorf("rows of %d series stored: %q", n, store.rows)
	}
}

// series is how many series have rows. The SDK reads its instruments one after the other, perhaps in two milliseconds, and each has a target_info.
func (k *keeper) series() int {
	keys := map[string]bool{}
	for _, row := range k.rows {
		key, _, _ := strings.Cut(row, " ")
		keys[key] = true
	}
	return len(keys)
}

// full is a store that takes nothing the first times.
type full struct {
	keeper
	times atomic.Int32
}

type fullAppender struct {
	appender
	f *full
}

func (f *full) Appender() storage.Appender { return fullAppender{appender{k: &f.keeper}, f} }

func (a fullAppender) Append(b *storage.Batch) (storage.Seq, error) {
	if a.f.times.Add(-1) < 0 {
		return a.appender.Append(b)
	}
	b.Refused = b.Refused[:0]
	for i := range b.Rows {
		b.Refused = append(b.Refused, storage.Refusal{Row: i, Err: storage.ErrReadOnly})
	}
	return 0, nil
}

// TestRetry: the SDK sends again what was answered with 503, when Retry-After says so.
func TestRetry(t *testing.T) {
	store := &full{}
	store.times.Store(1)
	server := httptest.NewServer(otlp.New(otlp.Options{Store: store}))
	defer server.Close()
	p := provider(t, server.URL, otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: time.Minute}))
	instruments(t, p)
	start := time.Now()
	if err := p.ForceFlush(t.Context()); err != nil {
		t.Error(err)
	}
	if n := store.series(); n != 8 {
		t.Errorf("rows of %d series stored: %q", n, store.rows)
	}
	if took := time.Since(start); took < 4*time.Second {
		t.Errorf("sent again after %v, before Retry-After", took)
	}
}
