package lineserver

import (
	"bufio"
	"io"
	"testing"
)

// TestWatch: what connections do between the two calls is told, the busiest first, and nothing of those that are idle.
func TestWatch(t *testing.T) {
	r := start(t, Config{})
	busy, busier, idle := r.dial(), r.dial(), r.dial()
	exchange := func(c io.ReadWriter, request string, lines int) {
		t.Helper()
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(c)
		for range lines {
			if _, err := in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	exchange(idle, "put a 1 1\n", 2)
	exchange(busy, "put a 1 1\n", 2)
	end := r.srv.Watch()
	exchange(busy, "put a 1 1\nget a\n", 5)
	exchange(busier, "put a 1 1\nput a 1 2\nput b 1 3\n", 6)
	got := end(10)
	want := []BusyConn{
		{Client: busier.LocalAddr().String(), Puts: 3, Received: 30},
		{Client: busy.LocalAddr().String(), Puts: 1, Gets: 1, Received: 16},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for i := range want {
		got[i].Sent = 0 // may be counted after the client has it
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
	if got := end(1); len(got) != 1 {
		t.Errorf("got %d, want the busiest only", len(got))
	}
}
