// Package interop holds tests of metricd against Prometheus itself: its scripts of PromQL, its HTTP API, its storage. They are a
// module of their own, since what they need is many times what metricd needs.
package interop
