package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"

	"golang.org/x/term"

	"metricd/client"
	"metricd/internal/plot"
)

// maxPlots is how many series one command draws.
const maxPlots = 8

// plot draws the key, or, if it has no samples and may be a pattern, the first series that match it.
func (c *getCmd) plot(ctx context.Context, cl *client.Client) error {
	var all []*plot.Series
	var err error
	if c.Key != "*" {
		if all, _, err = c.gather(cl.GetRows(ctx, c.Key), c.Key); err != nil {
			return err
		}
	}
	more := false
	if len(all) == 0 && strings.Contains(c.Key, "*") {
		if all, more, err = c.gather(cl.GetAll(ctx), c.Key); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return c.noSamples()
	}
	width, height := terminalSize()
	if _, err := os.Stdout.WriteString(plot.Draw(all, plot.Options{Width: width, Height: height})); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(os.Stderr, "more than %d series match %q: these are the first\n", maxPlots, c.Key)
	}
	return nil
}

// gather returns the first series whose keys match, and whether there are more.
func (c *getCmd) gather(rows iter.Seq2[client.Row, error], pattern string) (all []*plot.Series, more bool, err error) {
	var last *plot.Series // that of key; nil: it does not match
	key := ""
	for row, err := range rows {
		switch {
		case errors.Is(err, client.ErrInvalid):
			return nil, false, c.invalidKey()
		case err != nil:
			return nil, false, c.serverError(err)
		}
		if row.Key != key {
			last, key = nil, row.Key
			if row.Key == pattern || matchKey(pattern, row.Key) {
				if len(all) == maxPlots {
					return all, true, nil
				}
				last = plot.New(key)
				all = append(all, last)
			}
		}
		if last != nil {
			last.Add(row.Time.Unix(), row.Value)
		}
	}
	return all, false, nil
}

// matchKey says whether key is pattern, in which each * stands for any text.
func matchKey(pattern, key string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 || len(key) < len(first)+len(last) || !strings.HasPrefix(key, first) || !strings.HasSuffix(key, last) {
		return key == pattern
	}
	key = key[len(first) : len(key)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(key, part)
		if !found {
			return false
		}
		key = rest
	}
	return true
}

// terminalSize returns the columns of the terminal that is standard output, and its lines but for that of the next prompt; 80 and 20 if it is none.
func terminalSize() (width, height int) {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 20
	}
	return width, height - 1
}
