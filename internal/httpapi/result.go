package httpapi

import (
	"encoding/json"
	"strconv"

	"metricd/internal/promql"
	"metricd/internal/storage"
)

// queryData writes the data of the answer to a query: its type, its value, and its statistics if there are some.
func (j *jsonWriter) queryData(res *promql.Result) {
	j.buf = append(j.buf, `{"resultType":"`...)
	j.buf = append(j.buf, res.Value.Type()...)
	j.buf = append(j.buf, `","result":`...)
	switch v := res.Value.(type) {
	case promql.Matrix:
		j.matrix(v)
	case promql.Vector:
		j.vector(v)
	case promql.Scalar:
		j.buf = append(appendSeconds(append(j.buf, '['), v.T), `,"`...)
		j.buf = strconv.AppendFloat(j.buf, v.V, 'f', -1, 64)
		j.buf = append(j.buf, `"]`...)
	case promql.String:
		j.buf = append(appendSeconds(append(j.buf, '['), v.T), ',')
		j.buf = append(appendText(j.buf, v.V), ']')
	default:
		panic("BUG: a result of type " + res.Value.Type())
	}
	if res.Stats != nil {
		j.buf = append(j.buf, `,"stats":`...)
		j.value(res.Stats)
	}
	j.buf = append(j.buf, '}')
}

// appendSeconds appends the time of a scalar or a text, which Prometheus prints as a float64 of seconds.
func appendSeconds(dst []byte, ms int64) []byte {
	return strconv.AppendFloat(dst, float64(ms)/1000, 'f', -1, 64)
}

// matrix writes [series,…].
func (j *jsonWriter) matrix(m promql.Matrix) {
	j.buf = append(j.buf, '[')
	for i := range m {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		if j.series(&m[i]); !j.more() {
			return
		}
	}
	j.buf = append(j.buf, ']')
}

// series writes {"metric":labels,"values":[[1435781451.781,"1"],…]}.
func (j *jsonWriter) series(s *promql.Series) {
	j.buf = append(j.buf, `{"metric":`...)
	j.metric(s.Metric)
	for i, p := range s.Floats {
		if i == 0 {
			j.buf = append(j.buf, `,"values":[[`...)
		} else {
			j.buf = append(j.buf, ",["...)
		}
		j.buf = append(appendValue(append(appendTime(j.buf, p.T), ','), p.F), ']')
		if len(j.buf) >= chunkSize && !j.more() {
			return
		}
	}
	if len(s.Floats) > 0 {
		j.buf = append(j.buf, ']')
	}
	j.buf = append(j.buf, '}')
}

// vector writes [{"metric":labels,"value":[1435781451.781,"1"]},…].
func (j *jsonWriter) vector(v promql.Vector) {
	j.buf = append(j.buf, '[')
	for i := range v {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		j.buf = append(j.buf, `{"metric":`...)
		j.metric(v[i].Metric)
		j.buf = append(j.buf, `,"value":[`...)
		j.buf = append(appendValue(append(appendTime(j.buf, v[i].T), ','), v[i].F), "]}"...)
		if !j.more() {
			return
		}
	}
	j.buf = append(j.buf, ']')
}

// metric writes the label set of a result.
func (j *jsonWriter) metric(ls promql.Labels) {
	j.buf = append(j.buf, '{')
	first := true
	ls.Range(func(l promql.Label) {
		j.label(first, l.Name, l.Value)
		first = false
	})
	j.buf = append(j.buf, '}')
}

// labelSets writes a list of label sets.
func (j *jsonWriter) labelSets(sets []storage.Labels) {
	j.buf = append(j.buf, '[')
	for i, set := range sets {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		j.buf = append(j.buf, '{')
		for k, l := range set {
			j.label(k == 0, l.Name, l.Value)
		}
		j.buf = append(j.buf, '}')
		if !j.more() {
			return
		}
	}
	j.buf = append(j.buf, ']')
}

// label writes a label of a set.
func (j *jsonWriter) label(first bool, name, value string) {
	if !first {
		j.buf = append(j.buf, ',')
	}
	j.buf = append(appendString(j.buf, name), ':')
	j.buf = appendString(j.buf, value)
	j.more() // a set may be large
}

// texts writes a list of names or values, [] for none.
func (j *jsonWriter) texts(texts []string) {
	j.buf = append(j.buf, '[')
	for i, text := range texts {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		if j.buf = appendText(j.buf, text); !j.more() {
			return
		}
	}
	j.buf = append(j.buf, ']')
}

// value writes anything small by encoding/json.
func (j *jsonWriter) value(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	j.buf = append(j.buf, b...)
	j.more()
}
