package bench

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// meter reads what the generator's and the server's processes have used. CPU times come
// in the clock ticks of the operating system, 10 ms on Linux.
type meter struct {
	self, server *process.Process // server is nil if unknown
}

// reading is what a meter shows at one moment.
type reading struct {
	at                 time.Time
	selfCPU, serverCPU float64 // seconds, user and system, of the life of the process
	serverRSS          int64   // bytes
}

// newMeter returns a meter of this process and of process pid, if that is not 0.
func newMeter(ctx context.Context, pid int) (*meter, error) {
	self, err := process.NewProcessWithContext(ctx, int32(os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("this process: %w", err)
	}
	m := &meter{self: self}
	if pid != 0 {
		if m.server, err = process.NewProcessWithContext(ctx, int32(pid)); err != nil {
			return nil, fmt.Errorf("process %d: %w", pid, err)
		}
	}
	return m, nil
}

// read returns what the meter shows now.
func (m *meter) read(ctx context.Context) (reading, error) {
	var r reading
	var err error
	if m.server != nil {
		if r.serverRSS, err = m.rss(ctx); err != nil {
			return r, err
		}
		if r.serverCPU, err = cpuSeconds(ctx, m.server); err != nil {
			return r, err
		}
	}
	r.selfCPU, err = cpuSeconds(ctx, m.self)
	r.at = time.Now()
	return r, err
}

// rss returns the server's resident bytes.
func (m *meter) rss(ctx context.Context) (int64, error) {
	mem, err := m.server.MemoryInfoWithContext(ctx)
	if err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", m.server.Pid, err)
	}
	return int64(mem.RSS), nil
}

func cpuSeconds(ctx context.Context, p *process.Process) (float64, error) {
	t, err := p.TimesWithContext(ctx)
	if err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", p.Pid, err)
	}
	return t.User + t.System, nil
}

// awaitIdle returns when the server has used no CPU time for a second, less than two ticks of its clock.
func (m *meter) awaitIdle(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := math.Inf(-1); ; {
		used, err := cpuSeconds(ctx, m.server)
		if err != nil || used-last < 0.02 {
			return err
		}
		last = used
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// measure calls load, which counts in r.tally, and fills in the figures of r.result, also
// if load fails.
func (r *run) measure(ctx context.Context, load func() error) error {
	m, err := newMeter(ctx, r.cfg.PID)
	if err != nil {
		return err
	}
	before, err := m.read(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	loadErr := load()
	seconds := time.Since(start).Seconds()
	if r.cfg.UntilIdle && loadErr == nil {
		loadErr = m.awaitIdle(ctx)
	}
	after, err := m.read(ctx)
	if err != nil { // the server is gone, perhaps
		after = before
	}
	r.note(seconds, before, after)
	if loadErr != nil {
		return loadErr
	}
	return err
}

// note fills in the figures of r.result from r.tally and what the meter showed.
func (r *run) note(seconds float64, before, after reading) {
	res, t := r.result, r.tally
	res.Acknowledged, res.Errors, res.FirstError, res.Latency = t.acked, t.errors, t.first, t.latency()
	res.Seconds = seconds
	res.PerSecond = per(float64(t.acked), seconds)
	millions := float64(t.acked) / 1e6
	res.ClientCPU = per(after.selfCPU-before.selfCPU, millions)
	if r.cfg.PID == 0 {
		return
	}
	growth := float64(after.serverRSS - before.serverRSS)
	s := &Server{CPU: per(after.serverCPU-before.serverCPU, millions), RSSBefore: before.serverRSS, RSSAfter: after.serverRSS}
	switch res.Unit {
	case samplesUnit:
		if r.cfg.Requests == 0 {
			s.RSSPerSample = per(growth, float64(t.acked))
			s.RSSPerSeries = per(growth, float64(r.cfg.Series))
		}
	case connectionsUnit:
		s.RSSPerConnection = per(growth, float64(t.acked))
	}
	res.Server = s
}

// per returns a / b, 0 if b is 0: it must be a number, for JSON.
func per(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
