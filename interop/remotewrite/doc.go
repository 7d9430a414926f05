// Package remotewrite compares metricd's receiver of remote write with Prometheus' own messages, encoders, conversion of
// histograms and client. It has tests only.
package remotewrite
