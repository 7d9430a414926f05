package bench

import (
	"context"
	"errors"
	"time"
)

// idle is the workload that opens connections and holds them; with a load, each puts one
// sample first.
func (r *run) idle(ctx context.Context) error {
	if r.cfg.PID == 0 {
		return errors.New("idle connections are measured by the server's memory: its PID is needed")
	}
	m, err := newMeter(ctx, r.cfg.PID)
	if err != nil {
		return err
	}
	before, err := m.read(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	conns, err := dial(ctx, r.cfg, r.cfg.Connections)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	if r.load != nil {
		dialogs := make([]*dialog, len(conns))
		for k, cur := range split(r.load, len(conns)) {
			dialogs[k] = putDialog(cur, 1)
		}
		if err := talk(ctx, conns, dialogs, r.cfg.Timeout, r.tally); err != nil {
			return err
		}
	}
	// Connections are accepted in order: an answer on a later one means that all are.
	p, hangUp, err := dialReplies(ctx, r.cfg)
	if err != nil {
		return err
	}
	_, err = p.holds([]byte("idle"))
	hangUp()
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	if err := m.settle(ctx); err != nil {
		return err
	}
	after, err := m.read(ctx)
	if err != nil {
		return err
	}
	r.tally.acked = int64(len(conns))
	r.note(seconds, before, after)
	return nil
}

// settle returns when the server's resident memory has not changed for a while, or after
// five seconds.
func (m *meter) settle(ctx context.Context) error {
	const (
		tick  = 50 * time.Millisecond
		quiet = 6   // ticks without a change
		most  = 100 // ticks
	)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := int64(-1)
	for n, same := 0, 0; n < most && same < quiet; n++ {
		rss, err := m.rss(ctx)
		if err != nil {
			return err
		}
		if same++; rss != last {
			last, same = rss, 0
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
