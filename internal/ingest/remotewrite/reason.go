package remotewrite

import (
	"errors"
	"fmt"
	"strings"

	"metricd/internal/storage"
)

// reason is why a sample or a histogram was refused for good: sending it again would not help.
type reason uint8

const (
	taken reason = iota // not refused

	// By the store.
	tooOld
	timeRange
	seriesLimit
	memoryLimit
	otherRefusal

	// By its labels.
	noName
	duplicateName
	invalidLabel
	longLabels
	badSymbol

	// Histograms.
	nativeHistogram
	badHistogram

	reasons     // how many there are
	undecodable // the message is broken: that is said of all, not of one sample
	storeIsFull // not for good
)

// words say what each reason is, in answers.
var words = [reasons]string{
	tooOld:          "older than the retention",
	timeRange:       "time out of range",
	seriesLimit:     "series limit reached",
	memoryLimit:     "memory limit reached",
	otherRefusal:    "refused by the store",
	noName:          "no label __name__",
	duplicateName:   "a label name twice",
	invalidLabel:    "a label without a name or not of UTF-8",
	longLabels:      "labels too long",
	badSymbol:       "labels_refs that name no symbol",
	nativeHistogram: "native histogram with exponential buckets: only its _count and _sum are stored",
	badHistogram:    "invalid histogram",
}

// slugs name the reasons in Stats.
var slugs = [reasons]string{
	tooOld:          "too_old",
	timeRange:       "time_range",
	seriesLimit:     "series_limit",
	memoryLimit:     "memory_limit",
	otherRefusal:    "store",
	noName:          "no_name",
	duplicateName:   "duplicate_label",
	invalidLabel:    "invalid_label",
	longLabels:      "long_labels",
	badSymbol:       "bad_symbol",
	nativeHistogram: "native_histogram",
	badHistogram:    "invalid_histogram",
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
	samples, histograms int
	n                   [reasons]int
	first               [reasons]string // the first of each
}

// add counts a sample or a histogram, and says whether it is the first that is refused for this reason.
func (r *refusals) add(why reason, histogram bool) (first bool) {
	if histogram {
		r.histograms++
	} else {
		r.samples++
	}
	r.n[why]++
	return r.n[why] == 1
}

// example says which sample was refused, at t ms.
func example(series string, t int64) string {
	const most = 120 // bytes of the series: senders log 1,024 of the answer
	if len(series) > most {
		series = strings.ToValidUTF8(series[:most], "") + "…"
	}
	return fmt.Sprintf("%s at %d ms", series, t)
}

func (r *refusals) any() bool { return r.samples+r.histograms > 0 }

// String returns one line for the sender.
func (r *refusals) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "refused for good: %d samples, %d histograms; the others are stored", r.samples, r.histograms)
	for why, n := range r.n {
		if n > 0 {
			fmt.Fprintf(&b, "; %d: %s (the first: %s)", n, words[why], r.first[why])
		}
	}
	return b.String()
}
