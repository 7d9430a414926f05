// Package ownmetrics says how the server itself is doing, in Prometheus' words: the names, units and help of all of its figures, and where each
// is read. Nothing is counted here: the parts of the server count for themselves (their Stats), and a collector reads
// that when it is asked. There is no state outside the registry that NewRegistry makes.
//
//	metricd_connections…           by protocol: line, graphite, http
//	metricd_requests…              by protocol and command, their errors by reason, bytes
//	metricd_storage_…              the engine: samples, log, chunks, disk, memory
//	metricd_graphite_…, metricd_influx_…, metricd_remote_write_…, metricd_otlp_…
//	metricd_http_…                 by handler (package httpapi)
//	prometheus_engine_…            queries (package promql)
//	go_…, process_…                the process
//
// A Recorder also keeps them, in a second store beside the one for everybody's samples.
package ownmetrics
