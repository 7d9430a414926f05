package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"metricd/internal/dump"
)

// exportCmd writes samples to a file.
type exportCmd struct {
	File   string   `arg:"" default:"-" help:"Where the samples go; - (the default) is stdout. A name that ends in .gz makes it gzip."`
	Match  []string `sep:"none" placeholder:"KEY" help:"A key to export, any number of times; none: all."`
	Format string   `enum:"csv,put," default:"" placeholder:"FORMAT" help:"csv, which holds everything, or put: lines for metricd put -f. Absent: put if FILE is called so (.put, .put.gz), else csv."`
	Start  string   `placeholder:"TIME" help:"The first time to export: Unix seconds, or such as 2006-01-02T15:04:05Z."`
	End    string   `placeholder:"TIME" help:"The last time to export."`

	webServer
}

// Help returns what --help says beside the flags.
func (*exportCmd) Help() string {
	return `Examples:

    metricd export all.csv.gz
    metricd export --match palm.cpu --match 'cpu;host=a' --start 2026-01-01T00:00:00Z | head
    metricd import all.csv.gz

CSV has a header and a line key,milliseconds,value for each sample, and loses nothing. Put lines have whole seconds and one nan: what they
could not hold is counted on stderr. FILE appears when all is in it.`
}

// format returns the format to ask for.
func (c *exportCmd) format() dump.Format {
	switch {
	case c.Format != "":
		return dump.Format(c.Format)
	case strings.HasSuffix(strings.TrimSuffix(c.File, ".gz"), ".put"):
		return dump.Put
	}
	return dump.CSV
}

// Run exports.
func (c *exportCmd) Run() error {
	ctx, stop := untilInterrupted()
	defer stop()
	query := url.Values{"match[]": c.Match, "format": {string(c.format())}, "start": {c.Start}, "end": {c.End}}
	start := time.Now()
	answer, err := c.request(ctx, http.MethodGet, "/api/v1/export", query, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	out, err := createOutput(c.File)
	if err != nil {
		return err
	}
	bar := newScreen("export", out.file, -1)
	read := &readError{r: answer.Body}
	err = out.fill(io.TeeReader(read, bar))
	bar.end()
	if err != nil {
		if read.err != nil {
			return c.failed(read.err)
		}
		return err
	}
	c.summary(answer.Trailer, time.Since(start))
	return nil
}

// readError keeps the error of a reader, to be told from one of the writer.
type readError struct {
	r   io.Reader
	err error
}

func (e *readError) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}

// summary says what was exported, and what was lost by it. The counts come behind the answer.
func (c *exportCmd) summary(counts http.Header, took time.Duration) {
	n := func(name string) int64 {
		v, _ := strconv.ParseInt(counts.Get(name), 10, 64) // a proxy may have dropped them
		return v
	}
	samples, seconds := n("Metricd-Samples"), max(took.Seconds(), 1e-3)
	fmt.Fprintf(os.Stderr, "%s samples of %s series exported in %.2f s (%s samples/s)\n",
		humanize.Comma(samples), humanize.Comma(n("Metricd-Series")), seconds, humanize.Comma(int64(float64(samples)/seconds)))
	for _, loss := range []struct{ name, what string }{
		{"Metricd-Cut", "samples lost their milliseconds"},
		{"Metricd-Collapsed", "samples were left out, since another one stands for their second"},
		{"Metricd-Nan", "samples were a NaN with bits of its own, and became nan"},
		{"Metricd-Stale", "staleness markers were left out"},
	} {
		if lost := n(loss.name); lost > 0 {
			fmt.Fprintf(os.Stderr, "%s %s (--format csv holds them)\n", humanize.Comma(lost), loss.what)
		}
	}
}

// output is a file that appears under its name when it is whole, or what is no regular file, as it is.
type output struct {
	file *os.File
	name string // what to rename file to; empty: nothing
	gzip bool
}

// createOutput creates the file called name; - is stdout.
func createOutput(name string) (*output, error) {
	o := &output{gzip: strings.HasSuffix(name, ".gz")}
	if name == "-" {
		o.file = os.Stdout
		return o, nil
	}
	var err error
	if info, statErr := os.Stat(name); statErr == nil && !info.Mode().IsRegular() {
		o.file, err = os.OpenFile(name, os.O_WRONLY, 0)
		return o, err
	}
	o.name = name
	dir := filepath.Dir(name)
	o.file, err = os.CreateTemp(dir, "."+filepath.Base(name)+".*")
	var cause *os.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no directory %s: make it first, or name another FILE", name, dir)
	case errors.As(err, &cause):
		return nil, fmt.Errorf("%s: no file can be made in %s: %w", name, dir, cause.Err)
	case err != nil:
		return nil, err
	}
	if err := o.file.Chmod(0o644); err != nil { // as a shell would make it, with the usual umask
		return nil, errors.Join(err, o.file.Close(), os.Remove(o.file.Name()))
	}
	return o, nil
}

// fill writes all of in and finishes the file. After an error it is gone.
func (o *output) fill(in io.Reader) error {
	err := o.write(in)
	if o.name == "" {
		return err
	}
	if err == nil {
		err = o.file.Sync()
	}
	err = errors.Join(err, o.file.Close())
	if err == nil {
		err = os.Rename(o.file.Name(), o.name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(o.file.Name()))
	}
	return nil
}

func (o *output) write(in io.Reader) error {
	buf := make([]byte, outputSize)
	if !o.gzip {
		_, err := io.CopyBuffer(struct{ io.Writer }{o.file}, in, buf)
		return err
	}
	z, err := gzip.NewWriterLevel(o.file, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(z, in, buf); err != nil {
		return err
	}
	return z.Close()
}
