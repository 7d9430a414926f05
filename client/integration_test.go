package client_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"metricd"
	"metricd/client"
)

// serve starts a server and returns its address and what stops it, which may be called early.
func serve(t *testing.T, cfg metricd.Config) (addr string, stop func()) {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	s, err := metricd.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-served, s.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s.Addr().String(), stop
}

func dial(t *testing.T, addr string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestServer writes with both writers to a real server and reads everything back.
func TestServer(t *testing.T) {
	addr, _ := serve(t, metricd.Config{MaxSeries: 101})
	c := dial(t, addr)
	ctx := t.Context()
	if err := c.Put(ctx, "first", math.Inf(-1), time.Unix(-5, 0)); err != nil {
		t.Fatal(err)
	}
	var refused []error
	w, err := client.DialWriter(ctx, addr, client.WriterOptions{OnError: func(e *client.PutError) { refused = append(refused, e) }})
	if err != nil {
		t.Fatal(err)
	}
	const keys, seconds = 100, 500
	want := []client.Row{{Key: "first", Time: time.Unix(-5, 0).UTC(), Value: math.Inf(-1)}}
	for k := range keys {
		key := fmt.Sprintf("host_%02d.cpu;core=%d", k, k)
		for i := range seconds {
			row := client.Row{Key: key, Time: time.Unix(int64(i), 0).UTC(), Value: float64(i*k) / 100}
			want = append(want, row)
			if err := w.Put(row.Key, row.Value, row.Time); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, line := range []string{"put one_too_many 1 1", "put a b c"} {
		if err := w.PutLine([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if len(refused) != 2 || errors.Is(refused[0], client.ErrWrongCommand) || !errors.Is(refused[1], client.ErrWrongCommand) {
		t.Errorf("refused: %v, want one for the limit of series and one wrong command", refused)
	}

	var got []client.Row
	for row, err := range c.GetAll(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	if !slices.Equal(got, want) {
		t.Errorf("get * gave %d rows, want the %d written", len(got), len(want))
	}
	samples, err := c.Get(ctx, "host_07.cpu;core=7")
	if err != nil || len(samples) != seconds || samples[3] != (client.Sample{Time: time.Unix(3, 0).UTC(), Value: .21}) {
		t.Errorf("get gave %d samples, %v", len(samples), err)
	}
	if samples, err := c.Get(ctx, "nothing"); err != nil || len(samples) != 0 {
		t.Errorf("get of nothing gave %v, %v", samples, err)
	}
}

// TestServerRestarts stops the server under a Writer and a Client and starts another at the same address.
func TestServerRestarts(t *testing.T) {
	addr, stop := serve(t, metricd.Config{})
	c := dial(t, addr)
	w, err := client.DialWriter(t.Context(), addr, client.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	for i := range n {
		if i == n/2 {
			if err := w.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			stop()
		}
		if err := w.Put("k", float64(i), time.Unix(int64(i), 0)); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, metricd.Config{Listen: addr})
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := c.Get(t.Context(), "k")
	if err != nil || len(got) != n/2 || got[0].Value != n/2 {
		t.Errorf("got %d samples, %v, want the %d put after the stop", len(got), err, n/2)
	}
}

func TestServerIsFull(t *testing.T) {
	addr, _ := serve(t, metricd.Config{MaxConns: 1})
	first := dial(t, addr)
	if _, err := first.Get(t.Context(), "k"); err != nil { // it has been accepted
		t.Fatal(err)
	}
	second, err := client.Dial(t.Context(), addr, client.Options{RetryFor: 20 * time.Millisecond, MinBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := second.Put(t.Context(), "k", 1, time.Unix(1, 0)); err == nil {
		t.Error("put on a connection too many, want an error")
	}
	first.Close()
	// The server may not have seen yet that the first one is gone: that is what trying again is for.
	third := dial(t, addr)
	if err := third.Put(t.Context(), "k", 1, time.Unix(1, 0)); err != nil {
		t.Error(err)
	}
}
