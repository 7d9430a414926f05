package otlp

import (
	"encoding/binary"

	"github.com/prometheus/otlptranslator"
)

// maxNames is how many names of metrics a work remembers, and maxName how many bytes each may have for that.
const (
	maxNames = 4096
	maxName  = 512
)

// family is what a metric is to Prometheus.
type family struct {
	name  string // without _bucket and such
	bytes []byte // the same
	kind  string // as Metadata has it
	unit  []byte
}

// names remembers families by what senders tell of them. The zero value is ready; it is for one goroutine.
type names struct {
	known map[string]*family
	key   []byte // of the metric at hand: its type, its unit with its length, its name
}

var metricNamer = otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)

// types are, by kind, the types of metrics.
var metricTypes = map[uint64]string{
	kindGauge: "gauge", kindSum: "gauge", kindHistogram: "histogram", kindExponential: "histogram", kindSummary: "summary",
}

// get returns the family of a metric. The reason is why there is none.
func (n *names) get(d *metric, maxKey int) (*family, reason) {
	kind := byte(d.kind)
	if d.monotonic {
		kind |= 0x80
	}
	n.key = binary.AppendUvarint(append(n.key[:0], kind), uint64(len(d.unit)))
	n.key = append(append(n.key, d.unit...), d.name...)
	if f, ok := n.known[string(n.key)]; ok {
		return f, taken
	}
	if len(n.key) > maxKey {
		return nil, longLabels
	}
	f, why := newFamily(d)
	if why == taken && len(n.key) <= maxName {
		if len(n.known) >= maxNames || n.known == nil {
			n.known = make(map[string]*family)
		}
		n.known[string(n.key)] = f
	}
	return f, why
}

func newFamily(d *metric) (*family, reason) {
	m := otlptranslator.Metric{Name: string(d.name), Unit: string(d.unit)}
	kind := metricTypes[d.kind]
	switch {
	case d.kind == kindGauge:
		m.Type = otlptranslator.MetricTypeGauge
	case d.monotonic:
		m.Type = otlptranslator.MetricTypeMonotonicCounter
		kind = "counter"
	} // other types don't show in the name
	name, err := metricNamer.Build(m)
	if err != nil {
		return nil, badName
	}
	unit := (&otlptranslator.UnitNamer{}).Build(m.Unit)
	return &family{name, []byte(name), kind, []byte(unit)}, taken
}
