package wal

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"
)

// order stands for the engine's append lock: it gives out sequences.
type order struct {
	sync.Mutex
	seq uint64
}

func (o *order) append(l *Log, rec []byte) (uint64, error) {
	o.Lock()
	defer o.Unlock()
	o.seq++
	return o.seq, l.Append(rec, o.seq)
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkAppendWait is one put at a time: each goroutine appends a record and waits for it. Vary
// GOMAXPROCS with -cpu.
func BenchmarkAppendWait(b *testing.B) {
	for _, mode := range []Mode{Always, Interval} {
		for _, goroutines := range []int{1, 8, 50, 200, 1000} {
			b.Run(fmt.Sprintf("mode=%d/goroutines=%d", mode, goroutines), func(b *testing.B) {
				l, _, err := Open(Options{Dir: b.TempDir(), Mode: mode}, nil)
				if err != nil {
					b.Fatal(err)
				}
				defer l.Close()
				var o order
				var left sync.WaitGroup
				ctx, cancel := context.WithCancel(b.Context())
				defer cancel()
				rec := make([]byte, 20)
				cpu := cpuTime()
				b.ResetTimer()
				for g := range goroutines {
					left.Go(func() {
						for i := g; i < b.N; i += goroutines {
							seq, err := o.append(l, rec)
							if err == nil {
								err = l.Wait(ctx, seq)
							}
							if err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				left.Wait()
				b.StopTimer()
				st := l.Stats()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
				b.ReportMetric(float64(st.Records)/float64(st.Groups), "records/group")
				b.ReportMetric((cpuTime()-cpu).Seconds()*1e6/float64(b.N), "cpu-s/M")
			})
		}
	}
}

// BenchmarkAppend is one sender that reads on while its last batch is being synced.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{20, 1024, 5 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			l, _, err := Open(Options{Dir: b.TempDir()}, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			rec := make([]byte, size)
			b.SetBytes(int64(size))
			cpu := cpuTime()
			var appending time.Duration
			b.ResetTimer()
			for seq := uint64(1); seq <= uint64(b.N); seq++ {
				if err := l.Throttle(b.Context()); err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				if err := l.Append(rec, seq); err != nil {
					b.Fatal(err)
				}
				appending += time.Since(start)
			}
			if err := l.Wait(b.Context(), uint64(b.N)); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			b.ReportMetric(float64(appending.Nanoseconds())/float64(b.N), "ns/append")
			b.ReportMetric((cpuTime()-cpu).Seconds()*1e6/float64(b.N), "cpu-s/M")
		})
	}
}

// BenchmarkReplay reads 64 MiB of records.
func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{20, 5 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			o := Options{Dir: b.TempDir()}
			l, _, err := Open(o, nil)
			if err != nil {
				b.Fatal(err)
			}
			rec := make([]byte, size)
			var seq uint64
			for l.Size() < 64<<20 {
				seq++
				if err := l.Append(rec, seq); err != nil {
					b.Fatal(err)
				}
			}
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				r, err := Replay(o, func(uint64, []byte) error { return nil })
				if err != nil || r.Last != seq {
					b.Fatal(r, err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(seq), "ns/record")
		})
	}
}
