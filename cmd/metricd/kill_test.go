package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"metricd/client"
)

// sent is one put of a connection, in order.
type sent struct {
	key   string
	t     int64
	value float64
}

var kills = flag.Int("kills", 30, "how often TestKill kills a server; scripts/soak does it oftener")

// TestKill kills the real server at random moments under load from eight connections, with overwrites and late
// samples, and starts it again on the same directory: every sample has the newest value that was acknowledged, or
// a newer one that was sent, and there is no other.
func TestKill(t *testing.T) {
	const (
		conns = 8
		life  = 50 // kills of one directory
	)
	var dir string
	var known map[string]map[int64]float64 // what the last restart found
	rounds := *kills
	if testing.Short() {
		rounds = min(rounds, 6)
	}
	for round := range rounds {
		if round%life == 0 {
			dir, known = fmt.Sprintf("%s/data%d", t.TempDir(), round), map[string]map[int64]float64{}
		}
		mode := []string{"always", "interval"}[round%2]
		server, addr := startOn(t, dir, mode)
		compareKilled(t, addr, known, nil)
		var logs [conns]sending
		var senders sync.WaitGroup
		for c := range conns {
			senders.Go(func() { logs[c].run(addr, round, c) })
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond) // the moment is to be random
		if err := server.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		server.Wait() // it was killed
		senders.Wait()
		server, addr = startOn(t, dir, mode)
		compareKilled(t, addr, known, logs[:])
		if err := server.Process.Signal([]os.Signal{os.Interrupt, syscall.SIGTERM}[round/2%2]); err != nil {
			t.Fatal(err)
		}
		if err := server.Wait(); err != nil {
			t.Fatalf("stop: %v", err)
		}
	}
}

// startOn starts a server on the directory and returns its address.
func startOn(t *testing.T, dir, fsync string) (*exec.Cmd, string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: exe, Args: []string{"metricd", "serve", "--listen", "127.0.0.1:0", "--http", "none", "--data", dir, "--fsync", fsync}, Stderr: os.Stderr}
	cmd.Env = append(os.Environ(), "METRICD_LOG_LEVEL=error")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	_, rest, _ := strings.Cut(line, " listens on ")
	addr, _, _ := strings.Cut(rest, " ")
	return cmd, addr
}

// sending is what one connection sent, and how much of it was acknowledged.
type sending struct {
	puts  []sent
	acked int
}

// run sends puts of its own keys, a hundred at a time, until the server is gone.
func (s *sending) run(addr string, round, c int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	rnd := rand.New(rand.NewPCG(uint64(round), uint64(c)))
	replies := bufio.NewReader(conn)
	for n := 0; ; {
		var text []byte
		batch := 1 + rnd.IntN(100)
		for range batch {
			n++
			p := sent{fmt.Sprintf("kill.%d.%d", c, rnd.IntN(5)), int64(rnd.IntN(500)), float64(round*1_000_000 + n)}
			if rnd.IntN(3) > 0 {
				p.t = int64(round*100_000 + n)
			}
			s.puts = append(s.puts, p)
			text = fmt.Appendf(text, "put %s %g %d\n", p.key, p.value, p.t)
		}
		if _, err := conn.Write(text); err != nil {
			return
		}
		for range batch {
			for _, want := range []string{"ok\n", "\n"} {
				if line, err := replies.ReadString('\n'); err != nil || line != want {
					return
				}
			}
			s.acked++
		}
	}
}

// compareKilled compares what the server has with what was known before and what was sent since, and makes it what
// is known.
func compareKilled(t *testing.T, addr string, known map[string]map[int64]float64, logs []sending) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	maybe := map[sent]bool{}
	for _, l := range logs {
		for i, p := range l.puts {
			if i >= l.acked {
				maybe[p] = true
				continue
			}
			if known[p.key] == nil {
				known[p.key] = map[int64]float64{}
			}
			known[p.key][p.t] = p.value
		}
	}
	found := map[string]map[int64]float64{}
	total := 0
	for r, err := range c.GetAll(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		at := r.Time.Unix()
		want, has := known[r.Key][at]
		if !(has && r.Value == want) && !maybe[sent{r.Key, at, r.Value}] {
			t.Fatalf("%s at %d is %g; want %g (%v), or what was not acknowledged", r.Key, at, r.Value, want, has)
		}
		if found[r.Key] == nil {
			found[r.Key] = map[int64]float64{}
		}
		found[r.Key][at] = r.Value
		total++
	}
	for key, samples := range known {
		for at := range samples {
			if _, there := found[key][at]; !there {
				t.Fatalf("%s at %d was acknowledged and is gone; %d samples are there", key, at, total)
			}
		}
	}
	clear(known)
	for key, samples := range found {
		known[key] = samples
	}
}
