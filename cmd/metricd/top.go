package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"golang.org/x/term"

	"metricd/internal/top"
)

// topCmd shows what a server does, as it does it.
type topCmd struct {
	Interval time.Duration `default:"1s" placeholder:"DURATION" help:"How often, from 100ms to 1h (default 1s)."`
	Count    int           `placeholder:"N" help:"End after so many screens or lines; 0 (the default): never."`

	webServer

	host string // of the server, for people
}

// Help returns what --help says beside the flags.
func (*topCmd) Help() string {
	return `On a terminal: a screen that is drawn anew, with rates between two looks, requests by protocol and command, and the busiest connections
and series; q or Ctrl-C ends it. Else: a line each interval, with a heading now and then.

    metricd top
    metricd top --interval 10s | tee top.txt

The figures are those of the server's /metrics. The server counts for the lists, in a sample of what comes, only while somebody looks.`
}

// The bounds of topCmd.Interval, and the longest time for which the server is asked for the busiest.
const (
	leastInterval   = 100 * time.Millisecond
	longestInterval = time.Hour
	longestWatch    = time.Minute
)

// Run shows it until it is told to end.
func (c *topCmd) Run() error {
	if c.Interval < leastInterval || c.Interval > longestInterval {
		return usagef("--interval %v: want one from %v to %v", c.Interval, leastInterval, longestInterval)
	}
	if c.Count < 0 {
		return usagef("--count %d: want 0 or more", c.Count)
	}
	named := c.webServer
	if _, err := named.url(); err != nil {
		return err
	}
	c.host = named.HTTP
	ctx, stop := untilInterrupted()
	defer stop()
	if term.IsTerminal(int(os.Stdout.Fd())) {
		return c.screens(ctx)
	}
	return c.lines(ctx)
}

// lines prints a line each interval. Only the first look must be a success: a server that is away may come back.
func (c *topCmd) lines(ctx context.Context) error {
	const page = 20 // lines below one heading
	tick := time.NewTicker(c.Interval)
	defer tick.Stop()
	var from *top.Reading
	away := false
	for n := 0; ; n++ {
		to, err := c.read(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && n == 0:
			return err
		case err != nil && !away:
			fmt.Fprintf(os.Stderr, "metricd: %v; trying again\n", err)
		}
		if away = err != nil; !away {
			text := top.Line(from, to) + "\n"
			if n%page == 0 {
				text = top.Heading + "\n" + text
			}
			if _, err := os.Stdout.WriteString(text); err != nil {
				return err
			}
			from = to
		}
		if n+1 == c.Count {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// screens draws a screen each interval.
func (c *topCmd) screens(ctx context.Context) error {
	first, err := c.read(ctx)
	if err != nil {
		return err
	}
	t, ctx, err := newTerminal(ctx)
	if err != nil {
		return err
	}
	defer t.restore()
	hint := fmt.Sprintf("every %v, q ends it", c.Interval)
	view := top.View{Server: c.host, To: first, Hint: hint}
	for n := 1; ; n++ {
		view.Now = time.Now()
		if err := t.draw(&view); err != nil || n == c.Count {
			return err
		}
		next := c.look(ctx, &view)
		if ctx.Err() != nil {
			return nil
		}
		view = next
	}
}

// look returns the view after an interval.
func (c *topCmd) look(ctx context.Context, last *top.View) top.View {
	next := *last
	next.Problem, next.Busiest = "", nil
	due := time.NewTimer(max(c.Interval-longestWatch, 0))
	select {
	case <-due.C:
	case <-ctx.Done():
		return next
	}
	over := time.NewTimer(min(c.Interval, longestWatch))
	defer over.Stop()
	busiest, errBusiest := c.busiest(ctx, min(c.Interval, longestWatch))
	if errBusiest != nil {
		select {
		case <-over.C: // it failed at once: not again at once
		case <-ctx.Done():
			return next
		}
	}
	to, err := c.read(ctx)
	switch {
	case err != nil:
		next.Problem = err.Error() + "; trying again"
		return next
	case errBusiest != nil:
		next.Problem = "the busiest are not known: " + errBusiest.Error()
	}
	next.From, next.To, next.Busiest = last.To, to, busiest
	return next
}

// patienceOfTop is how long a server may take to answer.
const patienceOfTop = 10 * time.Second

// read reads the server's figures.
func (c *topCmd) read(ctx context.Context) (*top.Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, patienceOfTop)
	defer cancel()
	answer, err := c.ask(ctx, "/metrics", nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	at := time.Now()
	r, err := top.Read(answer.Body, at)
	if err != nil {
		return nil, fmt.Errorf("what answers at %s is no metricd with figures of its own (%w): name another server with --http", c.host, err)
	}
	return r, nil
}

// busiest asks for the busiest connections and series of so long.
func (c *topCmd) busiest(ctx context.Context, watch time.Duration) (*top.Busiest, error) {
	ctx, cancel := context.WithTimeout(ctx, watch+patienceOfTop)
	defer cancel()
	answer, err := c.ask(ctx, "/api/page/top", url.Values{"seconds": {strconv.FormatFloat(watch.Seconds(), 'g', -1, 64)}, "limit": {"50"}})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var said struct{ Data top.Busiest }
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return nil, c.failed(err)
	}
	if !(said.Data.Seconds > 0) {
		return nil, errors.New("the server does not say how long it watched")
	}
	return &said.Data, nil
}

// ask sends a request. It does that with a copy of what was given, in which request changes the address, for messages.
func (c *topCmd) ask(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	s := c.webServer
	return s.request(ctx, http.MethodGet, path, query, nil)
}
