package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/dustin/go-humanize"

	"metricd/internal/dump"
)

// importCmd stores the samples of files.
type importCmd struct {
	Files []string `arg:"" name:"file" help:"Files that metricd export wrote, or with put lines, gzip or not; - is stdin."`

	webServer
}

// Help returns what --help says beside the flags.
func (*importCmd) Help() string {
	return `Examples:

    metricd import all.csv.gz
    metricd export --http old:8889 | metricd import --http new:8889 -

CSV begins with its header, key,milliseconds,value; what has no comma in its first line, or begins with put, is put lines. gzip is known by its first bytes.
When the command ends, all is stored as durably as the server promises. Lines that are refused are reported with their numbers (of many with
the same reason the first ten), and the others go on; the exit code is then 1. To import a file again does no harm.
What metricd get --format csv prints is for other programs: import reads what metricd export writes.`
}

// Run imports the files one after the other.
func (c *importCmd) Run() error {
	ctx, stop := untilInterrupted()
	defer stop()
	refused := false
	for _, name := range c.Files {
		some, err := c.file(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		refused = refused || some
	}
	if refused {
		return errors.New("not all lines were stored: see above why, and import them again when that is mended")
	}
	return nil
}

// file imports one file, and says whether some of it was refused.
func (c *importCmd) file(ctx context.Context, name string) (refused bool, err error) {
	file := os.Stdin
	if name != "-" {
		if file, err = os.Open(name); err != nil {
			return false, err
		}
		defer file.Close()
	}
	bar := newScreen("import", file, sizeOf(file))
	defer bar.end()
	text, err := unpack(io.TeeReader(file, bar))
	if err != nil {
		return false, err
	}
	start := time.Now()
	told, err := c.send(ctx, text)
	bar.end()
	if told != nil {
		c.report(name, told, time.Since(start))
	}
	return told != nil && told.Data.Refused > 0, err
}

// answered is the answer to an import.
type answered struct {
	Error string
	Data  struct {
		Lines, Stored, Refused int64
		Refusals               []struct {
			Line        int64
			Text, Error string
		}
	}
}

// send sends a text, and returns the answer, if there is one. The error is why the server did not come to the end of it.
func (c *importCmd) send(ctx context.Context, text *bufio.Reader) (*answered, error) {
	start, err := text.Peek(len(dump.Header))
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	read := &readError{r: text}
	query := url.Values{"format": {string(dump.FormatOf(start))}}
	answer, err := c.request(ctx, http.MethodPost, "/api/v1/import", query, io.NopCloser(read), http.StatusBadRequest, http.StatusServiceUnavailable)
	if read.err != nil {
		return nil, fmt.Errorf("it cannot be read to its end; what came before may be stored, and to import it again does no harm: %w", read.err)
	}
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	told := new(answered)
	if err := json.NewDecoder(answer.Body).Decode(told); err != nil {
		return nil, c.failed(err)
	}
	if told.Error != "" && told.Data.Refused == 0 || answer.StatusCode == http.StatusServiceUnavailable {
		return told, fmt.Errorf("%s refused it: %s", c.HTTP, told.Error)
	}
	return told, nil
}

// report says what was refused, and how much was stored.
func (c *importCmd) report(name string, told *answered, took time.Duration) {
	if len(c.Files) > 1 {
		name += ": "
	} else {
		name = ""
	}
	bad := complaints{where: name, printf: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format, args...) }}
	for _, r := range told.Data.Refusals {
		bad.add(r.Line, []byte(r.Text), r.Error)
	}
	bad.end()
	if more := told.Data.Refused - int64(len(told.Data.Refusals)); more > 0 {
		fmt.Fprintf(os.Stderr, "%sand %s lines more, which the server did not list\n", name, humanize.Comma(more))
	}
	text := humanize.Comma(told.Data.Stored) + " samples stored"
	if told.Data.Refused > 0 {
		text += fmt.Sprintf(", %s lines refused", humanize.Comma(told.Data.Refused))
	}
	seconds := max(took.Seconds(), 1e-3)
	fmt.Fprintf(os.Stderr, "%s%s in %.2f s (%s samples/s)\n", name, text, seconds, humanize.Comma(int64(float64(told.Data.Stored)/seconds)))
}
