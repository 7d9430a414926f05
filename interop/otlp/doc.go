// Package otlp compares metricd's receiver of OTLP with Prometheus' own converter, and sends to it with OpenTelemetry's SDK. It has
// tests only.
package otlp
