package otlp

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"metricd/internal/storage"
)

// seeds are messages in protobuf.
func seeds(f *testing.F) [][]byte {
	all := message(f, func(all pmetric.MetricSlice) {
		gauge(all, "a.b", 1, 2).Gauge().DataPoints().At(0).Attributes().PutInt("n", 7)
		s := all.AppendEmpty()
		s.SetName("s")
		s.SetUnit("By/s")
		s.SetEmptySum().SetIsMonotonic(true)
		s.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		s.Sum().DataPoints().AppendEmpty().SetIntValue(-1)
		h := all.AppendEmpty()
		h.SetName("h")
		h.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		p := h.Histogram().DataPoints().AppendEmpty()
		p.SetSum(1)
		p.ExplicitBounds().FromRaw([]float64{1, 2})
		p.BucketCounts().FromRaw([]uint64{3, 4, 5})
		p.Attributes().PutEmptySlice("list").AppendEmpty().SetEmptyMap().PutStr("x", "y")
		e := all.AppendEmpty()
		e.SetName("e")
		e.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		e.ExponentialHistogram().DataPoints().AppendEmpty().SetFlags(1)
		q := all.AppendEmpty()
		q.SetName("q")
		q.SetEmptySummary().DataPoints().AppendEmpty().QuantileValues().AppendEmpty().SetValue(7)
	})
	return [][]byte{all, up(f), nil, {0x0a, 0}}
}

// keeper is a store that keeps rows as texts.
type keeper struct {
	sink
	rows []string
}

func (k *keeper) Appender() storage.Appender { return keeperAppender{k: k} }

type keeperAppender struct {
	sinkAppender
	k *keeper
}

func (a keeperAppender) Append(b *storage.Batch) (storage.Seq, error) {
	for _, r := range b.Rows {
		a.k.rows = append(a.k.rows, fmt.Sprintf("%s %d %x", r.Key, r.T, math.Float64bits(r.V)))
		if !storage.ValidKey(r.Key) {
			panic(fmt.Sprintf("BUG: key %q", r.Key))
		}
	}
	return a.sinkAppender.Append(b)
}

// check posts a message twice, to a receiver that does not know its series and then does: the answers and what is stored are the
// same, and none is 500.
func check(t *testing.T, kind string, message []byte) (status int, stored []string) {
	store := &keeper{}
	r := New(Options{Store: store, Cache: 1 << 20})
	first := post(r, kind, message)
	stored, store.rows = store.rows, nil
	again := post(r, kind, message)
	if first.Code != again.Code || first.Body.String() != again.Body.String() {
		t.Errorf("%d %q, then %d %q", first.Code, first.Body, again.Code, again.Body)
	}
	if got := store.rows; !slices.Equal(got, stored) {
		t.Errorf("stored\n\t%s\nthen\n\t%s", strings.Join(stored, "\n\t"), strings.Join(got, "\n\t"))
	}
	switch first.Code {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		if len(stored) > 0 {
			t.Errorf("%d, and stored %q", first.Code, stored)
		}
	default:
		t.Errorf("%d %s", first.Code, first.Body)
	}
	return first.Code, stored
}

// FuzzProtobuf: what pdata reads is taken, and as it writes it again it is the same.
func FuzzProtobuf(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		status, stored := check(t, types[inProtobuf], message)
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(message)
		if err != nil {
			return // what is not needed is not looked at
		}
		if status != http.StatusOK {
			t.Fatalf("%d for a message that pdata reads", status)
		}
		if _, again := check(t, types[inProtobuf], encode(t, md)); !slices.Equal(stored, again) {
			t.Errorf("stored\n\t%s\nas pdata writes it\n\t%s", strings.Join(stored, "\n\t"), strings.Join(again, "\n\t"))
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(asJSON(f, b))
	}
	f.Add([]byte(`{"resourceMetrics":[null,{"scopeMetrics":[{"metrics":[{"name":"x","gauge":null},{"sum":{"dataPoints":[null]}}]}]}]}`))
	f.Fuzz(func(t *testing.T, message []byte) { check(t, types[inJSON], message) })
}
