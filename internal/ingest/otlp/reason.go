package otlp

import (
	"errors"
	"fmt"
	"strings"

	"metricd/internal/storage"
)

// reason is why a data point was refused for good: sending it again would not help.
type reason uint8

const (
	taken reason = iota // not refused

	// By the store.
	tooOld
	timeRange
	seriesLimit
	memoryLimit
	otherRefusal

	// By its metric.
	delta
	noTemporality
	badName

	// By its labels.
	badAttribute
	notUTF8
	longLabels

	exponential
	manyBuckets

	reasons     // how many there are
	undecodable // the message is broken: that is said of all, not of one point
	storeIsFull // not for good
	nothing     // there is no such series, and none is missed
)

// words say what each reason is, in answers.
var words = [reasons]string{
	tooOld:        "older than the retention",
	timeRange:     "time out of range",
	seriesLimit:   "series limit reached",
	memoryLimit:   "memory limit reached",
	otherRefusal:  "refused by the store",
	delta:         "delta temporality: only cumulative is stored (OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative)",
	noTemporality: "no aggregation temporality",
	badName:       "a metric name of which nothing is left as a name of Prometheus",
	badAttribute:  "an attribute name of which nothing is left as a label name of Prometheus",
	notUTF8:       "an attribute that is not UTF-8",
	longLabels:    "labels too long",
	exponential:   "exponential histogram: only its _count and _sum are stored",
	manyBuckets:   "more than 1,024 buckets or quantiles",
}

// slugs name the reasons in Stats.
var slugs = [reasons]string{
	tooOld:        "too_old",
	timeRange:     "time_range",
	seriesLimit:   "series_limit",
	memoryLimit:   "memory_limit",
	otherRefusal:  "store",
	delta:         "delta",
	noTemporality: "no_temporality",
	badName:       "invalid_name",
	badAttribute:  "invalid_attribute",
	notUTF8:       "not_utf8",
	longLabels:    "long_labels",
	exponential:   "exponential_histogram",
	manyBuckets:   "many_buckets",
}

// reasonOf returns what stands for err, with which a store refused a row.
func reasonOf(err error) reason {
	switch {
	case errors.Is(err, storage.ErrReadOnly):
		return storeIsFull
	case errors.Is(err, storage.ErrTooOld):
		return tooOld
	case errors.Is(err, storage.ErrTimeRange):
		return timeRange
	case errors.Is(err, storage.ErrSeriesLimit):
		return seriesLimit
	case errors.Is(err, storage.ErrMemoryLimit):
		return memoryLimit
	}
	return otherRefusal
}

// refusals counts what was refused of one request.
type refusals struct {
	points int
	n      [reasons]int    // points
	first  [reasons]string // the first of each
	info   string          // why target_info was not stored, with the first; it is not the sender's, and does not count
}

// add counts a point of a series, at t ms.
func (r *refusals) add(why reason, series []byte, t int64) {
	r.points++
	if r.n[why]++; r.n[why] == 1 {
		r.first[why] = example(series, t)
	}
}

// addInfo takes note of a sample of target_info.
func (r *refusals) addInfo(why reason, series []byte, t int64) {
	if r.info == "" {
		r.info = fmt.Sprintf("; target_info is not stored: %s (the first: %s)", words[why], example(series, t))
	}
}

// example says which sample was refused.
func example(series []byte, t int64) string {
	const most = 120 // bytes of the series: SDKs log the message
	text := string(series)
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%s at %d ms", strings.ToValidUTF8(text, "�"), t)
}

// any says whether anything was refused.
func (r *refusals) any() bool { return r.points > 0 || r.info != "" }

// String returns one line for the sender.
func (r *refusals) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "refused for good: %d data points; the others are stored", r.points)
	for why, n := range r.n {
		if n > 0 {
			fmt.Fprintf(&b, "; %d: %s (the first: %s)", n, words[why], r.first[why])
		}
	}
	return b.String() + r.info
}
