package wal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Open replays the log as Replay does, and returns one to which records are appended. The directory
// is made if there is none, and what was replayed is put on stable storage before Open returns. No
// file is made before the first record. Only one Log at a time may be open in a directory; the
// caller sees to that.
func Open(o Options, each func(seq uint64, record []byte) error) (*Log, Recovery, error) {
	o = o.withDefaults()
	r := replayer{directory: o.directory(), each: each}
	if err := r.makeDir(); err != nil {
		return nil, Recovery{}, err
	}
	if err := r.run(o.Start); err != nil {
		return nil, r.rec, err
	}
	if r.id == 0 {
		var id [8]byte
		rand.Read(id[:])
		r.id = binary.LittleEndian.Uint64(id[:]) | 1
	}
	l := &Log{
		opts:     o,
		where:    r.directory,
		wake:     make(chan struct{}, 1),
		synced:   make(chan error, 1),
		stopTick: make(chan struct{}),
	}
	var err error
	if l.dir, err = o.FS.OpenDir(o.Dir); err != nil {
		return nil, r.rec, fmt.Errorf("log: %w", err)
	}
	if err := l.settleReplayed(&r); err != nil {
		return nil, r.rec, errors.Join(err, l.dir.Close())
	}
	l.start(&r)
	return l, r.rec, nil
}

// start makes the first segment and starts the goroutines.
func (l *Log) start(r *replayer) {
	last := r.rec.Last
	l.waiters.init()
	l.changed.L = &l.mu
	l.waiters.durable.Store(last)
	l.fsynced.Store(last)
	l.mu.last = last
	l.mu.finished = append(l.mu.finished, r.rec.Segments...)
	head := header{id: r.id, number: r.next, base: last, prev: r.end}
	l.mu.active = append(l.mu.active, l.newSegment(head, 0))
	l.timer = time.NewTimer(time.Hour)
	l.timer.Stop()
	l.stopped.Add(1)
	go l.run()
	if l.opts.Mode == Interval {
		l.stopped.Add(1)
		go l.tick()
	}
}

// makeDir makes the directory, mode 0700, if there is none.
func (d directory) makeDir() error {
	switch _, err := d.fs.Stat(d.dir); {
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("log: %w", err)
	}
	if err := d.fs.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return d.syncDir(d.fs.PathDir(d.dir))
}

func (d directory) syncDir(name string) error {
	dir, err := d.fs.OpenDir(name)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("log: sync %s: %w", name, err)
	}
	return nil
}

// settleReplayed puts on stable storage what was read: the end of the last segment may be in the
// system's memory only, left there by a writer that was killed, and may be seen by readers from now
// on.
func (l *Log) settleReplayed(r *replayer) error {
	if n := len(r.rec.Segments); n > 0 {
		path := r.rec.Segments[n-1].Path
		file, err := l.opts.FS.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return fmt.Errorf("log: sync %s: %w", path, err)
		}
	}
	if err := l.dir.Sync(); err != nil {
		return fmt.Errorf("log: sync %s: %w", l.opts.Dir, err)
	}
	return nil
}
