package ownmetrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"metricd/internal/ingest/graphite"
	"metricd/internal/ingest/influx"
	"metricd/internal/ingest/otlp"
	"metricd/internal/ingest/remotewrite"
	"metricd/internal/lineserver"
)

// Names that several protocols share, with their help.
const (
	conns, connsHelp       = "metricd_connections", "Connections that are open."
	maxConns, maxConnsHelp = "metricd_connections_limit", "Connections that may be open at once."
	accepted, acceptedHelp = "metricd_connections_accepted_total", "Connections that were served."
	rejected, rejectedHelp = "metricd_connections_rejected_total", "Connections that were closed since there were as many as allowed."
	requests, requestsHelp = "metricd_requests_total", "Requests that were answered, with an error or without; for Graphite, lines that were read."
	errs, errsHelp         = "metricd_request_errors_total", "Requests that were answered with an error, by what was wrong, or the status over HTTP; for Graphite, lines that were not stored."
	received, receivedHelp = "metricd_received_bytes_total", "Bytes that came in; for protocols over HTTP those of bodies, for InfluxDB's after decompression."
	panics, panicsHelp     = "metricd_panics_total", "Connections that ended by a panic. Each is a bug; the log says which."
)

// Lines returns a collector of what the line protocol's server did.
func Lines(read func() lineserver.Stats) prometheus.Collector {
	type S = lineserver.Stats
	line := []string{"protocol", "line"}
	return &table[S]{read, []figure[S]{
		gauge(conns, connsHelp, func(s *S) int64 { return s.Conns }, line...),
		gauge(maxConns, maxConnsHelp, func(s *S) int64 { return s.MaxConns }, line...),
		counter(accepted, acceptedHelp, func(s *S) int64 { return s.Accepted }, line...),
		counter(rejected, rejectedHelp, func(s *S) int64 { return s.Rejected }, line...),
		counter("metricd_connections_stalled_total", "Connections that were closed since the client read none of its replies for the write timeout.", func(s *S) int64 { return s.Stalled }, line...),
		counter(panics, panicsHelp, func(s *S) int64 { return s.Panics }, line...),
		counter(requests, requestsHelp, func(s *S) int64 { return s.Puts }, "protocol", "line", "command", "put"),
		counter(requests, requestsHelp, func(s *S) int64 { return s.Gets }, "protocol", "line", "command", "get"),
		counter(requests, requestsHelp, func(s *S) int64 { return s.Malformed }, "protocol", "line", "command", "unknown"),
		counters(errs, errsHelp, "reason", func(s *S) map[string]int64 {
			s.Refused["malformed"] = s.Malformed
			return s.Refused
		}, line...),
		counter(received, receivedHelp, func(s *S) int64 { return s.Received }, line...),
		counter("metricd_sent_bytes_total", "Bytes that were sent.", func(s *S) int64 { return s.Sent }, line...),
	}}
}

// Graphite returns a collector of what Graphite's server did.
func Graphite(read func() graphite.Stats) prometheus.Collector {
	type S = graphite.Stats
	carbon := []string{"protocol", "graphite"}
	return &table[S]{read, []figure[S]{
		gauge(conns, connsHelp, func(s *S) int64 { return s.Conns }, carbon...),
		gauge(maxConns, maxConnsHelp, func(s *S) int64 { return s.MaxConns }, carbon...),
		counter(accepted, acceptedHelp, func(s *S) int64 { return s.Accepted }, carbon...),
		counter(rejected, rejectedHelp, func(s *S) int64 { return s.Rejected }, carbon...),
		counter(panics, panicsHelp, func(s *S) int64 { return s.Panics }, carbon...),
		counter(requests, requestsHelp, func(s *S) int64 { return s.Samples + s.NaN + s.Wrong + s.Refused + s.Dropped }, "protocol", "graphite", "command", "put"),
		counters(errs, errsHelp, "reason", func(s *S) map[string]int64 {
			return map[string]int64{"nan": s.NaN, "malformed": s.Wrong, "refused": s.Refused, "dropped": s.Dropped, "browser": s.Browsers}
		}, carbon...),
		counter(received, receivedHelp, func(s *S) int64 { return s.Bytes }, carbon...),
		counter("metricd_graphite_datagrams_total", "Datagrams that came over UDP.", func(s *S) int64 { return s.Datagrams }),
		counter("metricd_graphite_samples_total", "Samples of Graphite's protocol that were stored.", func(s *S) int64 { return s.Samples }),
		counter("metricd_graphite_samples_dropped_total", "Samples of Graphite's protocol that are lost: they came over UDP while the store took none, or when it had failed or stopped.", func(s *S) int64 { return s.Dropped }),
		gauge("metricd_graphite_connections_held", "Connections that are not read from until the store takes samples again.", func(s *S) int64 { return s.Held }),
	}}
}

// Influx returns a collector of what came in InfluxDB's line protocol.
func Influx(read func() influx.Stats) prometheus.Collector {
	type S = influx.Stats
	return &table[S]{read, []figure[S]{
		counter(requests, requestsHelp, func(s *S) int64 { return s.Writes }, "protocol", "influx", "command", "write"),
		counters(errs, errsHelp, "reason", func(s *S) map[string]int64 { return byStatus(s.Failed) }, "protocol", "influx"),
		counter(received, receivedHelp, func(s *S) int64 { return s.Bytes }, "protocol", "influx"),
		counter("metricd_influx_lines_total", "Lines of InfluxDB's protocol that came.", func(s *S) int64 { return s.Lines }),
		counter("metricd_influx_lines_dropped_total", "Lines of InfluxDB's protocol that were not stored, or not wholly, and never will be.", func(s *S) int64 { return s.Dropped }),
		counter("metricd_influx_samples_total", "Samples of InfluxDB's protocol that were stored.", func(s *S) int64 { return s.Samples }),
		counter("metricd_influx_strings_ignored_total", "Fields of InfluxDB's protocol that are text and were ignored.", func(s *S) int64 { return s.Strings }),
	}}
}

// RemoteWrite returns a collector of what came by Prometheus' remote write.
func RemoteWrite(read func() remotewrite.Stats) prometheus.Collector {
	type S = remotewrite.Stats
	return &table[S]{read, []figure[S]{
		counter(requests, requestsHelp, func(s *S) int64 { return s.Requests }, "protocol", "remote_write", "command", "write"),
		counters(errs, errsHelp, "reason", func(s *S) map[string]int64 { return byStatus(s.Failed) }, "protocol", "remote_write"),
		counter(received, receivedHelp, func(s *S) int64 { return s.Bytes }, "protocol", "remote_write"),
		counter("metricd_remote_write_samples_total", "Samples of remote write that were stored.", func(s *S) int64 { return s.Samples }),
		counter("metricd_remote_write_histograms_total", "Histograms of remote write that were stored wholly.", func(s *S) int64 { return s.Histograms }),
		counter("metricd_remote_write_exemplars_ignored_total", "Exemplars of remote write, none of which is stored.", func(s *S) int64 { return s.Exemplars }),
		counters("metricd_remote_write_refused_total", "Samples and histograms of remote write that were refused for good.", "reason", func(s *S) map[string]int64 { return s.Refused }),
	}}
}

// OTLP returns a collector of what came by OpenTelemetry's OTLP.
func OTLP(read func() otlp.Stats) prometheus.Collector {
	type S = otlp.Stats
	return &table[S]{read, []figure[S]{
		counter(requests, requestsHelp, func(s *S) int64 { return s.Requests }, "protocol", "otlp", "command", "write"),
		counters(errs, errsHelp, "reason", func(s *S) map[string]int64 { return byStatus(s.Failed) }, "protocol", "otlp"),
		counter(received, receivedHelp, func(s *S) int64 { return s.Bytes }, "protocol", "otlp"),
		counter("metricd_otlp_points_total", "Data points of OTLP that were stored wholly.", func(s *S) int64 { return s.Points }),
		counters("metricd_otlp_refused_total", "Data points of OTLP that were refused for good.", "reason", func(s *S) map[string]int64 { return s.Refused }),
	}}
}

// byStatus returns counts by the text of their status.
func byStatus(counts map[int]int64) map[string]int64 {
	texts := map[string]int64{}
	for status, n := range counts {
		texts[strconv.Itoa(status)] = n
	}
	return texts
}

// HTTPConns returns a collector of the connections of a server of HTTP.
func HTTPConns(open func() int64, most int64) prometheus.Collector {
	web := []string{"protocol", "http"}
	return &table[int64]{open, []figure[int64]{
		gauge(conns, connsHelp, func(n *int64) int64 { return *n }, web...),
		gauge(maxConns, maxConnsHelp, func(*int64) int64 { return most }, web...),
	}}
}
