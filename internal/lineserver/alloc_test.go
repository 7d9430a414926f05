package lineserver

import (
	"bytes"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// TestPutAllocs: a put allocates nothing between the socket and the store, alone or among many.
func TestPutAllocs(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	for _, tt := range []struct {
		lines int
		late  bool // the session has to wait for the store
	}{{1, false}, {200, false}, {1, true}, {200, true}} {
		lines := tt.lines
		var store storage.Store = openStore(tsdb.Options{})
		t.Cleanup(func() { store.Close() })
		if tt.late {
			store = lateStore{store}
		}
		c := start(t, Config{Store: store}).dial()
		var requests []byte
		for i := range lines {
			requests = fmt.Appendf(requests, "put host_%04d.cpu.usage_user %d.%02d 1700000000\n", i, i%100, i*7%100)
		}
		want := []byte(strings.Repeat("ok\n\n", lines))
		got := make([]byte, len(want))
		exchange := func() {
			if _, err := c.Write(requests); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("got %.100q, err %v", got, err)
			}
		}
		for range 20 {
			exchange()
		}
		if n := testing.AllocsPerRun(200, exchange); n > 0 {
			t.Errorf("%v allocations for %d puts at once, late: %v", n, lines, tt.late)
		}
	}
}

// BenchmarkPuts sends the lines of agents over loopback: 10,000 series, all at one time, then all
// at the next. The time is that of the slower of client and server.
func BenchmarkPuts(b *testing.B) {
	c := start(b, Config{}).dial()
	var lines [10_000][]byte
	for i := range lines {
		lines[i] = fmt.Appendf(nil, "put host_%04d.cpu.usage_user %d.%02d ", i, i*31%100, i*7%100)
	}
	go io.Copy(io.Discard, c)
	var buf []byte
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		buf = append(buf, lines[i%len(lines)]...)
		buf = strconv.AppendInt(buf, int64(1_700_000_000+i/len(lines)*10), 10)
		buf = append(buf, '\n')
		if len(buf) > 128<<10 || i == b.N-1 {
			if _, err := c.Write(buf); err != nil {
				b.Fatal(err)
			}
			buf = buf[:0]
		}
	}
}

// BenchmarkGet gets keys of 1,000 samples, each after the reply to the one before.
func BenchmarkGet(b *testing.B) {
	r := start(b, Config{})
	var requests, want bytes.Buffer
	want.WriteString("ok\n")
	for i := range 1000 {
		fmt.Fprintf(&requests, "put host_0042.cpu.usage_user %d.%02d5 %d\n", i%100, i*7%100, 1_700_000_000+i*10)
		fmt.Fprintf(&want, "host_0042.cpu.usage_user %d.%02d5 %d\n", i%100, i*7%100, 1_700_000_000+i*10)
	}
	want.WriteString("\n")
	r.talk(requests.String())
	c := r.dial()
	got := make([]byte, want.Len())
	b.SetBytes(int64(len(got)))
	b.ReportAllocs()
	for b.Loop() {
		io.WriteString(c, "get host_0042.cpu.usage_user\n")
		if _, err := io.ReadFull(c, got); err != nil {
			b.Fatal(err)
		}
	}
	if !bytes.Equal(got, want.Bytes()) {
		b.Errorf("got %.200q", got)
	}
}
