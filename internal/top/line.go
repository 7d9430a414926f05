package top

import "fmt"

// Heading is what stands above the lines that Line returns.
const Heading = "  samples/s  requests/s    errors/s       series           samples  bytes/sample    sync ms     flushes     memory  connections"

// Line returns what happened between two readings as one line of text without its end. from may be nil: then there are no rates.
func Line(from, to *Reading) string {
	c := newChange(from, to)
	taken, requests, errors, sync := "-", "-", "-", "-"
	if c.known() {
		taken = fmt.Sprintf("%.0f", c.rate("metricd_storage_samples_appended_total"))
		requests = fmt.Sprintf("%.0f", c.rate("metricd_requests_total"))
		errors = fmt.Sprintf("%.0f", c.rate("metricd_request_errors_total"))
		if mean, _, none := c.sync(); !none {
			sync = fmt.Sprintf("%.2f", mean*1000)
		}
	}
	return fmt.Sprintf("%11s %11s %11s %12.0f %17.0f %13.2f %10s %11.0f %10s %12.0f", taken, requests, errors,
		to.value("metricd_storage_series"), to.value("metricd_storage_samples"), to.bytesPerSample(), sync,
		to.value("metricd_storage_flush_duration_seconds"), size(to.value("process_resident_memory_bytes")), to.value("metricd_connections"))
}
