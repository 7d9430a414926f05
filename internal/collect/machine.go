package collect

import (
	"context"

	"github.com/shirou/gopsutil/v4/load"
)

// machine is the one that this process runs on.
type machine struct {
	cpu processor
}

func newMachine() *machine { return new(machine) }

// probes returns what there is to read now: disks come and go.
func (m *machine) probes(ctx context.Context) []probe {
	return append([]probe{
		{"processor", m.cpu.read},
		{"load", readLoad},
		{"memory", readMemory},
		{"swap", readSwap},
		{"disk I/O", readDiskIO},
		{"network", readNetwork},
		{"processes", readProcesses},
	}, diskSpace(ctx)...)
}

// readLoad reads how many processes ran or waited for the processor or a disk, on average over 1, 5 and 15 minutes.
func readLoad(ctx context.Context) ([]figure, error) {
	avg, err := load.AvgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "load1", value: avg.Load1},
		{name: "load5", value: avg.Load5},
		{name: "load15", value: avg.Load15},
	}, nil
}

// readProcesses reads how many processes there are, and how many began.
func readProcesses(ctx context.Context) ([]figure, error) {
	misc, err := load.MiscWithContext(ctx)
	if err != nil {
		return nil, err
	}
	figures := []figure{
		{name: "procs.all", value: float64(misc.ProcsTotal)},
		{name: "procs.running", value: float64(misc.ProcsRunning)},
		{name: "procs.blocked", value: float64(misc.ProcsBlocked)},
	}
	if misc.ProcsCreated > 0 { // only some systems count that
		figures = append(figures, figure{name: "procs.created_total", value: float64(misc.ProcsCreated)})
	}
	return figures, nil
}
