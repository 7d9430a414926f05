package client

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"
)

// serveOnce serves one connection, in a goroutine of its own, until the benchmark ends.
func serveOnce(b *testing.B, serve func(net.Conn)) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); err == nil {
			serve(c)
			c.Close()
		}
	}()
	b.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// benchKeys are keys as agents send them.
func benchKeys() []string {
	keys := make([]string, 10_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("host_%04d.cpu.usage_user", i)
	}
	return keys
}

func BenchmarkWriterPut(b *testing.B) {
	keys := benchKeys()
	t := time.Unix(1_700_000_000, 0)
	benchmarkWriter(b, func(w *Writer, i int) error {
		return w.Put(keys[i%len(keys)], float64(i%9973)/100, t)
	})
}

func BenchmarkWriterPutLine(b *testing.B) {
	line := []byte("put host_0042.cpu.usage_user 51.84 1700000000\n")
	benchmarkWriter(b, func(w *Writer, _ int) error { return w.PutLine(line) })
}

// benchmarkWriter measures put and its acknowledgement. The figure includes the server in
// this process, which counts line ends and says ok.
func benchmarkWriter(b *testing.B, put func(w *Writer, i int) error) {
	ctx := context.Background()
	w, err := DialWriter(ctx, serveOnce(b, acknowledge), WriterOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := put(w, i); err != nil {
			b.Fatal(err)
		}
		i++
	}
	if err := w.Close(ctx); err != nil {
		b.Fatal(err)
	}
}
