package collect

import (
	"context"
	"errors"
	"math"

	"github.com/shirou/gopsutil/v4/cpu"
)

// processor reads what the processor spent its time on since the last reading.
type processor struct {
	before cpu.TimesStat // of the last reading
	begun  bool          // there was one
}

// read returns no figures the first time.
func (p *processor) read(ctx context.Context) ([]figure, error) {
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return nil, err
	}
	if len(times) == 0 { // that is how gopsutil says that it can't be read
		return nil, errors.New("the system does not tell what the processor did")
	}
	before, begun := p.before, p.begun
	p.before, p.begun = times[0], true
	if !begun {
		return nil, nil
	}
	return shares(before, times[0]), nil
}

// modes are what the processor spends its time on, each moment on one of them for each core. What guests took is in user and nice.
var modes = []struct {
	name string
	busy bool
	time func(*cpu.TimesStat) float64 // in seconds, of all cores together
}{
	{"cpu.user", true, func(t *cpu.TimesStat) float64 { return t.User }},
	{"cpu.nice", true, func(t *cpu.TimesStat) float64 { return t.Nice }},
	{"cpu.system", true, func(t *cpu.TimesStat) float64 { return t.System }},
	{"cpu.irq", true, func(t *cpu.TimesStat) float64 { return t.Irq }},
	{"cpu.softirq", true, func(t *cpu.TimesStat) float64 { return t.Softirq }},
	{"cpu.steal", true, func(t *cpu.TimesStat) float64 { return t.Steal }},
	{"cpu.iowait", false, func(t *cpu.TimesStat) float64 { return t.Iowait }},
	{"cpu.idle", false, func(t *cpu.TimesStat) float64 { return t.Idle }},
}

// shares returns the percentages of the time between two readings, of all cores together; nothing if there was none. A mode whose
// time ran backwards, as those of idle cores may, has none.
func shares(before, after cpu.TimesStat) []figure {
	var total, busy float64
	figures := make([]figure, len(modes), len(modes)+1)
	for i, m := range modes {
		spent := max(0, m.time(&after)-m.time(&before))
		figures[i] = figure{name: m.name, value: spent}
		total += spent
		if m.busy {
			busy += spent
		}
	}
	if total == 0 {
		return nil
	}
	figures = append(figures, figure{name: "cpu.busy", value: busy})
	for i := range figures {
		figures[i].value = hundredths(100 * figures[i].value / total)
	}
	return figures
}

// hundredths rounds a percentage to what it is good for: the time of the processor is counted in hundredths of a second.
func hundredths(v float64) float64 { return math.Round(v*100) / 100 }
