package storagetest

import (
	"context"
	"errors"
	"math"

	"metricd/internal/storage"
)

func durabilityChecks() []check {
	return []check{
		{"SeqZero", seqZero},
		{"Ascending", seqAscending},
		{"Wait", waitForSeq},
		{"DoneContext", waitWithDoneContext},
		{"AllRefused", waitForRefused},
	}
}

// done returns a context that was cancelled.
func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func seqZero(f *fixture) {
	for range 2 {
		if err := f.app.Wait(context.Background(), 0); err != nil {
			f.Errorf("Wait for 0: %v", err)
		}
		if err := f.app.Wait(done(), 0); err != nil {
			f.Errorf("Wait for 0, always durable, with a done context: %v", err)
		}
		f.put("a 1=1")
	}
}

// seqAscending: over all appenders, and never 0 for what was taken.
func seqAscending(f *fixture) {
	apps := []storage.Appender{f.app, f.store.Appender(), f.store.Appender()}
	var in sender
	last := storage.Seq(0)
	for i := range int64(30) {
		seq, _, err := in.send(apps[i%3], row{"a", i % 4, 1}, row{"b", i, 1})
		if err != nil || seq <= last {
			f.Fatalf("Append %d: sequence %d after %d, %v", i, seq, last, err)
		}
		last = seq
	}
}

// waitForSeq: in any order, from any appender, for what is long durable too.
func waitForSeq(f *fixture) {
	var seqs []storage.Seq
	for i := range int64(20) {
		seqs = append(seqs, f.append(row{"a", i, 1}))
	}
	f.together("Wait", func() error {
		other := f.store.Appender()
		return errors.Join(f.app.Wait(context.Background(), seqs[19]), f.app.Wait(context.Background(), seqs[3]), other.Wait(context.Background(), seqs[11]))
	})
}

// waitWithDoneContext: it answers at once; nil if it is durable, else the context's error.
func waitWithDoneContext(f *fixture) {
	for i := range int64(20) {
		seq := f.append(row{"a", i, 1})
		if err := f.app.Wait(done(), seq); err != nil && !errors.Is(err, context.Canceled) {
			f.Errorf("Wait for what may be durable: %v", err)
		}
		if err := f.app.Wait(context.Background(), seq); err != nil {
			f.Fatalf("Wait: %v", err)
		}
		if err := f.app.Wait(done(), seq); err != nil {
			f.Errorf("Wait for what is durable, with a done context: %v", err)
		}
	}
}

func waitForRefused(f *fixture) {
	seq, refused, err := f.in.send(f.app, row{"", 1, 1}, row{"a", math.MaxInt64, 1})
	if err != nil || len(refused) != 2 {
		f.Fatalf("Append: %v, refused %v", err, refused)
	}
	f.together("Wait", func() error { return f.app.Wait(context.Background(), seq) })
}
