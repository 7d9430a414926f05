package client_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"metricd/client"
)

func Example() {
	ctx := context.Background()
	c, err := client.Dial(ctx, "127.0.0.1:8888", client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Put(ctx, "palm.cpu", 0.5, time.Now()); err != nil {
		log.Fatal(err)
	}
	samples, err := c.Get(ctx, "palm.cpu")
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range samples {
		fmt.Println(s.Time, s.Value)
	}
}

// A Writer sends many samples without waiting for each reply.
func ExampleWriter() {
	ctx := context.Background()
	w, err := client.DialWriter(ctx, "127.0.0.1:8888", client.WriterOptions{
		OnError: func(e *client.PutError) { log.Print(e) },
	})
	if err != nil {
		log.Fatal(err)
	}
	begin := time.Now()
	for i := range 1_000_000 {
		if err := w.Put("some.key", float64(i)/100, begin.Add(time.Duration(i)*time.Second)); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(ctx); err != nil {
		log.Fatal(err)
	}
}
