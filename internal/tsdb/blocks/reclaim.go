package blocks

import (
	"context"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

// Reclaim gives back the space of all windows up to last, included, which Batch.DeleteWindows deleted and a Flush made
// durable; nothing may have been committed to them since, and nothing may be committed beside it. By itself Pebble gives it back
// when it compacts what holds the deletion with what it deletes, which on a small disk may be never. This writes no table: those within the windows go,
// the deletion included, and of one that reaches beyond them the rest is taken as a table of its own, in the same file. It is one
// record of the MANIFEST, durable on return. It returns early if the store fails.
//
// It begins with the first window since chunks are the first keys of all: then nothing is left of a table in front of the cut, and no table becomes two.
// One more table in L0 is what Pebble 2.1.7 can't take while a compaction ends: its choice of the next one reads L0Index of
// the version that is still being written (internal/manifest/l0_sublevels.go), which then is beyond the tables it knows, and panics.
func (s *Store) Reclaim(last int64) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	if s.IsReadOnly() {
		return errReadOnly
	}
	start, end := windowRange(math.MinInt64, last)
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
