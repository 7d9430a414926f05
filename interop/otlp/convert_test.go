package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	promstorage "github.com/prometheus/prometheus/storage"
	prw "github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"metricd/internal/ingest/otlp"
	"metricd/internal/storage"
)

// keeper is a store that keeps rows as texts: key, time in ms, bits of the value. It is Options.Metadata, too.
type keeper struct {
	storage.Store
	rows []string
	told map[string]string
}

func (k *keeper) Appender() storage.Appender { return appender{k: k} }

func (k *keeper) Tell(metric []byte, kind string, help, unit []byte) {
	k.told[string(metric)] = tell(kind, string(help), string(unit))
}

func tell(kind, help, unit string) string { return kind + "|" + help + "|" + unit }

type appender struct {
	storage.Appender
	k *keeper
}

func (a appender) Wait(context.Context, storage.Seq) error { return nil }

func (a appender) Append(b *storage.Batch) (storage.Seq, error) {
	for i := range b.Rows {
		b.Rows[i].Ref = 1
		a.k.rows = append(a.k.rows, row(b.Rows[i].Key, b.Rows[i].T, b.Rows[i].V))
	}
	b.Refused = b.Refused[:0]
	return 1, nil
}

func row(key []byte, t int64, v float64) string {
	return fmt.Sprintf("%s %d %x", key, t, math.Float64bits(v))
}

// collector is a storage of Prometheus that keeps rows as texts.
type collector struct {
	rows, infos []string // of data points, and of target_info
	told        map[string]string
}

func (c *collector) Commit() error   { return nil }
func (c *collector) Rollback() error { return nil }

func (c *collector) Append(_ promstorage.SeriesRef, ls labels.Labels, _, t int64, v float64, _ *histogram.Histogram, _ *histogram.FloatHistogram, o promstorage.AppendV2Options) (promstorage.SeriesRef, error) {
	var all []storage.Label
	ls.Range(func(l labels.Label) { all = append(all, storage.Label{Name: l.Name, Value: l.Value}) })
	set, _ := storage.NewLabels(all...)
	text := row(storage.AppendKey(nil, set), t, v)
	if o.Metadata.Help == "Target metadata" {
		c.infos = append(c.infos, text)
	} else {
		c.rows = append(c.rows, text)
	}
	c.told[o.MetricFamilyName] = tell(string(o.Metadata.Type), o.Metadata.Help, o.Metadata.Unit)
	return 0, nil
}

// convert returns what Prometheus' converter makes of md with the defaults of its configuration.
func convert(md pmetric.Metrics) (*collector, error) {
	c := &collector{told: map[string]string{}}
	d := config.DefaultOTLPConfig
	_, err := prw.NewPrometheusConverter(c).FromMetrics(context.Background(), md, prw.Settings{
		AddMetricSuffixes:                    d.TranslationStrategy.ShouldAddSuffixes(),
		AllowUTF8:                            !d.TranslationStrategy.ShouldEscape(),
		PromoteResourceAttributes:            prw.NewPromoteResourceAttributes(d),
		KeepIdentifyingResourceAttributes:    d.KeepIdentifyingResourceAttributes,
		ConvertHistogramsToNHCB:              d.ConvertHistogramsToNHCB,
		PromoteScopeMetadata:                 d.PromoteScopeMetadata,
		LookbackDelta:                        5 * time.Minute,
		LabelNameUnderscoreSanitization:      d.LabelNameUnderscoreSanitization,
		LabelNamePreserveMultipleUnderscores: d.LabelNamePreserveMultipleUnderscores,
	})
	return c, err
}

// expect returns what is to be stored of md and how many points are to be refused. Prometheus gives up a whole request for one wrong point, so
// it is asked for each point alone, and exponential histograms are given to it as those without a bucket.
func expect(md pmetric.Metrics) (want *collector, refused int) {
	want = &collector{told: map[string]string{}}
	all, err := convert(md)
	want.infos = all.infos
	exponential := false
	each(md, func(one pmetric.Metrics, native bool) {
		c, err := convert(one)
		if err != nil {
			refused++
			return
		}
		for name, told := range c.told {
			want.told[name] = told
		}
		if native {
			exponential = true
			stale := strings.HasSuffix(c.rows[0], "7ff0000000000002")
			if !stale {
				refused++
			}
			c.rows = c.rows[:len(c.rows)-1] // the bucket of all
		}
		want.rows = append(want.rows, c.rows...)
	})
	if err == nil && !exponential && !slices.Equal(want.rows, all.rows) {
		panic("BUG: points alone are other than points together")
	}
	if len(all.infos) > 0 {
		want.told["target_info"] = all.told["target_info"]
	}
	return want, refused
}

// each calls f with each point of md alone.
func each(md pmetric.Metrics, f func(one pmetric.Metrics, native bool)) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for i := range points(m) {
					one := pmetric.NewMetrics()
					r := one.ResourceMetrics().AppendEmpty()
					for _, name := range []string{"service.name", "service.namespace", "service.instance.id"} { // others may cost target_info
						if v, ok := rm.Resource().Attributes().Get(name); ok {
							v.CopyTo(r.Resource().Attributes().PutEmpty(name))
						}
					}
					to := r.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
					single(m, i, to)
					f(one, m.Type() == pmetric.MetricTypeExponentialHistogram)
				}
			}
		}
	}
}

func points(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	}
	return 0
}

// single makes to the metric m with its point i alone, without exemplars.
func single(m pmetric.Metric, i int, to pmetric.Metric) {
	to.SetName(m.Name())
	to.SetUnit(m.Unit())
	to.SetDescription(m.Description())
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		m.Gauge().DataPoints().At(i).CopyTo(to.SetEmptyGauge().DataPoints().AppendEmpty())
	case pmetric.MetricTypeSum:
		s := to.SetEmptySum()
		s.SetAggregationTemporality(m.Sum().AggregationTemporality())
		s.SetIsMonotonic(m.Sum().IsMonotonic())
		p := s.DataPoints().AppendEmpty()
		m.Sum().DataPoints().At(i).CopyTo(p)
		pmetric.NewExemplarSlice().CopyTo(p.Exemplars())
	case pmetric.MetricTypeHistogram:
		h := to.SetEmptyHistogram()
		h.SetAggregationTemporality(m.Histogram().AggregationTemporality())
		p := h.DataPoints().AppendEmpty()
		m.Histogram().DataPoints().At(i).CopyTo(p)
		pmetric.NewExemplarSlice().CopyTo(p.Exemplars())
	case pmetric.MetricTypeExponentialHistogram:
		h, from := to.SetEmptyHistogram(), m.ExponentialHistogram().DataPoints().At(i)
		h.SetAggregationTemporality(m.ExponentialHistogram().AggregationTemporality())
		p := h.DataPoints().AppendEmpty()
		from.Attributes().CopyTo(p.Attributes())
		p.SetTimestamp(from.Timestamp())
		p.SetCount(from.Count())
		p.SetFlags(from.Flags())
		if from.HasSum() {
			p.SetSum(from.Sum())
		}
	case pmetric.MetricTypeSummary:
		m.Summary().DataPoints().At(i).CopyTo(to.SetEmptySummary().DataPoints().AppendEmpty())
	}
}

// sender posts one message after the other to one receiver, which so comes to know series.
type sender struct {
	store *keeper
	r     *otlp.Receiver
}

func newSender() *sender {
	k := &keeper{}
	return &sender{k, otlp.New(otlp.Options{Store: k, Metadata: k})}
}

func (s *sender) send(kind string, message []byte, compress bool) *httptest.ResponseRecorder {
	s.store.rows, s.store.told = nil, map[string]string{}
	if compress {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(message)
		w.Close()
		message = b.Bytes()
	}
	req := httptest.NewRequest("POST", "/v1/metrics", bytes.NewReader(message))
	req.Header.Set("Content-Type", kind)
	if compress {
		req.Header.Set("Content-Encoding", "gzip")
	}
	w := httptest.NewRecorder()
	s.r.ServeHTTP(w, req)
	return w
}

const (
	protobuf = "application/x-protobuf"
	inJSON   = "application/json"
)

// answer decodes the answer as OpenTelemetry's own library does.
func answer(t *testing.T, w *httptest.ResponseRecorder, kind string) pmetricotlp.ExportPartialSuccess {
	t.Helper()
	res := pmetricotlp.NewExportResponse()
	decode := res.UnmarshalProto
	if kind == inJSON {
		decode = res.UnmarshalJSON
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("no JSON: %q", w.Body)
		}
	}
	if err := decode(w.Body.Bytes()); err != nil || w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind {
		t.Errorf("%d %s %q: %v", w.Code, w.Header().Get("Content-Type"), w.Body, err)
	}
	return res.PartialSuccess()
}

// compare compares what was stored with what Prometheus stores. target_info may come twice, with the same value.
func compare(t *testing.T, s *sender, partial pmetricotlp.ExportPartialSuccess, want *collector, refused int) {
	t.Helper()
	var got, infos []string
	for _, r := range s.store.rows {
		if strings.HasPrefix(r, "target_info;") && slices.Contains(want.infos, r) && !slices.Contains(want.rows, r) {
			infos = append(infos, r)
		} else {
			got = append(got, r)
		}
	}
	if !slices.Equal(got, want.rows) {
		t.Errorf("stored\n\t%s\nPrometheus stores\n\t%s", strings.Join(got, "\n\t"), strings.Join(want.rows, "\n\t"))
	}
	for _, l := range []*[]string{&infos, &want.infos} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	if !slices.Equal(infos, want.infos) {
		t.Errorf("stored of target_info\n\t%s\nPrometheus stores\n\t%s", strings.Join(infos, "\n\t"), strings.Join(want.infos, "\n\t"))
	}
	words := partial.ErrorMessage()
	if partial.RejectedDataPoints() != int64(refused) || refused > 0 && words == "" || refused == 0 && words != "" && !strings.Contains(words, "target_info is not stored") {
		t.Errorf("%d refused, want %d: %q", partial.RejectedDataPoints(), refused, words)
	}
	if fmt.Sprint(s.store.told) != fmt.Sprint(want.told) {
		t.Errorf("told %q, Prometheus %q", s.store.told, want.told)
	}
}

// TestConvert: random metrics become what Prometheus' own converter makes of them, sample by sample, in both formats, and
// again when the series are known.
func TestConvert(t *testing.T) {
	log.SetOutput(io.Discard) // the converter's
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	s := newSender()
	r := rand.New(rand.NewPCG(1, 2))
	all, stored := 0, 0
	for i := range 2000 {
		b, err := pmetricotlp.NewExportRequestFromMetrics(metrics(r)).MarshalProto()
		if err != nil {
			t.Fatal(err)
		}
		request := pmetricotlp.NewExportRequest() // what is read of b: a -0 is lost in it
		if err := request.UnmarshalProto(b); err != nil {
			t.Fatal(err)
		}
		want, refused := expect(request.Metrics())
		all += len(want.rows) + refused
		stored += len(want.rows)
		j, err := request.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			w := s.send(protobuf, b, i%2 == 0)
			compare(t, s, answer(t, w, protobuf), want, refused)
		}
		w := s.send(inJSON, j, i%2 == 1)
		compare(t, s, answer(t, w, inJSON), want, refused)
		if t.Failed() {
			t.Fatalf("message %d: %s", i, j)
		}
	}
	if stored < 8_000 || stored == all {
		t.Errorf("only %d of %d samples were to be stored", stored, all)
	}
}
