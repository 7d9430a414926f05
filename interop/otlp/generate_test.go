package otlp

import (
	"math"
	"math/rand/v2"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

var (
	nameParts = []string{"http", "server", "duration", ".", "_", "__", "-", " ", "total", "ratio", "seconds", "bytes", "1", "9", "ä", "日", ":", "/", "\"", "", "a", "per_second", "=", ";"}
	units     = []string{"", "1", "s", "ms", "By", "By/s", "{requests}", "{requests}/s", "%", "Cel", "KiBy/min", "m/s", "/s", "s/", "odd unit", "__", "a_/b_", "ä", "1/s", "x/y/z"}
	keys      = []string{"host", "host.name", "host_name", "host-name", "service.name", "job", "instance", "le", "quantile", "__name__", "..name..", "1st", "_private", "__x__", "___", "", "ä", "a b", "Key", "otel_scope_name", "."}
	texts     = []string{"", "a", "b c", "ü;=%41", "x\ny", "日本", `"`, "100%", "*"}
	numbers   = []float64{0, 1, -1, 0.5, 1e300, 1e-300, math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), 12345.678, 1e21}
)

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

func some(r *rand.Rand, parts []string, most int) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteString(pick(r, parts))
	}
	return b.String()
}

// value makes v any value.
func value(r *rand.Rand, v pcommon.Value, depth int) {
	switch r.IntN(12) {
	case 0:
		v.SetInt(r.Int64() - r.Int64())
	case 1:
		v.SetDouble(pick(r, numbers[:6])) // those beyond have no JSON in a list
	case 2:
		v.SetBool(r.IntN(2) == 0)
	case 3:
		v.SetEmptyBytes().FromRaw([]byte{0, 1, 0xff}[:r.IntN(4)])
	case 4:
		if depth < 3 {
			s := v.SetEmptySlice()
			for range r.IntN(3) {
				value(r, s.AppendEmpty(), depth+1)
			}
		}
	case 5:
		if depth < 3 {
			m := v.SetEmptyMap()
			for range r.IntN(3) {
				value(r, m.PutEmpty(pick(r, texts)), depth+1)
			}
		}
	case 6:
	default:
		v.SetStr(pick(r, texts))
	}
}

func attributes(r *rand.Rand, m pcommon.Map, most int) {
	for range r.IntN(most + 1) {
		k := pick(r, keys)
		if (k == "" || k == "___" || k == ".") && r.IntN(10) > 0 { // they cost the point
			k = some(r, nameParts, 4) + "x"
		}
		value(r, m.PutEmpty(k), 0)
	}
}

const now = 1_700_000_000_000_000_000

func at(r *rand.Rand) pcommon.Timestamp {
	switch r.IntN(40) {
	case 0:
		return pcommon.Timestamp(math.MaxUint64 - uint64(r.IntN(1e9)))
	case 1:
		return now + 400e9
	}
	return now + pcommon.Timestamp(r.Int64N(2e9))
}

// metrics makes any metrics.
func metrics(r *rand.Rand) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for range r.IntN(3) {
		rm := md.ResourceMetrics().AppendEmpty()
		resourceOf(r, rm.Resource().Attributes())
		for range r.IntN(3) {
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().SetName(pick(r, texts))
			sm.Scope().SetVersion("1")
			sm.SetSchemaUrl(pick(r, texts))
			attributes(r, sm.Scope().Attributes(), 2)
			for range r.IntN(6) {
				oneMetric(r, sm.Metrics().AppendEmpty())
			}
		}
	}
	return md
}

func resourceOf(r *rand.Rand, m pcommon.Map) {
	for _, k := range []string{"service.name", "service.namespace", "service.instance.id"} {
		if r.IntN(3) > 0 {
			value(r, m.PutEmpty(k), 1)
		}
	}
	if r.IntN(3) > 0 {
		attributes(r, m, 5)
	}
}

func temporality(r *rand.Rand) pmetric.AggregationTemporality {
	if r.IntN(8) > 0 {
		return pmetric.AggregationTemporalityCumulative
	}
	return pmetric.AggregationTemporality(r.IntN(4))
}

func oneMetric(r *rand.Rand, m pmetric.Metric) {
	m.SetName(some(r, nameParts, 5))
	m.SetUnit(pick(r, units))
	m.SetDescription(pick(r, texts))
	n := r.IntN(4)
	switch r.IntN(8) {
	case 0:
	case 1, 2:
		numbersOf(r, m.SetEmptyGauge().DataPoints(), n)
	case 3, 4:
		s := m.SetEmptySum()
		s.SetAggregationTemporality(temporality(r))
		s.SetIsMonotonic(r.IntN(2) == 0)
		numbersOf(r, s.DataPoints(), n)
	case 5:
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(temporality(r))
		for range n {
			histogramPoint(r, h.DataPoints().AppendEmpty())
		}
	case 6:
		h := m.SetEmptyExponentialHistogram()
		h.SetAggregationTemporality(temporality(r))
		for range n {
			p := h.DataPoints().AppendEmpty()
			attributes(r, p.Attributes(), 4)
			p.SetTimestamp(at(r))
			p.SetCount(r.Uint64N(1000))
			if r.IntN(3) > 0 {
				p.SetSum(pick(r, numbers))
			}
			p.SetScale(int32(r.IntN(20) - 6))
			p.Positive().BucketCounts().FromRaw([]uint64{1, 2, 3})
			p.SetFlags(flags(r))
		}
	case 7:
		for range n {
			summaryPoint(r, m.SetEmptySummary().DataPoints().AppendEmpty())
		}
	}
}

func flags(r *rand.Rand) pmetric.DataPointFlags {
	return pmetric.DefaultDataPointFlags.WithNoRecordedValue(r.IntN(6) == 0)
}

func numbersOf(r *rand.Rand, all pmetric.NumberDataPointSlice, n int) {
	for range n {
		p := all.AppendEmpty()
		attributes(r, p.Attributes(), 6)
		p.SetTimestamp(at(r))
		p.SetStartTimestamp(at(r))
		switch r.IntN(5) {
		case 0:
		case 1:
			p.SetIntValue(r.Int64() - r.Int64())
		default:
			p.SetDoubleValue(pick(r, numbers))
		}
		p.SetFlags(flags(r))
		for range r.IntN(2) {
			e := p.Exemplars().AppendEmpty()
			e.SetDoubleValue(1)
			e.FilteredAttributes().PutStr("trace", "x")
		}
	}
}

func histogramPoint(r *rand.Rand, p pmetric.HistogramDataPoint) {
	attributes(r, p.Attributes(), 4)
	p.SetTimestamp(at(r))
	p.SetCount(r.Uint64N(1000))
	if r.IntN(3) > 0 {
		p.SetSum(pick(r, numbers))
	}
	if r.IntN(3) == 0 {
		p.SetMin(1)
		p.SetMax(2)
	}
	for range r.IntN(5) {
		p.ExplicitBounds().Append(pick(r, numbers))
	}
	for range r.IntN(6) {
		p.BucketCounts().Append(r.Uint64N(100))
	}
	p.SetFlags(flags(r))
	if r.IntN(3) == 0 {
		p.Exemplars().AppendEmpty().SetIntValue(1)
	}
}

func summaryPoint(r *rand.Rand, p pmetric.SummaryDataPoint) {
	attributes(r, p.Attributes(), 4)
	p.SetTimestamp(at(r))
	p.SetCount(r.Uint64N(1000))
	p.SetSum(pick(r, numbers))
	for range r.IntN(4) {
		q := p.QuantileValues().AppendEmpty()
		q.SetQuantile(pick(r, numbers))
		q.SetValue(pick(r, numbers))
	}
	p.SetFlags(flags(r))
}
