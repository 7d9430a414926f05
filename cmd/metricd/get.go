package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"metricd/client"
)

// getCmd prints samples.
type getCmd struct {
	Key    string `arg:"" help:"The key, or '*' for all (in quotes, so that the shell leaves it alone)."`
	Format string `enum:"text,csv,json" default:"text" placeholder:"FORMAT" help:"text (the default): lines KEY VALUE TIMESTAMP as the server sends them; csv: with a header; json: one object a line."`
	Plot   bool   `help:"Draw a plot instead, as wide and high as the terminal, or 80x20. Then KEY may be a pattern: each * stands for any text."`

	server
}

// Help returns what --help says beside the flags.
func (*getCmd) Help() string {
	return `Examples:

    metricd get palm.cpu
    metricd get 'cpu;host=a;core=1' --format csv > a.csv
    metricd get '*' --format json | jq -r 'select(.value != "nan") | .key' | uniq -c

The samples of a key come by ascending time, keys in the order in which each was first put. In JSON, nan, inf and -inf are
strings, since JSON has no such numbers.

    metricd get palm.cpu --plot
    metricd get 'cpu;host=*' --plot

A plot shows all samples of the key. Of those that fall into the same columns it shows the least and the greatest, so no peak is lost; where
samples are missing the line ends. A pattern is looked for in keys as they were first put, by reading all samples of the server up to the eighth key that
matches; each has a plot of its own, all of them of the same time.

A key without samples is an error (exit code 1); '*' on an empty server is not, but for a plot.`
}

// outputSize is how many bytes are printed at once where there are so many.
const outputSize = 256 << 10

// Run prints the rows as they come, in bounded memory.
func (c *getCmd) Run() error {
	if c.Plot && c.Format != "text" {
		return usagef("--plot draws: it can't be --format %s as well", c.Format)
	}
	ctx := context.Background()
	cl, err := client.Dial(ctx, c.Addr, clientOptions())
	if err != nil {
		return c.serverError(err)
	}
	defer cl.Close()
	if c.Plot {
		return c.plot(ctx, cl)
	}
	rows := cl.GetAll(ctx)
	if c.Key != "*" {
		rows = cl.GetRows(ctx, c.Key)
	}
	n, err := c.print(rows)
	switch {
	case errors.Is(err, client.ErrInvalid):
		return c.invalidKey()
	case err == nil && n == 0 && c.Key != "*":
		return c.noSamples()
	}
	return err
}

// print prints rows and returns how many they were.
func (c *getCmd) print(rows iter.Seq2[client.Row, error]) (n int, err error) {
	p := newPrinter(c.Format)
	buf := append(make([]byte, 0, outputSize+outputSize/4), p.head...)
	for row, err := range rows {
		if err != nil {
			if _, err := os.Stdout.Write(buf); err != nil {
				return n, err
			}
			if errors.Is(err, client.ErrInvalid) {
				return n, err
			}
			return n, c.serverError(err)
		}
		n++
		if buf = p.appendRow(buf, &row); len(buf) >= outputSize {
			if _, err := os.Stdout.Write(buf); err != nil {
				return n, err
			}
			buf = buf[:0]
		}
	}
	_, err = os.Stdout.Write(buf)
	return n, err
}

func (c *getCmd) invalidKey() error {
	return usagef("key %q: want one word of UTF-8 without control characters", c.Key)
}

func (c *getCmd) noSamples() error {
	return fmt.Errorf("no samples of %q: `metricd get '*'` shows all keys", c.Key)
}
