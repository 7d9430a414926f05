// Package peers tests the metricd command against the programs that send to it: collectd, InfluxDB's clients, OpenTelemetry's SDK,
// Telegraf and Prometheus. It has tests only. Each builds, downloads or unpacks its sender in a temporary directory, configures it with the block
// that README.md shows, and compares what the sender had with what metricd gives back.
package peers
