package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"metricd/internal/tsdb"
)

// checkCmd reads a data directory and tells what is wrong with it.
type checkCmd struct {
	Dir    string `arg:"" help:"The directory, as it was given to serve --data. It must not be in use."`
	Repair string `placeholder:"NEWDIR" help:"Save what can be read of it in this directory, which must be empty or not exist."`
}

// Help returns what --help says beside the flags.
func (*checkCmd) Help() string {
	return `It reads everything and changes nothing. A line is printed for each fault, with the file and the place in it; then a summary.
With --repair, a line for each thing that could not be saved; DIR stays as it is, and NEWDIR is for metricd serve --data NEWDIR. A series
whose key is lost is saved as lost+found;series=NUMBER.

Exit codes: 0 nothing is wrong; 1 something is, or it could not be checked.`
}

// Run checks or repairs, until SIGINT or SIGTERM.
func (c *checkCmd) Run() error {
	ctx, stop := untilInterrupted()
	defer stop()
	if c.Repair != "" {
		if err := refuseInside(c.Repair, c.Dir); err != nil {
			return fmt.Errorf("repair %s: %w", c.Dir, err)
		}
	}
	o := tsdb.CheckOptions{Dir: c.Dir, Fault: func(err error) { fmt.Printf("fault: %v\n", err) }}
	if c.Repair == "" {
		r, err := tsdb.Check(ctx, o)
		if err != nil {
			return fmt.Errorf("check %s: %w", c.Dir, err)
		}
		printReport(os.Stdout, c.Dir, r)
		if r.Faults > 0 {
			return fmt.Errorf("%s has %s; `metricd check %s --repair NEWDIR` saves what can be read", c.Dir, faults(r.Faults), c.Dir)
		}
		return nil
	}
	r, err := tsdb.Repair(ctx, o, c.Repair)
	if err != nil {
		return fmt.Errorf("repair %s: %w", c.Dir, err)
	}
	printReport(os.Stdout, c.Repair, r)
	if r.Faults > 0 {
		return fmt.Errorf("%s has %s; %s has all that could be saved", c.Dir, faults(r.Faults), c.Repair)
	}
	return nil
}

func faults(n int) string {
	if n == 1 {
		return "1 fault"
	}
	return fmt.Sprintf("%d faults", n)
}

// printReport prints what is in a directory.
func printReport(w io.Writer, dir string, r tsdb.Report) {
	fmt.Fprintf(w, "%s\n", dir)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-8s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("series", "%d", r.Series)
	line("samples", "%d in %d chunks of %d windows, %d in %d records of the log", r.ChunkSamples, r.Chunks, r.Windows, r.LogSamples, r.LogRecords)
	if r.First <= r.Last {
		line("time", "%s to %s", sampleTime(r.First), sampleTime(r.Last))
	}
	var total int64
	for _, k := range r.Files {
		line("bytes", "%d in %d files: %s", k.Bytes, k.Files, k.Kind)
		total += k.Bytes
	}
	line("bytes", "%d in all", total)
	if r.Torn != "" {
		line("note", "the end of the process left something unfinished, which is no fault: %s", r.Torn)
	}
	if r.Unlocked != nil {
		line("note", "only servers on this machine were kept away, by a lock of the directory: nothing can be written there: %v", r.Unlocked)
	}
	line("faults", "%d", r.Faults)
}

// sampleTime prints the time of a sample, in ms; as seconds if its year has not four digits.
func sampleTime(ms int64) string {
	if t := time.UnixMilli(ms).UTC(); t.Year() >= 0 && t.Year() <= 9999 {
		return t.Format("2006-01-02T15:04:05.999Z")
	}
	return fmt.Sprintf("second %d", ms/1000)
}
