package blocks

import (
	"context"

	"github.com/cockroachdb/pebble/v2"
)

// Reclaim gives back the space of the windows first to last, both included, which Batch.DeleteWindows deleted and a Flush made
// durable; nothing may have been committed to them since, and nothing may be committed beside it. By itself Pebble gives it back
// when it compacts what holds the deletion with what it deletes, which on a small disk may be never. This writes no table: those within the windows go,
// the deletion included, and of one that reaches beyond them the rest is taken as a table of its own, in the same file. It is one
// record of the MANIFEST, durable on return. It returns early if the store fails.
func (s *Store) Reclaim(first, last int64) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	if s.IsReadOnly() {
		return errReadOnly
	}
	start, end := windowRange(first, last)
	done := make(chan error, 1)
	go func() { done <- s.db.Excise(context.Background(), pebble.KeyRange{Start: start, End: end}) }()
	select {
	case err := <-done:
		if failure := s.health.failure(); failure != nil {
			return failure
		}
		return damaged(err)
	case <-s.health.failed: // what Excise waits for may never come
		return s.health.failure()
	}
}
