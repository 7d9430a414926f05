package top

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	dto "github.com/prometheus/client_model/go"
)

// Busiest is what GET /api/page/top says.
type Busiest struct {
	Seconds     float64
	Exact       bool
	Connections []struct {
		Protocol, Client         string
		Puts, Gets               float64
		ReceivedBytes, SentBytes float64
	}
	Series []struct {
		Key     string
		Samples float64
	}
}

// View is what a screen shows.
type View struct {
	Server   string   // its address
	From, To *Reading // From is the one before, nil if there is none; To is the newest, nil if there is none yet
	Busiest  *Busiest // nil: not known
	Problem  string   // why there is nothing newer; empty: all is well
	Now      time.Time
	Hint     string // how to end it

	Width, Height int // of the screen
}

// Lines returns the screen: at most Height lines of at most Width characters, without what ends lines.
func (v *View) Lines() []string {
	title := "metricd at " + v.Server
	if v.To != nil {
		title = fmt.Sprintf("metricd %s at %s", v.To.version(), v.Server)
		if since := v.To.since(); !since.IsZero() {
			title += ", up " + v.To.at.Sub(since).Round(time.Second).String()
		}
	}
	lines := []string{title + "   " + v.Now.Format("15:04:05") + "   " + v.Hint}
	if v.Problem != "" {
		lines = append(lines, "! "+v.Problem)
	}
	if v.To != nil {
		c := newChange(v.From, v.To)
		lines = append(lines, "")
		lines = append(lines, c.figures()...)
		lines = append(lines, "")
		lines = append(lines, c.requests()...)
		left := v.Height - len(lines)
		if v.Busiest != nil && left > 4 {
			lines = append(append(lines, ""), v.Busiest.connections((left-4)/2)...)
			left = v.Height - len(lines)
			lines = append(append(lines, ""), v.Busiest.series(left-2)...)
		}
	}
	lines = lines[:min(len(lines), max(v.Height, 1))]
	for i := range lines {
		lines[i] = cut(strings.TrimRight(lines[i], " "), v.Width)
	}
	return lines
}

// figures returns what there is but for requests and lists.
func (c change) figures() []string {
	r := c.to
	samples := fmt.Sprintf("samples      %s stored, %s series", count(r.value("metricd_storage_samples")), count(r.value("metricd_storage_series")))
	syncs, flushes, cpu := "-", count(r.value("metricd_storage_flush_duration_seconds")), ""
	if c.known() {
		samples += fmt.Sprintf("; %s/s taken, %s/s late, %s/s refused", number(c.rate("metricd_storage_samples_appended_total")),
			number(c.rate("metricd_storage_samples_late_total")), number(c.rate("metricd_storage_samples_refused_total")))
		if mean, slow, none := c.sync(); !none {
			syncs = fmt.Sprintf("%s/s, %s each, 99%% within %s", number(c.rate("metricd_storage_log_sync_duration_seconds")), span(mean), span(slow))
		} else {
			syncs = "none"
		}
		if n := c.rate("metricd_storage_flush_duration_seconds") * c.seconds; n > 0 {
			flushes += fmt.Sprintf(", %.0f of them just now", n)
		}
		cpu = fmt.Sprintf("; %.0f%% of a processor", 100*c.rate("process_cpu_seconds_total"))
	}
	disk := fmt.Sprintf("disk         %s, %.2f bytes a sample; log %s; flushes: %s", size(r.value("metricd_storage_disk_bytes")), r.bytesPerSample(),
		size(r.value("metricd_storage_log_bytes")), flushes)
	memory := fmt.Sprintf("memory       %s resident; samples and series %s", size(r.value("process_resident_memory_bytes")), size(r.value("metricd_storage_memory_bytes")))
	if limit := r.value("metricd_storage_memory_limit_bytes"); limit > 0 {
		memory += " of " + size(limit)
	}
	var conns []string
	for _, m := range r.families["metricd_connections"].GetMetric() {
		conns = append(conns, fmt.Sprintf("%s %s", count(m.GetGauge().GetValue()), labelOf(m, "protocol")))
	}
	lines := []string{samples, disk, "syncs        " + syncs, memory + cpu, "connections  " + strings.Join(conns, ", ")}
	if r.value("metricd_storage_read_only") > 0 {
		lines = append(lines, "! the disk is full: samples are refused")
	}
	if r.value("metricd_storage_failed") > 0 {
		lines = append(lines, "! the store has failed: the server's log says why")
	}
	return lines
}

// requests returns the table of requests by protocol and command: all that there ever were.
func (c change) requests() []string {
	const name, errors = "metricd_requests_total", "metricd_request_errors_total"
	lines := []string{fmt.Sprintf("%-14s%-10s%12s%16s%12s", "requests by", "", "a second", "in all", "errors")}
	metrics := slices.Clone(c.to.families[name].GetMetric())
	slices.SortFunc(metrics, func(a, b *dto.Metric) int {
		return cmp.Or(strings.Compare(labelOf(a, "protocol"), labelOf(b, "protocol")), strings.Compare(labelOf(a, "command"), labelOf(b, "command")))
	})
	last := ""
	for _, m := range metrics {
		protocol, command := labelOf(m, "protocol"), labelOf(m, "command")
		all := c.to.value(name, "protocol", protocol, "command", command)
		if all == 0 {
			continue
		}
		rate, failed := "-", ""
		if c.known() {
			rate = number(c.rate(name, "protocol", protocol, "command", command))
		}
		if protocol != last { // errors are not told by command
			failed = count(c.to.value(errors, "protocol", protocol))
		}
		last = protocol
		lines = append(lines, fmt.Sprintf("%-14s%-10s%12s%16s%12s", protocol, command, rate, count(all), failed))
	}
	return lines
}

// connections returns a table with at most so many rows.
func (b *Busiest) connections(most int) []string {
	lines := []string{fmt.Sprintf("%-34s%12s%12s%12s%12s", "busiest connections", "puts/s", "gets/s", "in/s", "out/s")}
	for _, c := range b.Connections[:min(len(b.Connections), most)] {
		lines = append(lines, fmt.Sprintf("%-34s%12s%12s%12s%12s", cut(c.Client+" "+c.Protocol, 33),
			number(c.Puts/b.Seconds), number(c.Gets/b.Seconds), size(c.ReceivedBytes/b.Seconds), size(c.SentBytes/b.Seconds)))
	}
	if len(b.Connections) == 0 {
		lines = append(lines, "none is at work")
	}
	return lines
}

// series returns a table with at most so many rows.
func (b *Busiest) series(most int) []string {
	lines := []string{fmt.Sprintf("%12s  %s", "samples/s", "busiest series")}
	if !b.Exact {
		lines[0] += " (estimated)"
	}
	for _, s := range b.Series[:min(len(b.Series), max(most, 0))] {
		lines = append(lines, fmt.Sprintf("%12s  %s", number(s.Samples/b.Seconds), s.Key))
	}
	switch {
	case len(b.Series) > 0:
	case b.Exact:
		lines = append(lines, fmt.Sprintf("%12s  none got a sample", ""))
	default:
		lines = append(lines, fmt.Sprintf("%12s  none stands out", ""))
	}
	return lines
}

// cut returns text as at most width characters, the last of which then says that there is more.
func cut(text string, width int) string {
	if width <= 0 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// count returns a whole number with its thousands apart.
func count(v float64) string { return humanize.Comma(int64(v)) }

// number returns a rate: a whole number, or a small one with a digit more.
func number(v float64) string {
	if v > 0 && v < 9.95 {
		return fmt.Sprintf("%.1f", v)
	}
	return count(v + 0.5)
}

func size(v float64) string { return humanize.IBytes(uint64(max(v, 0))) }

// span returns a number of seconds with three digits.
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	digits := time.Duration(1)
	for d/digits >= 1000 {
		digits *= 10
	}
	return d.Round(digits).String()
}
