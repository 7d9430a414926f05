package tsdb

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/tsdb/blocks"
)

// tables is what is known of the tables that flushes, or compactions, write. Pebble tries again for ever what had no
// space. To write the same megabytes each second until there is space would wear out a disk, so they are written only when more is free
// than what was not enough, or after a pause, since what is to be written, or a quota, may have changed. room.mu guards it.
type tables struct {
	written int64         // bytes, since there was no space the last time; some of it may have come to be tables
	need    int64         // what was free, and not enough, when that was begun
	until   time.Time     // the end of the pause
	pause   time.Duration // its length
	open    int           // tables that are being written
}

const (
	minPause = time.Second
	maxPause = time.Minute
	// Where the disk had no space though it seemed to have some, waiting is all that can be done.
	maxBlindPause = 8 * time.Second

	maxWritten = 32 << 20 // about what one flush or compaction writes at most
)

// tableFile is a table that is being written.
type tableFile struct {
	vfs.File
	room  *room
	name  string
	flush bool
	since int // bytes since the last look
}

func (fs *roomFS) createTable(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	t := &tableFile{room: fs.room, name: name, flush: c == blocks.FlushCategory}
	if err := fs.room.beginTable(t); err != nil {
		return nil, err
	}
	var err error
	if t.File, err = fs.FS.Create(name, c); err != nil {
		fs.room.closeTable(t)
		return nil, t.failed(err)
	}
	return t, nil
}

func (f *tableFile) Close() error {
	f.room.closeTable(f)
	return f.File.Close()
}

func (f *tableFile) Write(b []byte) (n int, err error) {
	if f.since += len(b); f.since >= lookBytes {
		if err := f.room.goOn(f); err != nil {
			f.room.endTables(f, maxPause)
			return 0, err
		}
	}
	n, err = f.File.Write(b)
	return n, f.failed(err)
}

func (f *tableFile) Sync() error     { return f.failed(f.File.Sync()) }
func (f *tableFile) SyncData() error { return f.failed(f.File.SyncData()) }

// failed takes note of an error for lack of space, and returns it.
func (f *tableFile) failed(err error) error {
	if blocks.IsNoSpace(err) {
		f.room.endTables(f, maxBlindPause)
	}
	return err
}

func (f *tableFile) kept() error {
	return &os.PathError{Op: "write", Path: f.name, Err: fmt.Errorf("what is free is kept for the log: %w", syscall.ENOSPC)}
}

// classLocked returns what f is one of, and how much it must leave free.
func (r *room) classLocked(f *tableFile) (of *tables, leave int64) {
	if f.flush {
		return &r.mu.flushes, r.flushesLeaveLocked()
	}
	if r.refused.Load() != nil {
		return &r.mu.compactions, r.mu.reserve
	}
	return &r.mu.compactions, r.mu.reserve*3/2 + r.logSizeLocked()
}

// beginTable says whether it is worth while to begin a table.
func (r *room) beginTable(f *tableFile) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookLocked()
	of, leave := r.classLocked(f)
	other := &r.mu.compactions
	if of == other {
		other = &r.mu.flushes
	}
	switch {
	case !r.mu.known:
	case r.mu.free <= leave:
		return f.kept()
	case r.refused.Load() != nil && other.open > 0: // together they would fail for want of what each alone may have
		return f.kept()
	case r.mu.free > of.need+r.mu.reserve/8:
		of.pause = 0
	case time.Now().Before(of.until):
		return f.kept()
	}
	of.open++
	return nil
}

// closeTable ends what beginTable began.
func (r *room) closeTable(f *tableFile) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of, _ := r.classLocked(f)
	of.open--
}

// goOn says whether there is room for more of a table.
func (r *room) goOn(f *tableFile) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookLocked()
	of, leave := r.classLocked(f)
	of.written += int64(f.since)
	f.since = 0
	if r.mu.known && r.mu.free <= leave {
		return f.kept()
	}
	return nil
}

// endTables is told that there was no space for a table, after what was written. It bounds the pause.
func (r *room) endTables(f *tableFile, most time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of, _ := r.classLocked(f)
	now := time.Now()
	of.written += int64(f.since)
	f.since = 0
	if of.written == 0 {
		return // this is known
	}
	if now.Sub(of.until) > maxPause { // all went well since
		of.pause = 0
	}
	of.pause = min(max(2*of.pause, minPause), most)
	of.need, of.until, of.written = r.mu.free+min(of.written, maxWritten), now.Add(of.pause), 0
}
