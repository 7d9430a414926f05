package blocks

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

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

// TestSpace: windows that were deleted give their space back, without more being written.
func TestSpace(t *testing.T) {
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
	if n, err := s.EstimateWindows(0, 17); err != nil || n < 8e6 || n > 10e6 {
		t.Errorf("18 windows of half a MB are said to take %d bytes, %v", n, err)
	}
	b.DeleteWindows(math.MinInt64, 17)
	if err := errors.Join(b.Commit(), b.Close(), s.Flush(Marks{})); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		m, err := s.Metrics()
		if err != nil {
			t.Fatal(err)
		}
		if m.DiskBytes < 2e6 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("20 s after nine tenths were deleted: %+v", m)
		}
	}
	mustClose(t, s)
}
