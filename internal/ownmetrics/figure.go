package ownmetrics

import "github.com/prometheus/client_golang/prometheus"

// table is a collector of figures that are read together, from an S.
type table[S any] struct {
	read    func() S
	figures []figure[S]
}

// figure is one metric, or several of one name that differ in a label.
type figure[S any] struct {
	desc *prometheus.Desc
	send func(s *S, desc *prometheus.Desc, out chan<- prometheus.Metric)
}

// Describe implements prometheus.Collector.
func (t *table[S]) Describe(out chan<- *prometheus.Desc) {
	for i := range t.figures {
		out <- t.figures[i].desc
	}
}

// Collect implements prometheus.Collector.
func (t *table[S]) Collect(out chan<- prometheus.Metric) {
	s := t.read()
	for i := range t.figures {
		t.figures[i].send(&s, t.figures[i].desc, out)
	}
}

// fixed are labels of a figure: names and values in turn. Figures of one name have labels of the same names, and one help.
type fixed []string

func (l fixed) desc(name, help string, variable ...string) *prometheus.Desc {
	labels := prometheus.Labels{}
	for i := 0; i < len(l); i += 2 {
		labels[l[i]] = l[i+1]
	}
	return prometheus.NewDesc(name, help, variable, labels)
}

// counter is a figure that only grows.
func counter[S any](name, help string, of func(*S) int64, labels ...string) figure[S] {
	return number(prometheus.CounterValue, fixed(labels).desc(name, help), of)
}

// gauge is a figure that goes up and down.
func gauge[S any](name, help string, of func(*S) int64, labels ...string) figure[S] {
	return number(prometheus.GaugeValue, fixed(labels).desc(name, help), of)
}

func number[S any](kind prometheus.ValueType, desc *prometheus.Desc, of func(*S) int64) figure[S] {
	return figure[S]{desc, func(s *S, desc *prometheus.Desc, out chan<- prometheus.Metric) {
		out <- prometheus.MustNewConstMetric(desc, kind, float64(of(s)))
	}}
}

// counters are a counter for each entry of a map, whose key is the value of label.
func counters[S any](name, help, label string, of func(*S) map[string]int64, labels ...string) figure[S] {
	return figure[S]{fixed(labels).desc(name, help, label), func(s *S, desc *prometheus.Desc, out chan<- prometheus.Metric) {
		for key, n := range of(s) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), key)
		}
	}}
}
