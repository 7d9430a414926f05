package metricd_test

import (
	"context"
	"testing"

	"metricd"
	"metricd/internal/bench"
)

// BenchmarkWorkloads runs the workloads of `metricd bench` against a server in this process. It is
// what scripts/pgo profiles; for figures give server and generator a process each.
func BenchmarkWorkloads(b *testing.B) {
	for _, cfg := range []bench.Config{
		{Workload: "walk"},
		{Workload: "walk", Connections: 8},
		{Workload: "shuffle", Series: 1000},
		{Workload: "wide", Series: 100_000},
		{Workload: "single", Samples: 20},
		{Workload: "get", Requests: 20_000},
		{Workload: "getall"},
	} {
		b.Run(cfg.Workload, func(b *testing.B) {
			for b.Loop() {
				runWorkload(b, cfg, metricd.InMemory)
			}
		})
	}
	b.Run("disk", func(b *testing.B) {
		for b.Loop() {
			runWorkload(b, bench.Config{Workload: "walk"}, b.TempDir())
		}
	})
}

func runWorkload(b *testing.B, cfg bench.Config, data string) {
	s, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0", Data: data})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx) }()
	cfg.Addr = s.Addr().String()
	if _, err := bench.Run(ctx, cfg); err != nil {
		b.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	if err := s.Close(); err != nil {
		b.Error(err)
	}
}
