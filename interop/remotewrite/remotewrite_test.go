package remotewrite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/golang/snappy"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/storage/remote"

	"metricd/internal/ingest/remotewrite"
	"metricd/internal/storage"
)

// keeper is a store that keeps rows as texts: key, time in ms, bits of the value.
type keeper struct {
	storage.Store
	rows []string
}

func (k *keeper) Appender() storage.Appender { return appender{k: k} }

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

// key returns the key of a label set, nil if it has no valid one.
func key(ls labels.Labels) []byte {
	if _, twice := ls.HasDuplicateLabelNames(); twice || ls.Get("__name__") == "" || !ls.IsValid(model.UTF8Validation) {
		return nil
	}
	var all []storage.Label
	size := 0
	ls.Range(func(l labels.Label) {
		all = append(all, storage.Label{Name: l.Name, Value: l.Value})
		size += len(l.Name) + len(l.Value)
	})
	set, ok := storage.NewLabels(all...)
	k := storage.AppendKey(nil, set)
	if !ok || size > 4096 || len(k) > 4096 {
		return nil
	}
	return k
}

// classic appends the rows of a native histogram, h or fh, as Prometheus converts it, and says whether they hold all of it.
func classic(rows []string, ls labels.Labels, at int64, float bool, h *histogram.Histogram, fh *histogram.FloatHistogram) ([]string, bool) {
	var native any = fh
	schema, count, sum := fh.Schema, fh.Count, fh.Sum
	if !float {
		native, schema, count, sum = h, h.Schema, float64(h.Count), h.Sum
	}
	if schema != histogram.CustomBucketsSchema {
		stale := value.IsStaleNaN(sum)
		if stale {
			count = sum
		}
		b, name := labels.NewBuilder(ls), ls.Get("__name__")
		rows = append(rows, row(key(b.Set("__name__", name+"_count").Labels()), at, count))
		return append(rows, row(key(b.Set("__name__", name+"_sum").Labels()), at, sum)), stale
	}
	all := rows
	err := histogram.ConvertNHCBToClassic(native, ls, labels.NewBuilder(labels.EmptyLabels()), func(ls labels.Labels, v float64) error {
		k := key(ls)
		if k == nil {
			return errors.New("no key")
		}
		all = append(all, row(k, at, v))
		return nil
	})
	if err != nil {
		return rows, false
	}
	return all, true
}

// send posts a message and returns what was stored, and the answer.
func send(contentType string, message []byte) ([]string, *httptest.ResponseRecorder) {
	store := &keeper{}
	r := remotewrite.New(remotewrite.Options{Store: store})
	req := httptest.NewRequest("POST", "/api/v1/write", bytes.NewReader(snappy.Encode(nil, message)))
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return store.rows, w
}

const (
	type1 = "application/x-protobuf"
	type2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

// FuzzVersion1: what Prometheus' own decoder reads is what is stored.
func FuzzVersion1(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		b, err := proto.Marshal(request1(r))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(check1)
}

func check1(t *testing.T, message []byte) {
	var req prompb.WriteRequest
	got, w := send(type1, message)
	if proto.Unmarshal(message, &req) != nil {
		if w.Code != http.StatusBadRequest {
			t.Errorf("%d for a message that Prometheus does not read", w.Code)
		}
		return
	}
	if bytes.Contains(w.Body.Bytes(), []byte("message is of the other version")) {
		return
	}
	b := labels.NewScratchBuilder(0)
	var want []string
	refused := false
	for _, ts := range req.Timeseries {
		ls := ts.ToLabels(&b, nil)
		k := key(ls)
		refused = refused || k == nil && len(ts.Samples)+len(ts.Histograms) > 0
		if k == nil {
			continue
		}
		for _, s := range ts.Samples {
			want = append(want, row(k, s.Timestamp, s.Value))
		}
		for _, h := range ts.Histograms {
			var whole bool
			want, whole = classic(want, ls, h.Timestamp, h.IsFloatHistogram(), h.ToIntHistogram(), h.ToFloatHistogram())
			refused = refused || !whole
		}
	}
	compare(t, w, got, want, refused)
}

// compare compares what was stored with what Prometheus reads. Samples and histograms of a series may come in any order.
func compare(t *testing.T, w *httptest.ResponseRecorder, got, want []string, refused bool) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d %s: stored\n%q, Prometheus reads\n%q", w.Code, w.Body, got, want)
	}
	if status := map[bool]int{false: http.StatusNoContent, true: http.StatusBadRequest}[refused]; w.Code != status {
		t.Errorf("%d %s, want %d", w.Code, w.Body, status)
	}
}

// FuzzVersion2 is FuzzVersion1 for the other message.
func FuzzVersion2(f *testing.F) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 20 {
		b, err := request2(r).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(check2)
}

func check2(t *testing.T, message []byte) {
	var req writev2.Request
	got, w := send(type2, message)
	if proto.Unmarshal(message, &req) != nil {
		if w.Code != http.StatusBadRequest {
			t.Errorf("%d for a message that Prometheus does not read", w.Code)
		}
		return
	}
	if bytes.Contains(w.Body.Bytes(), []byte("message is of the other version")) {
		return
	}
	b := labels.NewScratchBuilder(0)
	var want []string
	refused := false
	for _, ts := range req.Timeseries {
		ls, err := ts.ToLabels(&b, req.Symbols)
		if err != nil || key(ls) == nil {
			refused = refused || len(ts.Samples)+len(ts.Histograms) > 0
			continue
		}
		for _, s := range ts.Samples {
			want = append(want, row(key(ls), s.Timestamp, s.Value))
		}
		for _, h := range ts.Histograms {
			var whole bool
			want, whole = classic(want, ls, h.Timestamp, h.IsFloatHistogram(), h.ToIntHistogram(), h.ToFloatHistogram())
			refused = refused || !whole
		}
	}
	compare(t, w, got, want, refused)
}

// labelSet returns some labels, good ones mostly.
func labelSet(r *rand.Rand) labels.Labels {
	values := []string{"a", "", "b c", "é", "x;y=z", "%20", "a long value of more than thirty-two bytes", "\xff"}
	b := labels.NewBuilder(labels.FromStrings("__name__", []string{"up", "m.n", "a;b", ""}[r.IntN(8)%4]))
	for range r.IntN(6) {
		b.Set([]string{"host", "job", "le", "é", "a=b"}[r.IntN(5)], values[r.IntN(len(values))])
	}
	return b.Labels()
}

// custom returns a histogram with custom bounds, a good one mostly.
func custom(r *rand.Rand) *histogram.Histogram {
	h := &histogram.Histogram{Schema: histogram.CustomBucketsSchema, Sum: r.NormFloat64()}
	for i := range r.IntN(12) {
		h.CustomValues = append(h.CustomValues, float64(i*i)/4-1)
	}
	last := int64(0)
	for at := 0; at <= len(h.CustomValues); {
		offset, n := r.IntN(3), 1+r.IntN(3)
		if at += offset + n; at > len(h.CustomValues)+1 {
			break
		}
		h.PositiveSpans = append(h.PositiveSpans, histogram.Span{Offset: int32(offset), Length: uint32(n)})
		for range n {
			now := r.Int64N(1000)
			h.PositiveBuckets = append(h.PositiveBuckets, now-last)
			h.Count += uint64(now)
			last = now
		}
	}
	switch r.IntN(12) {
	case 0:
		h.Count++
	case 1:
		h.Sum = math.Float64frombits(value.StaleNaN)
	case 2:
		h.Schema = 2
	}
	return h
}

func request1(r *rand.Rand) *prompb.WriteRequest {
	req := &prompb.WriteRequest{}
	for range r.IntN(20) {
		ts := prompb.TimeSeries{Labels: prompb.FromLabels(labelSet(r), nil)}
		for range r.IntN(3) {
			ts.Samples = append(ts.Samples, prompb.Sample{Value: r.NormFloat64(), Timestamp: r.Int64() >> r.IntN(64)})
		}
		if r.IntN(3) == 0 {
			h := custom(r)
			ts.Histograms = append(ts.Histograms, prompb.FromIntHistogram(r.Int64(), h), prompb.FromFloatHistogram(-5, h.ToFloat(nil)))
			ts.Exemplars = append(ts.Exemplars, prompb.Exemplar{Labels: ts.Labels, Value: 1, Timestamp: 2})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	return req
}

func request2(r *rand.Rand) *writev2.Request {
	symbols := writev2.NewSymbolTable()
	req := &writev2.Request{}
	for range r.IntN(20) {
		ts := writev2.TimeSeries{LabelsRefs: symbols.SymbolizeLabels(labelSet(r), nil)}
		ts.Metadata = writev2.Metadata{Type: writev2.Metadata_MetricType(r.IntN(8)), HelpRef: symbols.Symbolize("some help"), UnitRef: symbols.Symbolize("")}
		for range r.IntN(3) {
			ts.Samples = append(ts.Samples, writev2.Sample{Value: r.NormFloat64(), Timestamp: r.Int64() >> r.IntN(64), StartTimestamp: r.Int64N(2)})
		}
		if r.IntN(3) == 0 {
			h := custom(r)
			ts.Histograms = append(ts.Histograms, writev2.FromIntHistogram(r.Int64N(2), r.Int64(), h), writev2.FromFloatHistogram(0, -5, h.ToFloat(nil)))
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	req.Symbols = symbols.Symbols()
	return req
}

// TestRequests: what Prometheus' encoders write is stored as its decoders and its conversion to classic histograms have it, and what its client reads
// of the answer is true.
func TestRequests(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		b1, err := proto.Marshal(request1(r))
		if err != nil {
			t.Fatal(err)
		}
		b2, err := request2(r).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		check1(t, b1)
		check2(t, b2)
	}
}

// TestClient: Prometheus' client takes the answers for what they are.
func TestClient(t *testing.T) {
	store := &keeper{}
	srv := httptest.NewServer(remotewrite.New(remotewrite.Options{Store: store}))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []remoteapi.WriteMessageType{remoteapi.WriteV1MessageType, remoteapi.WriteV2MessageType} {
		c, err := remote.NewWriteClient("test", &remote.ClientConfig{URL: &config.URL{URL: u}, Timeout: model.Duration(10 * time.Second), WriteProtoMsg: version})
		if err != nil {
			t.Fatal(err)
		}
		good, bad := labels.FromStrings("__name__", "up", "job", "a"), labels.FromStrings("job", "a")
		for _, ls := range [][]labels.Labels{{good}, {good, bad}} {
			store.rows = nil
			rs, err := c.Store(t.Context(), snappy.Encode(nil, encode(t, version, ls...)), 0)
			if rs.Samples != 1 || rs.Histograms != 1 || rs.Exemplars != 0 || !rs.Confirmed {
				t.Errorf("%s: written %+v", version, rs)
			}
			var again remote.RecoverableError
			if len(ls) == 1 && err != nil || len(ls) == 2 && (err == nil || errors.As(err, &again)) {
				t.Errorf("%s: %v", version, err)
			}
			if len(store.rows) != 1+5 {
				t.Errorf("%s: stored %q", version, store.rows)
			}
		}
	}
}

// encode returns a request with a sample and a histogram of each series.
func encode(t *testing.T, version remoteapi.WriteMessageType, all ...labels.Labels) []byte {
	h := &histogram.Histogram{Schema: histogram.CustomBucketsSchema, Count: 3, Sum: 4, CustomValues: []float64{1, 2}, PositiveSpans: []histogram.Span{{Offset: 1, Length: 1}}, PositiveBuckets: []int64{3}}
	var b []byte
	var err error
	if version == remoteapi.WriteV1MessageType {
		req := &prompb.WriteRequest{}
		for _, ls := range all {
			l := prompb.FromLabels(ls, nil)
			req.Timeseries = append(req.Timeseries, prompb.TimeSeries{Labels: l, Samples: []prompb.Sample{{Value: 1, Timestamp: 2}}}, prompb.TimeSeries{Labels: l, Histograms: []prompb.Histogram{prompb.FromIntHistogram(3, h)}})
		}
		b, err = proto.Marshal(req)
	} else {
		symbols := writev2.NewSymbolTable()
		req := &writev2.Request{}
		for _, ls := range all {
			l := symbols.SymbolizeLabels(ls, nil)
			req.Timeseries = append(req.Timeseries, writev2.TimeSeries{LabelsRefs: l, Samples: []writev2.Sample{{Value: 1, Timestamp: 2}}}, writev2.TimeSeries{LabelsRefs: l, Histograms: []writev2.Histogram{writev2.FromIntHistogram(0, 3, h)}})
		}
		req.Symbols = symbols.Symbols()
		b, err = req.Marshal()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}
