package bench

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"metricd/internal/lineproto"
)

// getAll is the workload of get *. Rows of this run are compared with what was put,
// others are only counted.
func (r *run) getAll(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	n := min(r.cfg.Connections, r.cfg.Requests)
	conns, err := dial(ctx, r.cfg, n)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	var mu sync.Mutex // guards r.tally and r.result
	jobs := make([]func(context.Context) error, n)
	for k, c := range conns {
		p := newReplies(c, r.cfg.Timeout)
		rowsOf := r.load.rowsOf(maxReplies / n)
		requests := share(r.cfg.Requests, k, n)
		jobs[k] = func(context.Context) error {
			for range requests {
				start := time.Now()
				rows, err := p.all(r.load, rowsOf)
				if err != nil {
					return err
				}
				mu.Lock()
				r.result.ReadBack += int64(r.load.series) * int64(r.load.samples)
				r.tally.acked += rows
				r.tally.took(time.Since(start))
				mu.Unlock()
			}
			return nil
		}
	}
	return r.measure(ctx, func() error { return together(ctx, conns, jobs) })
}

// years gets keys one at a time, for their latency, and then measures one get *.
func (r *run) years(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	l := r.load
	p, hangUp, err := dialReplies(ctx, r.cfg)
	if err != nil {
		return err
	}
	defer hangUp()
	for i := range r.cfg.Requests {
		s := int(mix(l.seed, uint64(i)) % uint64(l.series))
		key := l.appendKey(nil, s)
		start := time.Now()
		if err := p.ask(key); err != nil {
			return err
		}
		r.tally.took(time.Since(start))
		if err := r.match(p, s); err != nil {
			return err
		}
	}
	return r.measure(ctx, func() error {
		rows, err := p.all(l, l.rowsOf(maxReplies))
		r.tally.acked = rows
		if err == nil {
			r.result.ReadBack += int64(l.series) * int64(l.samples)
		}
		return err
	})
}

// all gets everything and returns the number of rows. The series of l must be there in
// their order; rows of other keys may stand between them.
func (p *replies) all(l *load, rowsOf func(s int) []byte) (rows int64, err error) {
	if err := p.ask([]byte("*")); err != nil {
		return 0, err
	}
	for s := 0; ; rows++ {
		line, err := p.line()
		if err != nil {
			return rows, err
		}
		if string(line) == lineproto.GetTail {
			if s < l.series {
				return rows, fmt.Errorf("get * ended without the samples of %s", l.appendKey(nil, s))
			}
			return rows, nil
		}
		if !l.isOwn(line) {
			continue
		}
		if s == l.series {
			return rows, fmt.Errorf("get * has a row too many: %q", line)
		}
		want := rowsOf(s)
		if !bytes.HasPrefix(want, line) {
			first, _, _ := bytes.Cut(want, []byte("\n"))
			return rows, fmt.Errorf("get * has %q, want %q", line, first)
		}
		if err := p.match(want[len(line):]); err != nil {
			return rows, err
		}
		rows += int64(l.samples) - 1
		s++
	}
}

// rowsOf returns a function that gives the rows of each series as get * must print them,
// good until its next call. It holds all of them if that takes at most most bytes, since
// making a row costs more than comparing it; if not it makes them each time. The function
// is for one goroutine.
func (l *load) rowsOf(most int) func(s int) []byte {
	if l.series*l.samples*l.maxLine > most {
		var buf []byte
		return func(s int) []byte {
			buf = l.appendRows(buf[:0], s, 0, l.samples)
			return buf
		}
	}
	held := make([][]byte, l.series)
	for s := range held {
		held[s] = l.appendRows(nil, s, 0, l.samples)
	}
	return func(s int) []byte { return held[s] }
}
