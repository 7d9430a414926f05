package otlp

import (
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// message makes a request of one resource, service.name=shop and host.name=a, with the metrics that f adds.
func message(t testing.TB, f func(all pmetric.MetricSlice)) []byte {
	t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	rm.Resource().Attributes().PutStr("host.name", "a")
	f(rm.ScopeMetrics().AppendEmpty().Metrics())
	return encode(t, md)
}

func encode(t testing.TB, md pmetric.Metrics) []byte {
	t.Helper()
	b, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asJSON(t testing.TB, message []byte) []byte {
	t.Helper()
	md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(message)
	if err != nil {
		t.Fatal(err)
	}
	b, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// gauge adds a gauge with a point at each of the times, in ms.
func gauge(all pmetric.MetricSlice, name string, times ...int64) pmetric.Metric {
	m := all.AppendEmpty()
	m.SetName(name)
	m.SetEmptyGauge()
	for _, ms := range times {
		p := m.Gauge().DataPoints().AppendEmpty()
		p.SetTimestamp(ns(ms))
		p.SetDoubleValue(1)
	}
	return m
}

// up is a request with one point.
func up(t testing.TB) []byte {
	return message(t, func(all pmetric.MetricSlice) { gauge(all, "up", 1000) })
}

// wide is a request with n series of one point each.
func wide(t testing.TB, n int) []byte {
	return message(t, func(all pmetric.MetricSlice) {
		m := gauge(all, "wide")
		for i := range n {
			p := m.Gauge().DataPoints().AppendEmpty()
			p.SetTimestamp(ns(1000))
			p.Attributes().PutStr("n", fmt.Sprint(i))
		}
	})
}
