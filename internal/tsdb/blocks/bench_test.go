package blocks

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("BUG: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func dirSize(t testing.TB, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// BenchmarkFlushes commits a GB of chunks of 1.2 KB to one window, as many of each of 10,000 series, in flushes of 60 MB. The
// figures are written to the disk until Pebble is done.
func BenchmarkFlushes(b *testing.B) {
	const series, each, flushes = 10_000, 5, 17
	for b.Loop() {
		dir := b.TempDir()
		s, err := Open(Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		rng := rand.NewChaCha8([32]byte{})
		chunk := make([]byte, 1200)
		began := cpu()
		var put int64
		for f := range int64(flushes) {
			batch := s.NewBatch()
			for id := range uint64(series) {
				for i := range int64(each) {
					rng.Read(chunk)
					batch.PutChunk(7, id, (f*each+i)*1024_000, chunk)
					put += int64(len(chunk))
				}
				if batch.Len() > 1<<20 {
					if err := batch.Commit(); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := batch.Commit(); err != nil {
				b.Fatal(err)
			}
			batch.Close()
			if err := s.Flush(Marks{Flushed: uint64(f)}); err != nil {
				b.Fatal(err)
			}
		}
		for quiet := 0; quiet < 20; quiet++ { // until no compaction has been at work for a while
			if s.db.Metrics().Compact.NumInProgress > 0 {
				quiet = 0
			}
			time.Sleep(10 * time.Millisecond)
		}
		m, err := s.Metrics()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(cpu()-began)/1e6/(float64(put)/1e6), "cpu-ms/MB")
		b.ReportMetric(float64(m.FlushedBytes+m.CompactedBytes)/float64(put), "written/stored")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(dirSize(b, dir))/float64(put), "disk/stored")
	}
}

// filled opens a store on disk with chunks of 500 bytes of each of some series in each of some windows, and closes it.
func filled(b *testing.B, dir string, series uint64, windows int64, each int64) {
	s := mustOpen(b, Options{Dir: dir})
	chunk := make([]byte, 500)
	rng := rand.NewChaCha8([32]byte{})
	batch := s.NewBatch()
	for w := range windows {
		for id := range series {
			if w == 0 {
				batch.PutSeries(id, fmt.Appendf(nil, "a.metric.of.some.host-%d", id))
			}
			for i := range each {
				rng.Read(chunk)
				batch.PutChunk(w, id, w*2592e6+i, chunk)
			}
		}
		if err := batch.Commit(); err != nil {
			b.Fatal(err)
		}
		if w%4 == 3 || w == windows-1 {
			if err := s.Flush(Marks{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	batch.Close()
	mustClose(b, s)
}

// BenchmarkOpen opens and closes a store of 100,000 chunks and 10,000 series, and reads the series.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir() + "/store"
	filled(b, dir, 10_000, 10, 1)
	for _, readOnly := range []bool{true, false} {
		b.Run(fmt.Sprintf("readOnly=%v", readOnly), func(b *testing.B) {
			for b.Loop() {
				s := mustOpen(b, Options{Dir: dir, ReadOnly: readOnly})
				n := 0
				if err := s.EachSeries(0, func(uint64, []byte) error { n++; return nil }); err != nil || n != 10_000 {
					b.Fatal(n, err)
				}
				mustClose(b, s)
			}
		})
	}
}

// BenchmarkRead reads 1,000 series with a chunk in each of 60 windows, as of five years by the hour.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir() + "/store"
	filled(b, dir, 1000, 60, 1)
	s := mustOpen(b, Options{Dir: dir})
	defer mustClose(b, s)
	b.Run("NewCursor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := s.NewCursor()
			if err != nil {
				b.Fatal(err)
			}
			if err := c.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("NewCursorSeek", func(b *testing.B) {
		for i := uint64(0); b.Loop(); i++ {
			c, err := s.NewCursor()
			if err != nil || !c.SeekTime(int64(i%60), i*7%1000, 1<<62) {
				b.Fatal(err)
			}
			if err := c.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("series of 60 windows", func(b *testing.B) {
		for i := uint64(0); b.Loop(); i++ {
			if n := readSeries(b, s, i*7%1000); n != 60 {
				b.Fatal(n)
			}
		}
	})
	b.Run("all of 60,000 chunks, by series", func(b *testing.B) {
		for b.Loop() {
			for id := range uint64(1000) {
				readSeries(b, s, id)
			}
		}
	})
	b.Run("all of 60,000 chunks, by window", func(b *testing.B) {
		for b.Loop() {
			c, err := s.NewCursor()
			if err != nil {
				b.Fatal(err)
			}
			for ok := c.SeekFrom(0, 0, 0); ok; ok = c.Next() {
				if _, err := c.Chunk(); err != nil {
					b.Fatal(err)
				}
			}
			c.Close()
		}
	})
}

// readSeries reads all chunks of a series with a new cursor and counts them.
func readSeries(b *testing.B, s *Store, id uint64) (n int) {
	c, err := s.NewCursor()
	if err != nil {
		b.Fatal(err)
	}
	for w, ok := c.FindWindowOf(id, 0); ok; w, ok = c.FindWindowOf(id, w+1) {
		for ok := true; ok; ok = c.Next() {
			if _, err := c.Chunk(); err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
	return n
}
