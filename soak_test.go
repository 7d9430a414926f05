package metricd_test

import (
	"context"
	"errors"
	"flag"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"metricd"
	"metricd/client"
)

var soak = flag.Duration("soak", 2*time.Second, "how long TestSoak puts load on servers; scripts/soak takes longer")

// longestTrial bounds one server's life, and so the memory of a long soak.
const longestTrial = 5 * time.Second

// patience is how long verifying and stopping one server may take at most.
const patience = 2 * time.Minute

// TestSoak runs one server after the other under mixed load (soakload_test.go). Writers keep what was
// acknowledged, and every server must hold exactly that in the end, while others still read slowly, break
// off and send nonsense. Then it is stopped under that load, and no goroutine may be left. What -race finds is
// found on the way.
func TestSoak(t *testing.T) {
	end := time.Now().Add(*soak)
	total := map[string]int64{}
	trials := 0
	for left := *soak; left > 0 && !t.Failed(); left = time.Until(end) {
		trials++
		for role, n := range runTrial(t, uint64(trials), min(left, longestTrial)) {
			total[role] += n
		}
	}
	t.Logf("%d servers; done by each role: %v", trials, total)
	goleak.VerifyNone(t)
}

// load is one server under test and those who use it.
type load struct {
	t    *testing.T
	addr string
	seed uint64

	writing context.Context // done when the writers are to end
	running context.Context // done when the server is about to be stopped

	mu struct {
		sync.Mutex
		acked  samples // what the server must hold
		unsure samples // sent, but the reply was not read
		done   map[string]*atomic.Int64
	}
}

// samples are values by key and second.
type samples map[string]map[int64]float64

func (s samples) put(key string, at int64, v float64) {
	if s[key] == nil {
		s[key] = map[int64]float64{}
	}
	s[key][at] = v
}

// count returns the counter of what a role has done.
func (l *load) count(role string) *atomic.Int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.done[role] == nil {
		l.mu.done[role] = new(atomic.Int64)
	}
	return l.mu.done[role]
}

// keep adds what a writer knows about its own series.
func (l *load) keep(acked, unsure samples) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, s := range acked {
		l.mu.acked[key] = s
	}
	for key, s := range unsure {
		l.mu.unsure[key] = s
	}
}

// runTrial loads one server for some time and returns what each role did.
func runTrial(t *testing.T, seed uint64, lasts time.Duration) map[string]int64 {
	watchdog := time.AfterFunc(lasts+patience, func() {
		debug.SetTraceback("all")
		panic("a trial hangs")
	})
	defer watchdog.Stop()
	s, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(serving) }()

	writing, endWriting := context.WithTimeout(context.Background(), lasts)
	defer endWriting()
	running, endRunning := context.WithCancel(context.Background())
	l := &load{t: t, addr: s.Addr().String(), seed: seed, writing: writing, running: running}
	l.mu.acked, l.mu.unsure, l.mu.done = samples{}, samples{}, map[string]*atomic.Int64{}

	var writers, others sync.WaitGroup
	for id := range 3 {
		writers.Go(func() { l.stream(id) })
		writers.Go(func() { l.single(id) })
		writers.Go(func() { l.cut(id) })
		others.Go(func() { l.noise(id) })
		others.Go(func() { l.slow() })
	}
	writers.Go(l.each)
	others.Go(l.watch)
	writers.Wait()
	l.verify()

	begin := time.Now()
	endRunning()
	stop()
	if err := errors.Join(<-served, s.Close()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the stop took %v, want at most 10 s", took)
	}
	others.Wait()
	done := map[string]int64{}
	for role, n := range l.mu.done {
		if done[role] = n.Load(); done[role] == 0 {
			t.Errorf("%s did nothing", role)
		}
	}
	return done
}

// verify compares all that the server holds with what the writers know.
func (l *load) verify() {
	c := l.dial()
	if c == nil {
		return
	}
	defer c.Close()
	for row, err := range c.GetAll(context.Background()) {
		if err != nil {
			l.t.Error(err)
			return
		}
		at := row.Time.Unix()
		if v, ok := l.mu.acked[row.Key][at]; ok {
			if !same(v, row.Value) {
				l.t.Errorf("%s has %v at %d, want %v", row.Key, row.Value, at, v)
			}
			delete(l.mu.acked[row.Key], at)
		} else if v, ok := l.mu.unsure[row.Key][at]; row.Key != noiseKey && !(ok && same(v, row.Value)) {
			l.t.Errorf("%s has %v at %d, which was never put", row.Key, row.Value, at)
		}
	}
	for key, lost := range l.mu.acked {
		for at, v := range lost {
			l.t.Errorf("%s lost %v at %d and %d others, which were acknowledged", key, v, at, len(lost)-1)
			break
		}
	}
}

// same says whether two values are the same number; there is only one NaN in the protocol.
func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

// unforgiving are the options of clients that must never lose a connection.
var unforgiving = client.Options{NoResend: true, RetryFor: -1}

// dial returns a new client, nil after an error.
func (l *load) dial() *client.Client {
	c, err := client.Dial(context.Background(), l.addr, unforgiving)
	if err != nil {
		l.t.Error(err)
		return nil
	}
	return c
}
