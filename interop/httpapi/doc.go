// Package httpapi holds tests of metricd's HTTP API against Prometheus': its own handlers over its own storage, its official Go client, and
// what Grafana's data source for it sends.
package httpapi
