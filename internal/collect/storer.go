package collect

import (
	"context"
	"log/slog"

	"metricd/internal/storage"
)

// Storer puts rounds into a store of this process. It is for one goroutine.
type Storer struct {
	app   storage.Appender
	batch storage.Batch
	news  news
	lost  refused // since the log said so
}

// NewStorer returns a Storer into a store. log is told which samples it refuses, and why.
func NewStorer(to storage.Store, log *slog.Logger) *Storer {
	return &Storer{app: to.Appender(), news: news{log: log}}
}

// Take puts a round into the store, and returns when it is as durable as the store promises, or ctx is done. That the store has
// failed or was closed is for those to tell who serve it.
func (s *Storer) Take(ctx context.Context, r Round) {
	s.batch.Rows = s.batch.Rows[:0]
	for _, sample := range r.Samples {
		s.batch.Rows = append(s.batch.Rows, storage.Row{Key: []byte(sample.Key), T: r.At.UnixMilli(), V: sample.Value})
	}
	seq, err := s.app.Append(&s.batch)
	if err != nil {
		return
	}
	if n := len(s.batch.Refused); n > 0 {
		s.lost = refused{s.lost.samples + n, s.batch.Refused[n-1].Err}
	}
	if s.news.refused(s.lost) {
		s.lost = refused{}
	}
	s.app.Wait(ctx, seq) //nolint:errcheck // nobody was promised anything; an error is the store's end
}
