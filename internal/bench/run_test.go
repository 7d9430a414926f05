package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"metricd/internal/lineproto"
)

// small returns a config for a run that a test can afford.
func small(s *mapServer, workload string) Config {
	return Config{Workload: workload, Addr: s.addr, Series: 30, Samples: 40, Connections: 3, Requests: 20, Batch: 1000, ReadBack: 10}
}

func TestWorkloads(t *testing.T) {
	for _, w := range Workloads() {
		if w.Name == "redis" {
			continue
		}
		t.Run(w.Name, func(t *testing.T) {
			s := new(mapServer).serve(t)
			cfg := small(s, w.Name)
			cfg.PID = os.Getpid()
			rep, err := Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int64{"get": 20, "getall": 20 * 30 * 40, "idle": 3, "idle-put": 3}
			if _, ok := want[w.Name]; !ok {
				want[w.Name] = 30 * 40
			}
			res := rep.Results[0]
			if res.Acknowledged != want[w.Name] || res.Errors != 0 {
				t.Errorf("%d acknowledged and %d errors, want %d and 0", res.Acknowledged, res.Errors, want[w.Name])
			}
			if res.Server == nil || res.Server.RSSAfter <= 0 {
				t.Errorf("server: %+v, want its memory", res.Server)
			}
			if (res.Latency == nil) != (w.latencyOf == "") {
				t.Errorf("latency: %v of %q", res.Latency, w.latencyOf)
			}
			compared := map[string]int64{"get": 20 * 40, "getall": 20 * 30 * 40, "years": 20*40 + 30*40, "idle": 0, "idle-put": 0}
			if _, ok := compared[w.Name]; !ok {
				compared[w.Name] = 10 * 40
			}
			if res.ReadBack != compared[w.Name] {
				t.Errorf("%d samples read back, want %d", res.ReadBack, compared[w.Name])
			}
			_, samples := s.state()
			stored := map[string]int{"idle": 0, "idle-put": 3}
			if n, ok := stored[w.Name]; !ok && samples != 30*40 || ok && samples != n {
				t.Errorf("the server holds %d samples", samples)
			}
			checkPrints(t, &rep)
		})
	}
}

// checkPrints checks that a report comes out as text and as JSON.
func checkPrints(t *testing.T, rep *Report) {
	t.Helper()
	var text bytes.Buffer
	if err := rep.WriteText(&text); err != nil || !strings.Contains(text.String(), "acknowledged") {
		t.Errorf("text: %v: %s", err, &text)
	}
	data, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil || back.Results[0].Acknowledged != rep.Results[0].Acknowledged {
		t.Errorf("JSON: %v: %s", err, data)
	}
}

func TestSamplesArriveInOrder(t *testing.T) {
	var times []int64
	s := (&mapServer{reply: func(_ int, req *lineproto.Request) []byte {
		times = append(times, req.Time)
		return nil
	}}).serve(t)
	cfg := small(s, "reverse")
	cfg.Series = 1
	if _, err := Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(times, func(a, b int64) int { return int(b - a) }) || len(times) != 40 {
		t.Errorf("%d samples, not newest first: %v", len(times), times)
	}
}

func TestEachRunHasNewKeys(t *testing.T) {
	s := new(mapServer).serve(t)
	cfg := small(s, "walk")
	cfg.Runs, cfg.Prefix = 2, "x."
	for range 2 {
		if _, err := Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	keys, samples := s.state()
	if samples != 4*30*40 || len(keys) != 4*30 {
		t.Errorf("%d keys and %d samples after four runs", len(keys), samples)
	}
	for _, prefix := range []string{"x.host_", "x.r2.host_", "x.r3.host_", "x.r4.host_"} {
		if !slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, prefix) }) {
			t.Errorf("no key begins with %s", prefix)
		}
	}
}

func TestGetAllBesideOtherKeys(t *testing.T) {
	s := new(mapServer).serve(t)
	for _, prefix := range []string{"", "other."} {
		cfg := small(s, "walk")
		cfg.Prefix = prefix
		if _, err := Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	rep, err := Run(t.Context(), small(s, "getall"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rep.Results[0].Acknowledged, int64(20*3*30*40); got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
}

// TestBadServers checks that no workload that reads back passes with a server that loses
// or changes a single sample, and that none passes with one that refuses or breaks off.
func TestBadServers(t *testing.T) {
	const bad = 700 // the number of the put that goes wrong
	faults := map[string]struct {
		reply func(n int, req *lineproto.Request) []byte
		want  string
	}{
		"loses a sample": {func(n int, _ *lineproto.Request) []byte {
			return map[bool][]byte{true: []byte(lineproto.OK)}[n == bad]
		}, "want"},
		"changes a value": {func(n int, req *lineproto.Request) []byte {
			if n == bad {
				req.Value += 0.01
			}
			return nil
		}, "want"},
		"changes a time": {func(n int, req *lineproto.Request) []byte {
			if n == bad {
				req.Time++
			}
			return nil
		}, "want"},
		"refuses a sample": {func(n int, _ *lineproto.Request) []byte {
			return map[bool][]byte{true: lineproto.AppendError(nil, "no room left")}[n == bad]
		}, "no room left"},
		"answers with a row": {func(n int, _ *lineproto.Request) []byte {
			return map[bool][]byte{true: []byte("ok\nk 1.0 1\n\n")}[n == bad]
		}, ""},
		"answers twice": {func(n int, _ *lineproto.Request) []byte {
			return map[bool][]byte{true: []byte(lineproto.OK + lineproto.OK)}[n == bad]
		}, ""},
		"speaks another protocol": {func(n int, _ *lineproto.Request) []byte {
			return map[bool][]byte{true: []byte("+OK\r\n\n\n")}[n == bad]
		}, ""},
	}
	for name, fault := range faults {
		for _, workload := range []string{"walk", "shuffle", "single", "get", "getall", "years"} {
			t.Run(name+"/"+workload, func(t *testing.T) {
				s := (&mapServer{reply: fault.reply}).serve(t)
				cfg := small(s, workload)
				cfg.ReadBack = cfg.Series
				cfg.Requests = 2000 // so that every key is read
				if workload == "getall" {
					cfg.Requests = 3
				}
				_, err := Run(t.Context(), cfg)
				if err == nil || !strings.Contains(err.Error(), fault.want) {
					t.Errorf("the run ended with %v", err)
				}
			})
		}
	}
}

// TestUntilIdle: a process that does nothing is waited for, and a process that works is until it stops.
func TestUntilIdle(t *testing.T) {
	const busy = "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done; sleep 1000"
	worker := exec.Command("sh", "-c", busy)
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = worker.Wait() }() // it was killed
	defer worker.Process.Kill()
	cfg := small(new(mapServer).serve(t), "walk")
	cfg.PID, cfg.UntilIdle = worker.Process.Pid, true
	start := time.Now()
	if _, err := Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("the run ended after %v, while the process worked", took)
	}
}

func TestErrorsAreCounted(t *testing.T) {
	for _, workload := range []string{"walk", "single"} {
		s := (&mapServer{reply: func(n int, _ *lineproto.Request) []byte {
			if n%100 == 0 {
				return lineproto.AppendError(nil, "unlucky")
			}
			return nil
		}}).serve(t)
		rep, err := Run(t.Context(), small(s, workload))
		if err == nil {
			t.Errorf("%s: a run with refused samples passed", workload)
		}
		res := rep.Results[0]
		if res.Errors != 12 || res.Acknowledged != 1188 || !strings.Contains(res.FirstError, "unlucky") {
			t.Errorf("%s: %d errors, %d acknowledged, first error %q", workload, res.Errors, res.Acknowledged, res.FirstError)
		}
		var text bytes.Buffer
		if err := rep.WriteText(&text); err != nil || !strings.Contains(text.String(), "unlucky") {
			t.Errorf("%s: the text does not say what was wrong: %s", workload, &text)
		}
	}
}

func TestSilentServer(t *testing.T) {
	for _, workload := range []string{"walk", "single"} {
		s := (&mapServer{reply: func(n int, _ *lineproto.Request) []byte {
			if n == 50 {
				return []byte{} // never answered
			}
			return nil
		}}).serve(t)
		cfg := small(s, workload)
		cfg.Timeout = 300 * time.Millisecond
		if _, err := Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: a run without all replies passed", workload)
		}
	}
}

func TestCancel(t *testing.T) {
	for _, workload := range []string{"walk", "single", "getall"} {
		ctx, cancel := context.WithCancel(t.Context())
		s := (&mapServer{reply: func(n int, _ *lineproto.Request) []byte {
			if n == 50 {
				cancel()
				return []byte{}
			}
			return nil
		}}).serve(t)
		if _, err := Run(ctx, small(s, workload)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: ended with %v, want canceled", workload, err)
		}
		cancel()
	}
}

func TestRefusedConfigs(t *testing.T) {
	for _, cfg := range []Config{
		{Workload: "no such"},
		{Series: -1},
		{Connections: -1},
		{Runs: -1},
		{Step: -1},
		{Timeout: -1},
		{UntilIdle: true},
		{Batch: -1},
		{Workload: "idle", Addr: "127.0.0.1:1"},
	} {
		if _, err := Run(t.Context(), cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	s := new(mapServer).serve(t)
	if _, err := Run(t.Context(), Config{Workload: "get", Addr: s.addr, Series: 1 << 20}); err == nil {
		t.Error("get took more replies than it can hold")
	}
}

// TestRedis checks the requests against a server that understands just SET.
func TestRedis(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan string, 2)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for range cap(got) {
			var request strings.Builder
			for range 7 {
				line, _ := r.ReadString('\n')
				request.WriteString(line)
			}
			got <- request.String()
			if _, err := c.Write([]byte("+OK\r\n")); err != nil {
				return
			}
		}
	}()
	cfg := Config{Workload: "redis", Addr: ln.Addr().String(), Series: 1, Samples: 2, Connections: 1}
	rep, err := Run(t.Context(), cfg)
	if err != nil || rep.Results[0].Acknowledged != 2 {
		t.Fatalf("%v: %+v", err, rep)
	}
	l := testLoad(t, 1, 2, 1, forward)
	for i := range 2 {
		value := string(l.appendValue(nil, 0, i))
		want := "*3\r\n$3\r\nSET\r\n$24\r\nhost_0000.cpu.usage_user\r\n$" + string(byte('0'+len(value))) + "\r\n" + value + "\r\n"
		if request := <-got; request != want {
			t.Errorf("request %q, want %q", request, want)
		}
	}
}
