package blocks

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestConcurrent: committers, each of which reads what it wrote, a flusher and a reader of everything get on with each other,
// with memtables so small that commits have to wait for room.
func TestConcurrent(t *testing.T) {
	noLeak(t)
	fs := vfs.NewMem()
	s := mustOpen(t, Options{FS: fs, memTable: 64 << 10})
	const writers, batches = 4, 150
	var writing, others sync.WaitGroup
	for id := range uint64(writers) {
		writing.Go(func() {
			if err := writeAndRead(s, id, batches); err != nil {
				t.Errorf("series %d: %v", id, err)
			}
		})
	}
	done := make(chan struct{})
	for _, f := range []func() error{
		func() error { return s.Flush(Marks{}) },
		func() error { return s.Mark(Marks{Synced: s.Marks().Synced + 1}) },
		func() error { _, err := read(s); return err },
		func() error { _, err := s.Metrics(); return err },
	} {
		others.Go(func() {
			for !isClosed(done) {
				if err := f(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	others.Wait()
	if err := s.Flush(Marks{}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = mustOpen(t, Options{FS: fs})
	if got := mustRead(t, s); len(got.chunks) != writers*batches {
		t.Errorf("%d chunks are there, want %d", len(got.chunks), writers*batches)
	}
	mustClose(t, s)
}

func writeAndRead(s *Store, id uint64, batches int) error {
	value := make([]byte, 2000)
	b := s.NewBatch()
	defer b.Close()
	for i := range int64(batches) {
		b.PutChunk(i%3, id, i, value)
		if err := b.Commit(); err != nil {
			return err
		}
		c, err := s.NewCursor()
		if err != nil {
			return err
		}
		if !c.SeekTime(i%3, id, math.MaxInt64) || c.First() != i {
			return errors.Join(fmt.Errorf("does not read chunk %d that it wrote", i), c.Close())
		}
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// TestReclaim: windows that were deleted a moment after they were written give their space back, and nothing else is gone.
func TestReclaim(t *testing.T) {
	noLeak(t)
	s := mustOpen(t, Options{FS: vfs.NewMem()})
	b := s.NewBatch()
	chunk := make([]byte, 1000)
	for w := range int64(20) {
		for id := range uint64(500) {
			b.PutChunk(w, id, 0, chunk)
		}
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		if w%2 == 1 {
			if err := s.Flush(Marks{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.DeleteWindows(math.MinInt64, 16) // and so half of a table
	if err := errors.Join(b.Commit(), b.Close(), s.Flush(Marks{}), s.Reclaim(16)); err != nil {
		t.Fatal(err)
	}
	start, end := windowRange(math.MinInt64, 16)
	levels, err := s.db.SSTables(pebble.WithKeyRangeFilter(start, end))
	for _, tables := range levels {
		for _, table := range tables {
			t.Errorf("there is a table from %x to %x", table.Smallest.UserKey, table.Largest.UserKey)
		}
	}
	if err != nil {
		t.Error(err)
	}
	if got := mustRead(t, s); len(got.chunks) != 3*500 {
		t.Errorf("%d chunks are left, want 1500", len(got.chunks))
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		m, err := s.Metrics()
		if err != nil {
			t.Fatal(err)
		}
		if m.DiskBytes < 3e6 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("20 s after 17 of 20 windows were deleted: %+v", m)
		}
	}
	mustClose(t, s)
}
