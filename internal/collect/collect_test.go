package collect

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fixed is a probe that always reads one figure, after so long.
func fixed(name string, takes time.Duration) probe {
	return probe{name, func(context.Context) ([]figure, error) {
		time.Sleep(takes)
		return []figure{{name: name, value: 1}}, nil
	}}
}

// these returns what Run reads when there are these probes.
func these(probes ...probe) func(context.Context) []probe {
	return func(context.Context) []probe { return probes }
}

// logTo returns a logger that writes to b.
func logTo(b *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// gather runs Run until it has taken n rounds, each of which take may hold up.
func gather(t *testing.T, cfg Config, n int, take func(i int)) (rounds []Round) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	Run(ctx, cfg, func(_ context.Context, r Round) {
		if rounds = append(rounds, r); len(rounds) == n {
			cancel()
			return
		}
		if take != nil {
			take(len(rounds) - 1)
		}
	})
	if len(rounds) != n {
		t.Fatalf("got %d rounds, want %d", len(rounds), n)
	}
	return rounds
}

// seconds returns the times of rounds as seconds since begin.
func seconds(begin time.Time, rounds []Round) (all []int) {
	for _, r := range rounds {
		all = append(all, int(r.At.Sub(begin)/time.Second))
	}
	return all
}

func keysOf(r Round) (keys []string) {
	for _, s := range r.Samples {
		keys = append(keys, s.Key)
	}
	return keys
}

// TestTimes: the clock of a test begins at midnight.
func TestTimes(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name     string
		start    time.Duration // after midnight
		interval time.Duration
		probe    time.Duration         // how long reading takes
		take     map[int]time.Duration // how long taking a round takes
		want     []int
	}{
		{"aligned", 3 * time.Second, 10 * time.Second, 0, nil, []int{10, 20, 30, 40}},
		{"no drift", 3 * time.Second, 10 * time.Second, 700 * ms, map[int]time.Duration{0: 800 * ms, 1: 3 * time.Second}, []int{10, 20, 30, 40}},
		{"on a multiple", 0, 10 * time.Second, 0, nil, []int{10, 20, 30, 40}},
		{"too soon before one", 9500 * ms, 10 * time.Second, 0, nil, []int{20, 30, 40, 50}},
		{"slow taking skips", 0, 10 * time.Second, 0, map[int]time.Duration{0: 25 * time.Second, 1: 10 * time.Second}, []int{10, 40, 60, 70}},
		{"a second", 200 * ms, time.Second, 300 * ms, map[int]time.Duration{1: 900 * ms}, []int{2, 3, 5, 6}},
		{"a minute", 61 * time.Second, time.Minute, 0, nil, []int{120, 180, 240, 300}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				midnight := time.Now()
				time.Sleep(test.start)
				cfg := Config{Interval: test.interval, probes: these(fixed("x", test.probe))}
				rounds := gather(t, cfg, 4, func(i int) { time.Sleep(test.take[i]) })
				if got := seconds(midnight, rounds); !slices.Equal(got, test.want) {
					t.Errorf("got rounds at %v, want %v", got, test.want)
				}
				for _, r := range rounds {
					if got := keysOf(r); !slices.Equal(got, []string{"host.x"}) {
						t.Errorf("at %v: got %q", r.At, got)
					}
				}
			})
		})
	}
}

// TestDue: no time comes twice, as it would when the clock is set back a little, and none more than half an interval late, as after
// the machine slept.
func TestDue(t *testing.T) {
	const interval, ms = 10 * time.Second, time.Millisecond
	midnight := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		now, last, at time.Duration // since midnight
		ok            bool
	}{
		{20 * time.Second, 10 * time.Second, 20 * time.Second, true},
		{25 * time.Second, 10 * time.Second, 20 * time.Second, true},
		{25001 * ms, 10 * time.Second, 20 * time.Second, false},
		{19999 * ms, 10 * time.Second, 10 * time.Second, false},
		{20 * time.Second, 20 * time.Second, 20 * time.Second, false},
		{20 * time.Second, 3600 * time.Second, 20 * time.Second, true}, // set back by an hour
	} {
		at, ok := due(midnight.Add(test.now), interval, midnight.Add(test.last))
		if got := at.Sub(midnight); got != test.at || ok != test.ok {
			t.Errorf("at %v after %v: got %v, %v, want %v, %v", test.now, test.last, got, ok, test.at, test.ok)
		}
	}
}

// TestHanging: a probe that hangs costs its own figures, its patience once, and a line in the log; and is read again when it is back.
func TestHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		release := make(chan struct{})
		running := 0
		hanging := probe{"disk", func(context.Context) ([]figure, error) {
			if running++; running > 1 {
				t.Error("read twice at once")
			}
			<-release // not even ctx helps
			running--
			return []figure{{name: "disk", value: 1}}, nil
		}}
		cfg := Config{Interval: 10 * time.Second, Logger: logTo(&log), probes: these(fixed("a", 0), hanging, fixed("b", time.Second))}
		var took []time.Duration
		rounds := gather(t, cfg, 5, func(i int) {
			took = append(took, time.Since(time.Now().Truncate(cfg.Interval)))
			if i == 2 {
				close(release)
				synctest.Wait()
			}
		})
		without, with := []string{"host.a", "host.b"}, []string{"host.a", "host.disk", "host.b"}
		for i, want := range [][]string{without, without, without, with, with} {
			if got := keysOf(rounds[i]); !slices.Equal(got, want) {
				t.Errorf("round %d: got %q, want %q", i, got, want)
			}
		}
		if want := []time.Duration{time.Second, time.Second, time.Second, time.Second}; !slices.Equal(took, want) {
			t.Errorf("reading took %v, want %v: the others, without waiting for the one that hangs", took, want)
		}
		if n := strings.Count(log.String(), "can't be read"); n != 1 || !strings.Contains(log.String(), `part=disk err="no answer within 5s"`) {
			t.Errorf("want one line about the disk:\n%s", &log)
		}
	})
}

// TestFailing: an error costs only what it is about, and is said once; again when it was over for an hour.
func TestFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var err error
		half := probe{"half", func(context.Context) ([]figure, error) { return []figure{{name: "half"}}, err }}
		none := probe{"none", func(context.Context) ([]figure, error) { return nil, err }}
		r := newReader(these(none, half, fixed("well", 0)), time.Second, logTo(&log))
		for i, step := range []struct {
			after time.Duration
			err   error
			lines int // in the log so far
		}{
			{0, nil, 0},
			{0, errors.New("sad"), 2},
			{50 * time.Minute, errors.New("sad"), 2},
			{50 * time.Minute, errors.New("other"), 2},
			{50 * time.Minute, nil, 2},
			{5 * time.Minute, errors.New("sad"), 2},
			{61 * time.Minute, nil, 2},
			{0, errors.New("sad"), 4},
		} {
			time.Sleep(step.after)
			err = step.err
			if got := r.read(t.Context()); len(got) != 2 || got[0].name != "half" || got[1].name != "well" {
				t.Errorf("step %d: got %v", i, got)
			}
			if n := strings.Count(log.String(), "\n"); n != step.lines {
				t.Errorf("step %d: got %d lines, want %d:\n%s", i, n, step.lines, &log)
			}
		}
	})
}

// TestStop: Run ends at once, whatever it is at.
func TestStop(t *testing.T) {
	for name, after := range map[string]time.Duration{"first reading": 0, "settling": 1500 * time.Millisecond, "waiting": 5 * time.Second, "reading": 10500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				ctx, cancel := context.WithTimeout(t.Context(), after)
				defer cancel()
				begin := time.Now()
				Run(ctx, Config{Interval: 10 * time.Second, Logger: logTo(&log), probes: these(fixed("x", time.Second))}, func(context.Context, Round) {
					t.Error("took a round")
				})
				if took := time.Since(begin); took != after || log.Len() > 0 {
					t.Errorf("took %v, want %v; logged %q", took, after, &log)
				}
				time.Sleep(time.Second) // the probe's own
			})
		})
	}
}

func TestChecks(t *testing.T) {
	for d, ok := range map[time.Duration]bool{
		0: false, time.Second: true, 1500 * time.Millisecond: false, 10 * time.Second: true, -time.Second: false,
		24 * time.Hour: true, 24*time.Hour + time.Second: false,
	} {
		if err := CheckInterval(d); (err == nil) != ok {
			t.Errorf("interval %v: %v", d, err)
		}
	}
	for name, ok := range map[string]bool{"palm": true, "palm.example": true, "düne": true, "": false, "two words": false, "a;b": false, "a=b": false, "a\n": false, "*": false, "50%20": false, "\xff": false} {
		if err := CheckHost(name); (err == nil) != ok {
			t.Errorf("host %q: %v", name, err)
		}
	}
}
