package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/dustin/go-humanize"

	"metricd/internal/backup"
	"metricd/internal/tsdb"
)

// backupCmd makes a backup of a running server.
type backupCmd struct {
	Dir string `arg:"" help:"Where the backup goes: a directory that is empty, or not there yet."`

	webServer
}

// Help returns what --help says beside the flags.
func (*backupCmd) Help() string {
	return `Example:

    metricd backup /var/backups/metricd/monday
    metricd restore /var/backups/metricd/monday /var/lib/metricd

The server goes on, and all that it had acknowledged when the command began is in the backup. It comes by HTTP, so the server may be
on another machine. What is written is checked, and is on stable storage when the command ends. If that is interrupted,
DIR is not taken for a backup. A server that keeps everything in memory has none: see metricd export.`
}

// Run makes the backup.
func (c *backupCmd) Run() error {
	if err := cmp.Or(refuseInside(c.Dir), backup.Vacant(c.Dir)); err != nil {
		return fmt.Errorf("backup to %s: %w", c.Dir, err) // before the server has begun one
	}
	ctx, stop := untilInterrupted()
	defer stop()
	answer, err := c.request(ctx, http.MethodGet, "/api/v1/admin/backup", nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	bar := newScreen("backup", os.Stdout, -1)
	sum, err := backup.Unpack(io.TeeReader(answer.Body, bar), c.Dir)
	bar.end()
	if err != nil {
		if ctx.Err() != nil {
			return c.failed(ctx.Err())
		}
		return fmt.Errorf("backup to %s: %w", c.Dir, err)
	}
	report(c.Dir, "backed up to", sum)
	return nil
}

// restoreCmd makes a data directory of a backup.
type restoreCmd struct {
	Backup string `arg:"" help:"The directory with the backup."`
	Dir    string `arg:"" help:"The data directory to make: empty, or not there yet."`
}

// Help returns what --help says beside the flags.
func (*restoreCmd) Help() string {
	return `Example:

    metricd restore /var/backups/metricd/monday /var/lib/metricd
    metricd serve --data /var/lib/metricd

No server is needed. Every file is compared to the list in the backup, then everything in the copy is read and checked. The backup stays as it is.`
}

// Run restores the backup.
func (c *restoreCmd) Run() error {
	if err := refuseInside(c.Dir, c.Backup); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	sum, err := backup.Restore(c.Backup, c.Dir, verify)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	report(c.Dir, "restored to", sum)
	return nil
}

// report says what was done.
func report(dir, what string, sum backup.Summary) {
	fmt.Fprintf(os.Stderr, "%s files, %s %s %s\n", humanize.Comma(int64(sum.Files)), humanize.IBytes(uint64(sum.Bytes)), what, dir)
}

// verify reads all of a data directory, and returns the first thing that is wrong.
func verify(dir string) error {
	var first error
	_, err := tsdb.Check(context.Background(), tsdb.CheckOptions{Dir: dir, Fault: func(fault error) { first = cmp.Or(first, fault) }})
	return cmp.Or(first, err)
}
