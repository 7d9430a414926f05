// Package top turns what a server tells of itself into what a person watches: a screen that is drawn anew, or a line at a time. It takes two
// readings of the server's /metrics, and what its GET /api/page/top says of connections and series, and returns text; it knows no network, terminal or
// clock.
package top

import (
	"fmt"
	"io"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Reading is what /metrics said at one time.
type Reading struct {
	at       time.Time
	families map[string]*dto.MetricFamily
}

// Read reads the text of /metrics, which is of the time at. What is no server's of ours is an error.
func Read(text io.Reader, at time.Time) (*Reading, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return nil, err
	}
	if families["metricd_build_info"] == nil {
		return nil, fmt.Errorf("there is no metricd_build_info in it")
	}
	return &Reading{at, families}, nil
}

// value returns the sum of all of one name whose labels are those, names and values in turn; of a histogram or a summary, of how much was seen.
func (r *Reading) value(name string, labels ...string) (sum float64) {
	for _, m := range r.families[name].GetMetric() {
		if !has(m, labels) {
			continue
		}
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue() +
			float64(m.GetHistogram().GetSampleCount()) + float64(m.GetSummary().GetSampleCount())
	}
	return sum
}

func has(m *dto.Metric, labels []string) bool {
	for i := 0; i < len(labels); i += 2 {
		if labelOf(m, labels[i]) != labels[i+1] {
			return false
		}
	}
	return true
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// version returns the version of the server.
func (r *Reading) version() string {
	return labelOf(r.families["metricd_build_info"].GetMetric()[0], "version")
}

// since returns when the server's process began; zero where it does not say.
func (r *Reading) since() time.Time {
	start := r.value("process_start_time_seconds")
	if start == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(start * 1000))
}

// bytesPerSample returns the bytes on disk a sample, 0 without any.
func (r *Reading) bytesPerSample() float64 {
	if samples := r.value("metricd_storage_samples"); samples > 0 {
		return r.value("metricd_storage_disk_bytes") / samples
	}
	return 0
}

// change is what happened from one reading to the next.
type change struct {
	from, to *Reading // from is nil if there is none, or if the server was started anew since
	seconds  float64
}

// newChange returns the change between readings; from may be nil.
func newChange(from, to *Reading) change {
	c := change{from, to, 0}
	if from != nil {
		c.seconds = to.at.Sub(from.at).Seconds()
		if to.since() != from.since() || c.seconds <= 0 {
			c.from = nil
		}
	}
	return c
}

// known says whether there are rates.
func (c change) known() bool { return c.from != nil }

// rate returns how much a counter grew, a second.
func (c change) rate(name string, labels ...string) float64 {
	return max(c.to.value(name, labels...)-c.from.value(name, labels...), 0) / c.seconds
}

// sync returns the mean time of syncs of the log, and a bound on 99 of 100 of them, in seconds; none says that there was no sync.
func (c change) sync() (mean, slow float64, none bool) {
	const name = "metricd_storage_log_sync_duration_seconds"
	to, from := histogram(c.to, name), histogram(c.from, name)
	count := float64(to.GetSampleCount()) - float64(from.GetSampleCount())
	if count <= 0 {
		return 0, 0, true
	}
	mean = (to.GetSampleSum() - from.GetSampleSum()) / count
	before := map[float64]uint64{}
	for _, b := range from.GetBucket() {
		before[b.GetUpperBound()] = b.GetCumulativeCount()
	}
	for _, b := range to.GetBucket() {
		if slow = b.GetUpperBound(); float64(b.GetCumulativeCount()-before[slow]) >= 0.99*count {
			break
		}
	}
	return mean, slow, false
}

func histogram(r *Reading, name string) *dto.Histogram {
	for _, m := range r.families[name].GetMetric() {
		return m.GetHistogram()
	}
	return nil
}
