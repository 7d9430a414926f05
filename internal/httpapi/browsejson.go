package httpapi

import "strconv"

// children writes {"children":[…],"after":"…"}.
func (j *jsonWriter) children(all []pageChild, after string) {
	j.buf = append(j.buf, `{"children":[`...)
	for i := range all {
		c := &all[i]
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		j.buf = appendText(append(j.buf, `{"name":`...), c.Segment)
		j.buf = appendText(append(j.buf, `,"path":`...), c.path)
		j.buf = strconv.AppendInt(append(j.buf, `,"metric":`...), int64(c.Metric), 10)
		j.buf = strconv.AppendInt(append(j.buf, `,"below":`...), int64(c.Below), 10)
		if len(c.series) > 0 {
			j.buf = append(j.buf, `,"series":`...)
			j.pageSeries(c.series)
		}
		j.buf = append(j.buf, '}')
		if !j.more() {
			return
		}
	}
	j.buf = append(j.buf, ']')
	j.after(after)
}

// seriesList writes {"series":[…],"total":n,"after":"…"}.
func (j *jsonWriter) seriesList(all []pageSeries, total int, after string) {
	j.buf = append(j.buf, `{"series":`...)
	j.pageSeries(all)
	j.buf = strconv.AppendInt(append(j.buf, `,"total":`...), int64(total), 10)
	j.after(after)
}

// after writes the end of an answer.
func (j *jsonWriter) after(after string) {
	if after != "" {
		j.buf = appendText(append(j.buf, `,"after":`...), after)
	}
	j.buf = append(j.buf, '}')
}

// pageSeries writes [{"key":…,"labels":…,"first":ms,"last":ms,"value":"…","points":[[ms,"…"],…]},…].
func (j *jsonWriter) pageSeries(all []pageSeries) {
	j.buf = append(j.buf, '[')
	for i := range all {
		s := &all[i]
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		j.buf = appendText(append(j.buf, `{"key":`...), s.key)
		j.buf = append(j.buf, `,"labels":{`...)
		for k, l := range s.labels {
			j.label(k == 0, l.Name, l.Value)
		}
		j.buf = append(j.buf, '}')
		if n := len(s.points); n > 0 {
			last := s.points[n-1]
			j.buf = strconv.AppendInt(append(j.buf, `,"first":`...), s.points[0].t, 10)
			j.buf = strconv.AppendInt(append(j.buf, `,"last":`...), last.t, 10)
			j.buf = appendValue(append(j.buf, `,"value":`...), last.v)
		}
		j.buf = append(j.buf, `,"points":[`...)
		for k, p := range s.points {
			if k > 0 {
				j.buf = append(j.buf, ',')
			}
			j.buf = append(strconv.AppendInt(append(j.buf, '['), p.t, 10), ',')
			j.buf = append(appendValue(j.buf, p.v), ']')
		}
		if j.buf = append(j.buf, "]}"...); !j.more() {
			return
		}
	}
	j.buf = append(j.buf, ']')
}
