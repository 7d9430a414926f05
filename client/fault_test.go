package client

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// faultyServer carries out puts and loses each connection at a random byte, of requests or of replies.
type faultyServer struct {
	seed uint64
	mu   struct {
		sync.Mutex
		lines []string // carried out, in their order
	}
}

func (s *faultyServer) serve(n int, p *peer) {
	rnd := rand.New(rand.NewPCG(s.seed, uint64(n)))
	in, out := rnd.IntN(60_000), rnd.IntN(12_000)
	for {
		line := p.line()
		if in -= len(line) + 1; in < 0 || line == "" {
			break
		}
		s.mu.Lock()
		s.mu.lines = append(s.mu.lines, line)
		s.mu.Unlock()
		reply := "ok\n\n"
		if line[len(line)-1] == '7' {
			reply = "error\nno sevens\n\n"
		}
		if len(reply) > out {
			p.say(reply[:out])
			break
		}
		out -= len(reply)
		p.say(reply)
	}
	if rnd.IntN(2) == 0 {
		p.reset()
	}
}

// TestWriterFaults sends many lines through a server that keeps losing its connections. Each line must
// be carried out, the last time in its place, so that the last write wins as if nothing had happened;
// and each that is refused must be reported once.
func TestWriterFaults(t *testing.T) {
	const n = 10_000
	for seed := range uint64(3) {
		s := faultyServer{seed: seed}
		var refused []int64
		opts := WriterOptions{MaxBytes: 100_000, Linger: time.Millisecond, OnError: func(e *PutError) { refused = append(refused, e.Number) }}
		opts.MaxBackoff = time.Millisecond
		w := dialWriter(t, listen(t, s.serve), opts)
		putLines(t, w, 0, n)
		closeWriter(t, w)

		last := make(map[string]int) // the last place of each line
		for i, line := range s.mu.lines {
			last[line] = i
		}
		if len(last) != n {
			t.Fatalf("seed %d: %d lines carried out, want %d", seed, len(last), n)
		}
		var want []int64
		for i := range n {
			if i > 0 && last[lineOf(i)] < last[lineOf(i-1)] {
				t.Errorf("seed %d: line %d was carried out before line %d", seed, i, i-1)
			}
			if i%10 == 7 {
				want = append(want, int64(i+1))
			}
		}
		if !slices.Equal(refused, want) {
			t.Errorf("seed %d: %d lines refused, want %d, each once and in order", seed, len(refused), len(want))
		}
	}
}
