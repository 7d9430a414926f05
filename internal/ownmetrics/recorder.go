package ownmetrics

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"metricd/internal/storage"
)

// Job is the value of the label job of all samples that a Recorder makes.
const Job = "metricd"

// Every is how often a Recorder takes the figures, unless it is told to at other times.
const Every = 15 * time.Second

// Recorder puts the figures of a registry into a store, as series that a Prometheus would make of them, with job="metricd". It is for one
// goroutine.
type Recorder struct {
	from prometheus.Gatherer
	app  storage.Appender
	log  *slog.Logger

	batch storage.Batch
	keys  []byte         // memory for those of the batch
	ls    storage.Labels // memory for those of a series

	grid time.Time // samples lie whole steps from here
}

// NewRecorder returns a Recorder of what from gathers into a store. log is told what goes wrong.
func NewRecorder(from prometheus.Gatherer, to storage.Store, log *slog.Logger) *Recorder {
	return &Recorder{from: from, app: to.Appender(), log: log}
}

// Run takes the figures now and every 15 seconds, until ctx is done, or the store closed.
func (r *Recorder) Run(ctx context.Context) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for well := true; ; {
		err := r.Record(time.Now())
		switch {
		case errors.Is(err, storage.ErrClosed):
			return
		case err != nil && well:
			r.log.Warn("not all of the server's own figures are kept", "err", err)
		}
		well = err == nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Record takes the figures as samples of the time now. Those that can't be had are left out, and so are series beyond the limit
// of the store.
func (r *Recorder) Record(now time.Time) error {
	families, missing := r.from.Gather()
	at := r.align(now).UnixMilli()
	r.batch.Rows, r.keys = r.batch.Rows[:0], r.keys[:0]
	for _, f := range families {
		for _, m := range f.GetMetric() {
			r.metric(f, m, at)
		}
	}
	_, err := r.app.Append(&r.batch)
	return errors.Join(missing, err)
}

// align returns now, or the time nearby at which a sample was due: equal steps take the least memory, and a ticker is some milliseconds late.
func (r *Recorder) align(now time.Time) time.Time {
	now = now.Round(0) // without the monotonic clock
	due := r.grid.Add(now.Sub(r.grid).Round(Every))
	if off := now.Sub(due).Abs(); r.grid.IsZero() || off > Every/30 {
		r.grid = now
		return now
	}
	return due
}

// metric adds the samples of one metric.
func (r *Recorder) metric(f *dto.MetricFamily, m *dto.Metric, at int64) {
	name := f.GetName()
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		r.sample(name, m, at, m.GetCounter().GetValue())
	case dto.MetricType_GAUGE:
		r.sample(name, m, at, m.GetGauge().GetValue())
	case dto.MetricType_UNTYPED:
		r.sample(name, m, at, m.GetUntyped().GetValue())
	case dto.MetricType_SUMMARY:
		s := m.GetSummary()
		for _, q := range s.GetQuantile() {
			r.sample(name, m, at, q.GetValue(), storage.Label{Name: "quantile", Value: bound(q.GetQuantile())})
		}
		r.total(name, m, at, s.GetSampleCount(), s.GetSampleSum())
	case dto.MetricType_HISTOGRAM:
		h := m.GetHistogram()
		for _, b := range h.GetBucket() {
			r.sample(name+"_bucket", m, at, float64(b.GetCumulativeCount()), storage.Label{Name: "le", Value: bound(b.GetUpperBound())})
		}
		if n := len(h.GetBucket()); n == 0 || !math.IsInf(h.GetBucket()[n-1].GetUpperBound(), 1) {
			r.sample(name+"_bucket", m, at, float64(h.GetSampleCount()), storage.Label{Name: "le", Value: "+Inf"})
		}
		r.total(name, m, at, h.GetSampleCount(), h.GetSampleSum())
	}
}

// bound is a bound or a quantile as Prometheus writes it to labels: always with a point or an exponent.
func bound(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") && !math.IsInf(v, 0) {
		s += ".0"
	}
	return s
}

func (r *Recorder) total(name string, m *dto.Metric, at int64, count uint64, sum float64) {
	r.sample(name+"_count", m, at, float64(count))
	r.sample(name+"_sum", m, at, sum)
}

// sample adds one sample, with the labels of m and these.
func (r *Recorder) sample(name string, m *dto.Metric, at int64, v float64, more ...storage.Label) {
	ls := append(r.ls[:0], storage.Label{Name: storage.MetricName, Value: name}, storage.Label{Name: "job", Value: Job})
	for _, l := range m.GetLabel() {
		ls = append(ls, storage.Label{Name: l.GetName(), Value: l.GetValue()})
	}
	r.ls = append(ls, more...)
	set, _ := storage.NewLabels(r.ls...) // all have names
	start := len(r.keys)
	r.keys = storage.AppendKey(r.keys, set)
	r.batch.Rows = append(r.batch.Rows, storage.Row{Key: r.keys[start:len(r.keys):len(r.keys)], T: at, V: v})
}
