// Package servers measures whole servers, metricd and Prometheus, side by side: each a process of its own on the first processor, the
// client on another. It has benchmarks only, which measure what their flags name:
//
//	go build -o DIR/metricd ..
//	GOBIN=DIR go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/prometheus@v0.316.0
//	taskset -c 1 go test ./servers -bench . -metricd DIR/metricd -prometheus DIR/prometheus
package servers
