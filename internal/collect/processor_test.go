package collect

import (
	"maps"
	"testing"

	"github.com/shirou/gopsutil/v4/cpu"
)

func TestShares(t *testing.T) {
	for name, test := range map[string]struct {
		before, after cpu.TimesStat
		want          map[string]float64 // those that are not 0
	}{
		"one mode": {
			cpu.TimesStat{User: 100, Idle: 50},
			cpu.TimesStat{User: 100, Idle: 60},
			map[string]float64{"cpu.idle": 100},
		},
		"all modes": {
			cpu.TimesStat{},
			cpu.TimesStat{User: 1, Nice: 2, System: 3, Irq: 4, Softirq: 5, Steal: 6, Iowait: 7, Idle: 72},
			map[string]float64{"cpu.user": 1, "cpu.nice": 2, "cpu.system": 3, "cpu.irq": 4, "cpu.softirq": 5, "cpu.steal": 6, "cpu.iowait": 7, "cpu.idle": 72, "cpu.busy": 21},
		},
		"guests are in user": {
			cpu.TimesStat{},
			cpu.TimesStat{User: 10, Guest: 10, Idle: 10},
			map[string]float64{"cpu.user": 50, "cpu.idle": 50, "cpu.busy": 50},
		},
		"rounded": {
			cpu.TimesStat{},
			cpu.TimesStat{User: 1, Idle: 2},
			map[string]float64{"cpu.user": 33.33, "cpu.idle": 66.67, "cpu.busy": 33.33},
		},
		"idle ran backwards": {
			cpu.TimesStat{Idle: 10, Iowait: 5},
			cpu.TimesStat{User: 3, System: 1, Idle: 9, Iowait: 5},
			map[string]float64{"cpu.user": 75, "cpu.system": 25, "cpu.busy": 100},
		},
		"no time": {cpu.TimesStat{User: 5}, cpu.TimesStat{User: 5}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]float64{}
			figures := shares(test.before, test.after)
			for _, f := range figures {
				if f.value != 0 {
					got[f.name] = f.value
				}
			}
			if !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if test.want != nil && len(figures) != len(modes)+1 {
				t.Errorf("got %d figures, want each mode and their sum", len(figures))
			}
		})
	}
}
