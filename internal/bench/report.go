package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Report is what Run found out.
type Report struct {
	Config    Config   `json:"config"` // with every default filled in
	LatencyOf string   `json:"latency_of,omitempty"`
	Results   []Result `json:"results"` // of each run
	Figures   []Figure `json:"figures"` // over all runs
}

// Empty says whether the server answered nothing at all, so that there is nothing to report.
func (r *Report) Empty() bool {
	return !slices.ContainsFunc(r.Results, func(x Result) bool { return x.Acknowledged > 0 || x.Errors > 0 })
}

// Result is what one run of a workload gave.
type Result struct {
	Prefix string `json:"prefix"` // of the keys

	// Acknowledged counts, in units of Unit, what the server answered as it should; for
	// getall the rows of the replies, those of keys that were there before included.
	Unit         string  `json:"unit"`
	Acknowledged int64   `json:"acknowledged"`
	Seconds      float64 `json:"seconds"`
	PerSecond    float64 `json:"per_second"`

	Errors     int64  `json:"errors"` // requests refused or answered wrongly
	FirstError string `json:"first_error,omitempty"`

	Latency *Latency `json:"latency,omitempty"`
	Server  *Server  `json:"server,omitempty"` // with a PID only

	// ClientCPU is the CPU time of this process, user and system, in seconds per million units.
	ClientCPU float64 `json:"client_cpu_seconds_per_million"`

	ReadBack int64 `json:"read_back"` // samples got of those that were put, and found equal
}

// Latency holds percentiles and the maximum in microseconds, exact to three digits.
type Latency struct {
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	Max  float64 `json:"max_us"`
}

// Server is what the server's process used between the first request and the last reply.
type Server struct {
	CPU       float64 `json:"cpu_seconds_per_million"` // user and system, per million units
	RSSBefore int64   `json:"rss_before"`              // bytes resident
	RSSAfter  int64   `json:"rss_after"`

	// Growth of the bytes resident, divided; 0 where that says nothing.
	RSSPerSample     float64 `json:"rss_bytes_per_sample,omitempty"`
	RSSPerSeries     float64 `json:"rss_bytes_per_series,omitempty"`
	RSSPerConnection float64 `json:"rss_bytes_per_connection,omitempty"`
}

// Figure is one measured quantity over all runs.
type Figure struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// figures returns the quantities of one run, each with its value as the median.
func (r *Result) figures() []Figure {
	const us, perMillion, bytes = "us", "CPU s/M", "bytes"
	var list []Figure
	add := func(name, unit string, v float64) { list = append(list, Figure{Name: name, Unit: unit, Median: v}) }
	add("acknowledged", r.Unit+"/s", r.PerSecond)
	if l := r.Latency; l != nil {
		add("latency p50", us, l.P50)
		add("latency p99", us, l.P99)
		add("latency p99.9", us, l.P999)
		add("latency max", us, l.Max)
	}
	if s := r.Server; s != nil {
		add("server", perMillion, s.CPU)
		add("server RSS before", "MB", float64(s.RSSBefore)/1e6)
		add("server RSS after", "MB", float64(s.RSSAfter)/1e6)
		for _, growth := range []struct {
			name  string
			bytes float64
		}{{"a sample", s.RSSPerSample}, {"a series", s.RSSPerSeries}, {"a connection", s.RSSPerConnection}} {
			if growth.bytes != 0 {
				add("server RSS growth "+growth.name, bytes, growth.bytes)
			}
		}
	}
	add("generator", perMillion, r.ClientCPU)
	return list
}

// summarise returns the median and the extremes of each quantity over results. The median
// of an even number of runs is the mean of the middle two.
func summarise(results []Result) []Figure {
	var names []string
	units := map[string]string{}
	values := map[string][]float64{}
	for i := range results {
		for _, f := range results[i].figures() {
			if values[f.Name] == nil {
				names = append(names, f.Name)
				units[f.Name] = f.Unit
			}
			values[f.Name] = append(values[f.Name], f.Median)
		}
	}
	figures := make([]Figure, 0, len(names))
	for _, name := range names {
		v := values[name]
		slices.Sort(v)
		n := len(v)
		figures = append(figures, Figure{name, units[name], (v[(n-1)/2] + v[n/2]) / 2, v[0], v[n-1]})
	}
	return figures
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	r.writeHead(&b)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, f := range r.Figures {
		fmt.Fprintf(table, "%s\t%s\t", f.Name, number(f.Median))
		if len(r.Results) > 1 {
			fmt.Fprintf(table, "%s ..\t%s\t", number(f.Min), number(f.Max))
		}
		fmt.Fprintf(table, " %s\n", f.Unit)
	}
	table.Flush()
	if r.LatencyOf != "" {
		fmt.Fprintf(&b, "latency is of %s\n", r.LatencyOf)
	}
	var readBack, errors int64
	var first string
	for _, result := range r.Results {
		readBack += result.ReadBack
		if errors += result.Errors; first == "" {
			first = result.FirstError
		}
	}
	fmt.Fprintf(&b, "%s samples read back and equal, %s errors\n", grouped(readBack), grouped(errors))
	if first != "" {
		fmt.Fprintf(&b, "first error: %s\n", first)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeHead prints what was run.
func (r *Report) writeHead(b *strings.Builder) {
	c := &r.Config
	fmt.Fprintf(b, "%s against %s: ", c.Workload, c.Addr)
	if c.Series > 0 {
		fmt.Fprintf(b, "%s series x %s samples, ", grouped(int64(c.Series)), grouped(int64(c.Samples)))
	}
	if c.Requests > 0 {
		fmt.Fprintf(b, "%s gets, ", grouped(int64(c.Requests)))
	}
	fmt.Fprintf(b, "connections %s, seed %d", grouped(int64(c.Connections)), c.Seed)
	if n := len(r.Results); n > 1 {
		fmt.Fprintf(b, "; median, min .. max of %d runs", n)
	}
	b.WriteByte('\n')
}

// number prints v with three digits at least, and groups of three in large ones.
func number(v float64) string {
	switch {
	case v >= 1000 || v <= -1000:
		return grouped(int64(math.Round(v)))
	case v >= 10 || v <= -10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// grouped prints n with a comma before each group of three digits.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
