package wal

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// activeSegment is a segment that is being written. It takes records before its file exists: they wait in
// LogWriter's queue until the syncer opens the gate.
type activeSegment struct {
	head  header
	path  string
	start int64 // position (Log.appended) of byte 0 of the file
	w     *record.LogWriter
	out   gate

	// synced is how far the file is known to be on stable storage, in bytes; 0: nothing of it.
	synced atomic.Int64

	// Guarded by Log.mu.
	promised int64  // the last promise that was written
	last     uint64 // highest sequence; set when the next segment takes over
	end      int64  // how far the file is valid; likewise
}

// newSegment returns a segment and starts its flush loop, which ends in finish or abandon. onSync is called
// on that loop when what was asked for is written (and synced, if the mode is Always).
func newSegment(o *Options, path string, h header, start int64, st *syncStats, onSync func(error)) *activeSegment {
	s := &activeSegment{head: h, path: path, start: start, out: gate{opened: make(chan struct{}), stats: st}}
	config := record.LogWriterConfig{
		ExternalSyncQueueCallback: func(_ record.PendingSyncIndex, err error) { onSync(err) },
		WriteWALSyncOffsets:       func() bool { return false }, // see doc.go
	}
	if o.Mode == Always {
		s.w = newWriter(record.NewLogWriter, syncingGate{&s.out}, h.number, config)
	} else {
		s.w = newWriter(record.NewLogWriter, &s.out, h.number, config)
	}
	return s
}

// newWriter calls newLogWriter, whose second parameter has a type that only Pebble can name.
func newWriter[N ~uint64](
	newLogWriter func(io.Writer, N, record.LogWriterConfig) *record.LogWriter,
	w io.Writer, number uint64, config record.LogWriterConfig,
) *record.LogWriter {
	return newLogWriter(w, N(number), config)
}

// sizeLocked is how far the file is valid once all is written. Log.mu is held.
func (s *activeSegment) sizeLocked() int64 { return headerLen + s.w.Size() }

// begin makes the file, puts its header and its name on stable storage, and lets records through. The
// segment before is finished.
func (s *activeSegment) begin(o *Options, dir vfs.File) error {
	file, err := o.FS.Create(s.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("create a segment: %w", err)
	}
	s.out.file = file
	if o.Mode == Interval {
		if s.out.second, err = o.FS.OpenReadWrite(s.path, vfs.WriteCategoryUnspecified); err != nil {
			return fmt.Errorf("open a segment: %w", err)
		}
	}
	if _, err := file.Write(s.head.append(nil)); err != nil {
		return fmt.Errorf("write %s: %w", s.path, err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", s.path, err)
	}
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("sync the directory of %s: %w", s.path, err)
	}
	close(s.out.opened)
	return nil
}

// begun tells whether begin succeeded. For the syncer only.
func (s *activeSegment) begun() bool { return s.out.file != nil }

// abandon ends the flush loop and closes the file, whatever its state; nothing more becomes durable.
func (s *activeSegment) abandon() error {
	s.out.refuse(errAbandoned)
	s.w.Close() // its error is why the segment is abandoned, or errAbandoned
	return s.out.close()
}

var errAbandoned = errors.New("the segment was abandoned")

// gate is the file that a LogWriter writes to. Write waits until the file is there.
//
// file, second and err are written before opened is closed and read behind it; the syncer, which writes
// them, also reads them before.
type gate struct {
	opened chan struct{}
	file   vfs.File
	err    error // why there is no file
	stats  *syncStats

	// second is another handle of the file, for syncing it while it is written to: a vfs.File takes
	// one operation at a time. Mode Interval only. syncMu orders its use and its end.
	syncMu sync.Mutex
	second vfs.File
}

// Write implements io.Writer.
func (g *gate) Write(p []byte) (int, error) {
	<-g.opened
	if g.err != nil {
		return 0, g.err
	}
	return g.file.Write(p)
}

// refuse opens the gate, if it is not open, to errors.
func (g *gate) refuse(err error) {
	select {
	case <-g.opened:
	default:
		g.err = err
		close(g.opened)
	}
}

// sync puts on stable storage what was written through file.
func (g *gate) sync(file vfs.File) error {
	start := time.Now()
	err := file.SyncData()
	g.stats.add(time.Since(start))
	return err
}

// syncSecond is sync for another goroutine than the one that writes. On a closed gate it does
// nothing and returns false.
func (g *gate) syncSecond() (done bool, err error) {
	g.syncMu.Lock()
	defer g.syncMu.Unlock()
	if g.second == nil {
		return false, nil
	}
	return true, g.sync(g.second)
}

func (g *gate) close() error {
	g.syncMu.Lock()
	defer g.syncMu.Unlock()
	var err error
	if g.second != nil {
		err = g.second.Close()
	}
	if g.file != nil {
		err = errors.Join(err, g.file.Close())
	}
	g.file, g.second = nil, nil
	return err
}

// syncingGate is a gate that a LogWriter also syncs.
type syncingGate struct{ *gate }

// Sync implements the method that a LogWriter looks for.
func (g syncingGate) Sync() error {
	<-g.opened
	if g.err != nil {
		return g.err
	}
	return g.sync(g.file)
}
