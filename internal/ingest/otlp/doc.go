// Package otlp receives metrics by OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), in protobuf and in JSON, and
// stores them as Prometheus 3.16 does with its defaults. The messages are in opentelemetry/proto/metrics/v1/metrics.proto and
// collector/metrics/v1/metrics_service.proto of github.com/open-telemetry/opentelemetry-proto.
//
// A request is a POST with
//
//	Content-Type      application/x-protobuf or application/json; the answer is of the same type
//	Content-Encoding  gzip, or none
//
// # Answers
//
// They come when all that was taken is as durable as the store promises. Those of 200 hold an ExportMetricsServiceResponse, others a google.rpc.Status,
// but for 415, which is text.
//
//	200   all is stored; or, with partial_success, some data points were refused for good and all others are stored: the message says how many,
//	      why, and the first of each kind. A message with no rejected points is a warning (target_info could not be stored, say)
//	400   the body is broken: nothing is stored, but of a request with more than 16,384 samples what came before
//	413   the body is too large; 415: it is of another type, or compressed in another way
//	503   with Retry-After: the store takes nothing now (the disk is full, it failed or is closed), or too many large bodies come at
//	      once. Some may be stored. Sending it again does no harm
//
// # What is stored
//
// Names get the suffixes of their unit and _total, and what Prometheus' classic names can't hold becomes _ (github.com/prometheus/otlptranslator with
// UnderscoreEscapingWithSuffixes). Attributes of a point are labels; those whose names become one are joined by ";", in order of their
// names. job is service.namespace/service.name, instance is service.instance.id. The other attributes of a resource are labels of target_info, with the
// value 1 at the time of its first point, every 150 s after that, and at the time of its last point. Scopes leave nothing, nor do exemplars and start times.
//
// Histograms become classic ones, _sum, _count and _bucket, summaries _sum, _count and quantiles. Of exponential histograms _sum and _count are stored
// and the point counts as refused, unless it is a staleness marker, which a point without recorded value becomes in any case. Sums and
// histograms of another temporality than cumulative are refused.
//
// # How it is decoded
//
// Protobuf is read by hand (message.go, point.go), beside rulers of its bytes, since decoding it into structs takes a hundred times the memory of
// a malicious body, and ten times the processor time. Attributes are only looked at when a series is met for the first time (spell.go), by the
// collector's pdata, which also turns JSON into protobuf (json.go).
package otlp
