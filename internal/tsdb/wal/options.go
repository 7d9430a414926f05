package wal

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Mode is what durable means.
type Mode int

const (
	// Always: a record is durable when it is on stable storage.
	Always Mode = iota
	// Interval: a record is durable when it was handed to the operating system, so that the end of
	// the process loses nothing. Every Options.Interval it is put on stable storage, if
	// there is something new: the end of the machine may cost what came since.
	Interval
)

// Options say where a log is and how durable. Only Dir is needed.
type Options struct {
	// FS is the file system; nil: vfs.Default, the real one.
	FS vfs.FS
	// Dir is the directory of the segments, made if there is none. Nothing else should write there.
	Dir string
	// Mode is what durable means.
	Mode Mode
	// Interval is the time between syncs in mode Interval; 0: one second.
	Interval time.Duration
	// MaxUnsynced is the number of bytes, appended and not durable, above which Throttle waits;
	// 0: 64 MiB. LogWriter keeps the memory it once used for that until its segment ends.
	MaxUnsynced int64
	// ID marks the segments; those with another one belong to another log, and are damage. 0: that of the first segment, or one drawn
	// for the first.
	ID uint64
	// Start is the sequence after which a log without segments begins.
	Start uint64
	// OnFailure is called once if the log fails, after waiters were told, on a goroutine of the log. It must
	// not call Close, which waits for that goroutine. Nil: not called.
	OnFailure func(error)
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Interval <= 0 {
		o.Interval = time.Second
	}
	if o.MaxUnsynced <= 0 {
		o.MaxUnsynced = 64 << 20
	}
	return o
}

var (
	// ErrClosed: the log was closed.
	ErrClosed = errors.New("log is closed")
	// ErrFailed: writing or syncing the log failed; it stays failed. Errors that wrap it also wrap the cause.
	ErrFailed = errors.New("log failed")
)

// CorruptError says that a log does not hold what it held when it was written, or is none.
type CorruptError struct {
	File   string // as given to the file system
	Offset int64  // bytes from the start of File
	Reason string
}

// Error says what is wrong and where.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("log: %s is damaged at byte %d: %s", e.File, e.Offset, e.Reason)
}
