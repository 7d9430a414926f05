package metricd_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"metricd"
	"metricd/client"
)

// A server inside another program, and a client of it.
func ExampleOpen() {
	s, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0"}) // port 0: any free one
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()

	c, err := client.Dial(ctx, s.Addr().String(), client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Put(ctx, "palm.cpu", 23.7, time.Unix(1150864247, 0)); err != nil {
		log.Fatal(err)
	}
	samples, err := c.Get(ctx, "palm.cpu")
	fmt.Println(samples, err)
	c.Close()

	stop()
	fmt.Println(<-served, s.Close())
	// Output:
	// [{2006-06-21 04:30:47 +0000 UTC 23.7}] <nil>
	// <nil> <nil>
}

// A server in one call, until SIGINT or SIGTERM.
func ExampleRunServer() {
	if err := metricd.RunServer("127.0.0.1", 8888); err != nil {
		log.Fatal(err)
	}
}
