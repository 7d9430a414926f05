package httpapi

import (
	"strings"
	"sync"
)

const (
	// maxMetadata is how many metrics' metadata are kept; those of further ones are not.
	maxMetadata = 20_000
	// maxMetric and maxText are how many bytes of a metric's name and of a help or unit are kept: what has a longer name
	// is left out, a longer text is cut.
	maxMetric = 512
	maxText   = 512
)

// metadata is what senders told of metrics: type, help and unit. It is in memory only, and bounded: 20,000 metrics
// with all texts at their longest take 36 MB. It is safe for concurrent use.
type metadata struct {
	mu struct {
		sync.RWMutex
		of map[string]metricMetadata // by the name of the metric
	}
}

// metricMetadata is what is known of one metric, as the API prints it.
type metricMetadata struct {
	Type string `json:"type"`
	Help string `json:"help"`
	Unit string `json:"unit"`
}

func newMetadata() *metadata {
	m := new(metadata)
	m.mu.of = make(map[string]metricMetadata)
	return m
}

// Tell keeps what is told of a metric; the last to tell wins. The bytes stay the caller's. Telling again what is known
// costs no memory, and waits for none but those who tell something new.
func (m *metadata) Tell(metric []byte, kind string, help, unit []byte) {
	if len(metric) == 0 || len(metric) > maxMetric || kind == "" {
		return
	}
	help, unit = help[:min(len(help), maxText)], unit[:min(len(unit), maxText)]
	m.mu.RLock()
	known, ok := m.mu.of[string(metric)]
	full := !ok && len(m.mu.of) >= maxMetadata
	m.mu.RUnlock()
	if full || ok && known.Type == kind && known.Help == validText(help) && known.Unit == validText(unit) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.mu.of[string(metric)]; !ok && len(m.mu.of) >= maxMetadata {
		return
	}
	m.mu.of[string(metric)] = metricMetadata{strings.Clone(kind), validText(help), validText(unit)}
}

// validText returns a text without what is not UTF-8, such as a character that was cut in two.
func validText(b []byte) string { return strings.ToValidUTF8(string(b), "") }

// find returns what is known of one metric.
func (m *metadata) find(metric string) (metricMetadata, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	known, ok := m.mu.of[metric]
	return known, ok
}

// names returns the metrics that something is known of, in no order.
func (m *metadata) names() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	names := make([]string, 0, len(m.mu.of))
	for name := range m.mu.of {
		names = append(names, name)
	}
	return names
}
