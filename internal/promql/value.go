package promql

import (
	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/stats"
)

// What a Result holds, as Prometheus' engine gives it. Times are milliseconds since the Unix epoch. There are no native
// histograms in a Store, so those of Sample and Series are always nil.
type (
	// Value is a Vector, a Matrix, a Scalar or a String; Type returns which: vector, matrix, scalar or string.
	Value = parser.Value
	// Vector is one sample a series, all at the time of the query, in no particular order unless the expression sorts.
	Vector = prom.Vector
	// Sample is one series of a Vector: Metric, T, F.
	Sample = prom.Sample
	// Matrix is many samples a series, ordered by labels.
	Matrix = prom.Matrix
	// Series is one series of a Matrix: Metric, Floats.
	Series = prom.Series
	// FPoint is one sample of a Series: T, F.
	FPoint = prom.FPoint
	// Scalar is a number: T, V.
	Scalar = prom.Scalar
	// String is a text: T, V.
	String = prom.String
	// Labels is a label set. Range walks over it in order of names.
	Labels = labels.Labels
	// Label is a name and its value.
	Label = labels.Label
	// Stats are the figures of a query; encoding/json prints them as Prometheus' API does.
	Stats = stats.QueryStats
)
