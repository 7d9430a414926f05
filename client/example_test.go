package client_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"metricd"
	"metricd/client"
)

// startServer runs a server on any free port until stop is called.
func startServer() (addr string, stop func()) {
	s, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	return s.Addr().String(), func() {
		cancel()
		<-served
		s.Close()
	}
}

func Example() {
	addr, stop := startServer()
	defer stop()

	ctx := context.Background()
	c, err := client.Dial(ctx, addr, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Put(ctx, "palm.cpu", 23.7, time.Unix(1150864247, 0)); err != nil {
		log.Fatal(err)
	}
	samples, err := c.Get(ctx, "palm.cpu")
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range samples {
		fmt.Println(s.Time, s.Value)
	}
	// Output: 2006-06-21 04:30:47 +0000 UTC 23.7
}

// A Writer sends many samples without waiting for each reply. What the server refuses is
// told to OnError.
func ExampleWriter() {
	addr, stop := startServer()
	defer stop()

	ctx := context.Background()
	w, err := client.DialWriter(ctx, addr, client.WriterOptions{
		OnError: func(e *client.PutError) { fmt.Println(e) },
	})
	if err != nil {
		log.Fatal(err)
	}
	begin := time.Unix(1150864247, 0)
	for i := range 100_000 {
		if err := w.Put("palm.cpu", float64(i%100)/2, begin.Add(time.Duration(i)*time.Second)); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.PutLine([]byte("put palm.cpu much 1150864247")); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(ctx); err != nil { // all is acknowledged or refused now
		log.Fatal(err)
	}
	// Output: line 100001: "put palm.cpu much 1150864247": server: wrong command
}

// GetAll gives everything row by row, however much it is.
func ExampleClient_GetAll() {
	addr, stop := startServer()
	defer stop()

	ctx := context.Background()
	c, err := client.Dial(ctx, addr, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for i, key := range []string{"palm.cpu", "palm.mem", "palm.cpu"} {
		if err := c.Put(ctx, key, float64(i)/4, time.Unix(1150864247-int64(i), 0)); err != nil {
			log.Fatal(err)
		}
	}
	for row, err := range c.GetAll(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(row.Key, row.Value, row.Time.Unix())
	}
	// Output:
	// palm.cpu 0.5 1150864245
	// palm.cpu 0 1150864247
	// palm.mem 0.25 1150864246
}
