package collect

import (
	"context"

	"github.com/shirou/gopsutil/v4/mem"
)

// readMemory reads what memory is used for. Used is all but what programs could have at once: caches count as available.
func readMemory(ctx context.Context) ([]figure, error) {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "mem.total_bytes", value: float64(m.Total)},
		{name: "mem.used_bytes", value: float64(m.Used)},
		{name: "mem.available_bytes", value: float64(m.Available)},
		{name: "mem.free_bytes", value: float64(m.Free)},
		{name: "mem.cached_bytes", value: float64(m.Cached)},
		{name: "mem.buffers_bytes", value: float64(m.Buffers)},
		{name: "mem.used_percent", value: percent(m.Used, m.Total)},
	}, nil
}

// readSwap reads how much swap there is, and what went there and back.
func readSwap(ctx context.Context) ([]figure, error) {
	s, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "swap.total_bytes", value: float64(s.Total)},
		{name: "swap.used_bytes", value: float64(s.Used)},
		{name: "swap.free_bytes", value: float64(s.Free)},
		{name: "swap.used_percent", value: percent(s.Used, s.Total)},
		{name: "swap.in_bytes_total", value: float64(s.Sin)},
		{name: "swap.out_bytes_total", value: float64(s.Sout)},
	}, nil
}

// percent returns what part of whole is, 0 if there is nothing at all.
func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return hundredths(100 * float64(part) / float64(whole))
}
