package graphite

import (
	"context"
	"errors"
	"time"

	"metricd/internal/storage"
)

const (
	// firstPause and longestPause bound the time until what was refused for now is tried again.
	firstPause   = 50 * time.Millisecond
	longestPause = time.Second
)

// store appends rows and returns them emptied. Where the store takes nothing for now it waits, unless s is lossy. If
// the store has failed, or the server stops meanwhile, it sets end.
func (s *intake) store(w *work, rows []storage.Row) []storage.Row {
	if len(rows) == 0 {
		return rows
	}
	left, err := s.append(w, rows)
	switch {
	case len(left) == 0:
	case s.lossy || s.end != nil:
		s.lose(len(left), err)
	default:
		s.hold(w, left, err)
	}
	return rows[:0]
}

// hold tries again and again to append rows, which the store refused for now, as err says. Meanwhile nobody reads.
func (s *intake) hold(w *work, rows []storage.Row, err error) {
	s.srv.gate.shut()
	defer s.srv.gate.open()
	for pause := firstPause; len(rows) > 0; pause = min(2*pause, longestPause) {
		select {
		case <-s.ctx.Done():
			s.end = context.Cause(s.ctx)
		case <-time.After(pause):
			rows, err = s.append(w, rows)
		}
		if s.end != nil {
			s.lose(len(rows), err)
			return
		}
	}
}

// append appends rows. It returns those that the store refused for now, and why, moved to the front of rows. If the store has failed it
// returns all, and sets end, unless s is lossy.
func (s *intake) append(w *work, rows []storage.Row) (left []storage.Row, err error) {
	w.batch.Rows = rows
	seq, err := s.app.Append(&w.batch)
	if err != nil {
		w.learned = w.learned[:0]
		if !s.lossy {
			s.end = err
		}
		return rows, err
	}
	s.seq = seq
	for _, l := range w.learned {
		s.order.Learn(l.At, rows[l.Row].Ref)
	}
	w.learned = w.learned[:0]
	s.srv.samples.Add(int64(len(rows) - len(w.batch.Refused)))
	left = rows[:0]
	for _, r := range w.batch.Refused {
		if errors.Is(r.Err, storage.ErrReadOnly) {
			err = r.Err
			left = append(left, rows[r.Row])
			continue
		}
		s.srv.refused.Add(1)
		s.srv.refusals.tell(s.srv.log, "a Graphite sample was refused", "client", s.client, "path", excerpt(rows[r.Row].Key), "err", r.Err)
	}
	return left, err
}

// lose counts n samples that are lost.
func (s *intake) lose(n int, err error) {
	s.srv.dropped.Add(int64(n))
	s.srv.losses.tell(s.srv.log, "Graphite samples were dropped", "client", s.client, "samples", n, "err", err)
}

// wait waits until all that was appended is durable, or ctx is done.
func (s *intake) wait(ctx context.Context) {
	if err := s.app.Wait(ctx, s.seq); err != nil {
		s.srv.losses.tell(s.srv.log, "Graphite samples that were taken may be lost: they are not durable", "client", s.client, "err", err)
	}
}
