package tsdb

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/tsdb/blocks"
)

// roomFS is the file system below log and chunks. Tables leave what room keeps for others; all else uses it.
type roomFS struct {
	vfs.FS
	room *room
}

// Unwrap returns what is below, as vfs.Root wants it.
func (fs *roomFS) Unwrap() vfs.FS { return fs.FS }

// fs returns the file system for log and chunks.
func (db *DB) fs() vfs.FS { return &roomFS{db.opts.FS, db.room} }

// openChunks opens the chunks, for reading only where there is too little space for more.
func (db *DB) openChunks() (err error) {
	fs := db.fs()
	o := blocks.Options{Dir: fs.PathJoin(db.opts.Dir, chunksDir), FS: fs, Logf: db.opts.Logf}
	if !db.room.tight() {
		counts := make(chan bool, 1) // whether a failure is one of this DB
		o.OnFailure = func(err error) {
			if <-counts {
				db.fail(err)
			}
		}
		db.blocks, err = blocks.Open(o)
		counts <- err == nil
		if !blocks.IsNoSpace(err) {
			return err
		}
	}
	o.ReadOnly, o.OnFailure = true, db.fail
	db.room.setUnopened(true)
	db.blocks, err = blocks.Open(o)
	if errors.Is(err, blocks.ErrForeign) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("disk is full, and %s holds nothing to read yet: delete other files there or enlarge the disk, and start again: %w", db.opts.Dir, err)
	}
	return err
}

// makeWritable opens chunks for writing that are open for reading only. It says if there is no space for that, or for what is to be written.
func (db *DB) makeWritable() error {
	if !db.room.flushable() {
		return blocks.ErrNoSpace
	}
	if !db.blocks.IsReadOnly() {
		return nil
	}
	if !db.room.openable() {
		return blocks.ErrNoSpace
	}
	if err := db.blocks.MakeWritable(); err != nil {
		return err
	}
	db.room.setUnopened(false)
	return nil
}

const tableSuffix = ".sst"

func (fs *roomFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if !strings.HasSuffix(name, tableSuffix) {
		return fs.open(func() (vfs.File, error) { return fs.FS.Create(name, c) })
	}
	return fs.createTable(name, c)
}

func (fs *roomFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return fs.open(func() (vfs.File, error) { return fs.FS.OpenReadWrite(name, c, opts...) })
}

func (fs *roomFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.open(func() (vfs.File, error) { return fs.FS.ReuseForWrite(from, to, c) })
}

func (fs *roomFS) Rename(from, to string) error {
	return fs.room.insist(func() error { return fs.FS.Rename(from, to) })
}

func (fs *roomFS) MkdirAll(dir string, mode os.FileMode) error {
	return fs.room.insist(func() error { return fs.FS.MkdirAll(dir, mode) })
}

func (fs *roomFS) open(f func() (vfs.File, error)) (file vfs.File, err error) {
	err = fs.room.insist(func() error {
		file, err = f()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &insistentFile{file, fs.room}, nil
}

// insist calls f, which does nothing if there is no space, again while that is so, up to a limit.
func (r *room) insist(f func() error) error {
	err := f()
	if !blocks.IsNoSpace(err) {
		return err
	}
	r.squeeze()
	for begin := time.Now(); ; time.Sleep(squeezePause) {
		if err = f(); !blocks.IsNoSpace(err) || time.Since(begin) > squeezeFor {
			return err
		}
	}
}

// insistentFile is a file whose writes use what is kept free.
type insistentFile struct {
	vfs.File
	room *room
}

func (f *insistentFile) Write(b []byte) (n int, err error) {
	err = f.room.insist(func() error {
		m, err := f.File.Write(b[n:])
		n += m
		return err
	})
	return n, err
}

func (f *insistentFile) WriteAt(b []byte, off int64) (n int, err error) {
	err = f.room.insist(func() error {
		m, err := f.File.WriteAt(b[n:], off+int64(n))
		n += m
		return err
	})
	return n, err
}
