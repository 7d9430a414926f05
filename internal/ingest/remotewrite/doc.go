// Package remotewrite receives what Prometheus and others send by remote write, versions 1.0 and 2.0, and stores it. The
// formats are specified at https://prometheus.io/docs/specs/prw/remote_write_spec/ and …_2_0/, the messages in prompb/types.proto,
// prompb/remote.proto and prompb/io/prometheus/write/v2/types.proto of github.com/prometheus/prometheus. They are decoded by
// hand, beside rulers of their bytes: a steady sender costs no memory and no allocation a sample.
//
// A request is a POST with
//
//	Content-Type      application/x-protobuf                                        version 1
//	                  application/x-protobuf;proto=prometheus.WriteRequest          the same
//	                  application/x-protobuf;proto=io.prometheus.write.v2.Request   version 2
//	Content-Encoding  snappy, in its block format
//
// # Answers
//
// They come when all that was taken is as durable as the store promises.
//
//	204   all is stored
//	400   some samples were refused for good and all others are stored; the text says how many, why, and the first of each kind. Or
//	      the body is broken: then nothing is stored, but of a request with more than 16,384 samples what came before
//	413   the body is too large; 415: it is of another type, or compressed in another way
//	503   with Retry-After: the store takes nothing now (the disk is full, it failed or is closed), or too many large bodies come at
//	      once. Some may be stored. Sending it again does no harm
//
// 204 and 400 come with X-Prometheus-Remote-Write-Samples-Written, -Histograms-Written and -Exemplars-Written, for either version.
// 429 never comes, since Prometheus drops what it is answered with that, nor does 500.
//
// # What is stored
//
// Every sample becomes one of the series with its labels, however old it is and in whatever order samples come; staleness
// markers keep their bits. Labels are sorted and those without a value left out. A series without the label __name__, with a label name
// twice, or with labels that are not UTF-8 is refused.
//
// Native histograms with custom bounds become the series of a classic histogram, name_bucket with the label le, name_count and name_sum, with
// the values that Prometheus converts them to. Of those with exponential buckets name_count and name_sum are stored and the histogram counts as refused, unless it is a
// staleness marker, which is stored wholly in these two. Exemplars and start times are left out.
// Types, helps and units of metrics go to Options.Metadata.
//
// # What a known series costs
//
// The labels of a series as its sender spells them are remembered with the key and the storage.Ref that they stand for (package rows), so that a series
// that came before is found by comparing its bytes.
package remotewrite
