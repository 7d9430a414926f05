package metricd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"metricd"
	"metricd/client"
)

// TestQueriesWhileWriting: a thousand clients ask at once, and all get their answer; puts don't wait for them, and the heap stays small.
func TestQueriesWhileWriting(t *testing.T) {
	const (
		clients, series, samples = 1000, 20, 80
		mostHeap                 = 1 << 30
	)
	s, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	var lines strings.Builder
	for i := range samples {
		for k := range series {
			fmt.Fprintf(&lines, "put load;host=%d %d %d\n", k, i*k, 1_700_000_000+15*i)
		}
	}
	say(t, s.Addr().String(), lines.String(), series*samples)

	asked := make(chan struct{}) // closed when all have their answer
	var asking sync.WaitGroup
	web := &http.Client{Transport: &http.Transport{MaxConnsPerHost: clients}}
	defer web.CloseIdleConnections()
	url := "http://" + s.HTTPAddr().String() + "/api/v1/query_range?query=sum(rate(load[5m]))&start=1700000300&end=1700001200&step=15"
	for range clients {
		asking.Go(func() {
			if err := get(web, url); err != nil {
				t.Error(err)
			}
		})
	}
	go func() {
		asking.Wait()
		close(asked)
	}()

	c, err := client.Dial(t.Context(), s.Addr().String(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	puts, heap := 0, uint64(0)
	for done := false; !done; puts++ {
		if err := c.Put(t.Context(), "beside", float64(puts), time.Unix(int64(puts), 0)); err != nil {
			t.Fatal(err)
		}
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		heap = max(heap, sample[0].Value.Uint64())
		select {
		case <-asked:
			done = true
		default:
		}
	}
	t.Logf("%d puts beside %d queries, at most %d MiB of heap", puts, clients, heap>>20)
	if puts < 2 {
		t.Errorf("a put was answered only when %d queries had been", clients)
	}
	if heap > mostHeap {
		t.Errorf("%d MiB of heap, want %d at most", heap>>20, mostHeap>>20)
	}
	stop()
	if err := errors.Join(c.Close(), <-served, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// get asks for url, and reads the answer.
func get(web *http.Client, url string) error {
	answer, err := web.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), `"resultType":"matrix","result":[{`) {
		return fmt.Errorf("%s: %.200s %w", answer.Status, text, err)
	}
	return nil
}

// say sends puts and waits for their replies.
func say(t *testing.T, addr, lines string, puts int) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go io.WriteString(conn, lines)
	if _, err := io.ReadFull(conn, make([]byte, puts*len("ok\n\n"))); err != nil {
		t.Fatal(err)
	}
}
