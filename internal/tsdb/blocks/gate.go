package blocks

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// gate is the file system that Pebble is given. It has four uses.
//
// Where a goroutine of Pebble's meets an error, other than a table for which there is no space, the store fails, and the goroutine
// stays here for good. After a failure so does each that would change anything on disk. Others get the error.
//
// After the disk was found full, a new table is begun only after a pause.
//
// A table of another store is not opened: neither for a read nor for a compaction, which would make it one of this store.
//
// A new MANIFEST is durable in its directory at once. Pebble syncs the directory only after it has also made the
// marker that names it, and a crash may keep the latter of two new entries alone.
type gate struct {
	vfs.FS
	dir      string
	readOnly bool // refuse all changes
	identity Identity
	health   *health
	closing  <-chan struct{} // closed when Close begins: no more pauses
	pause    time.Duration
	changing sync.RWMutex  // held shared during a change
	full     chan struct{} // holds a token while the last table did not fit on the disk
}

func newGate(o *Options, h *health, id Identity, closing <-chan struct{}) *gate {
	return &gate{FS: o.FS, dir: o.Dir, health: h, identity: id, closing: closing, pause: o.FullPause, full: make(chan struct{}, 1)}
}

var errReadOnly = errors.New("opened for reading only")

// refusal is why no change is allowed, or nil.
func (g *gate) refusal() error {
	if g.readOnly {
		return errReadOnly
	}
	return g.health.failure()
}

// pass returns the refusal, or stays, see stay.
func (g *gate) pass() error {
	err := g.refusal()
	if err != nil && !g.readOnly {
		g.stay()
	}
	return err
}

// stay does not return to a goroutine of Pebble's, which holds none of Pebble's locks that readers need.
func (g *gate) stay() {
	if g.health.opened.Load() && inPebble() {
		select {}
	}
}

// begin is called before a file is created. If it is a table, a flush or a compaction begins with it.
func (g *gate) begin(name string, category vfs.DiskWriteCategory) error {
	if !strings.HasSuffix(name, tableSuffix) || g.FS.PathDir(name) != g.dir {
		return g.pass()
	}
	full := isClosed(g.health.full())
	if category != FlushCategory { // what a compaction met does not hold back a flush
		select {
		case <-g.full:
			full = true
		default:
		}
	}
	if full {
		t := time.NewTimer(g.pause)
		defer t.Stop()
		select {
		case <-t.C:
		case <-g.closing:
		case <-g.health.failed:
		}
	}
	return g.pass()
}

const tableSuffix = ".sst"

// FlushCategory is what Pebble calls the writing of memtables where it creates a file; compactions have others.
const FlushCategory vfs.DiskWriteCategory = "pebble-memtable-flush"

// change makes a change that a goroutine of Pebble's must not see fail: then the store fails, and stays here.
func (g *gate) change(f func() error) error {
	err := g.try(f)
	opened := g.health.opened.Load()
	if err != nil && !g.readOnly && (opened || IsNoSpace(err)) && inPebble() { // Open would wait for space
		g.health.fail(err)
		g.stay()
	}
	return err
}

// changeTable makes a change to a table, for which there may be no space.
func (g *gate) changeTable(f func() error) error {
	err := g.try(f)
	if !IsNoSpace(err) {
		return g.change(func() error { return err })
	}
	select {
	case g.full <- struct{}{}:
	default:
	}
	return err
}

// try makes a change, if it is allowed, and returns its error.
func (g *gate) try(f func() error) error {
	g.changing.RLock()
	if g.refusal() != nil {
		g.changing.RUnlock()
		return g.pass()
	}
	defer g.changing.RUnlock()
	return f()
}

// settle waits, after a failure, until the changes that had begun before it are done.
func (g *gate) settle() {
	g.changing.Lock()
	defer g.changing.Unlock()
}

// open makes a change that opens a file.
func (g *gate) open(name string, f func() (vfs.File, error)) (vfs.File, error) {
	file := &gateFile{change: g.change}
	if strings.HasSuffix(name, tableSuffix) {
		file.change = g.changeTable
	}
	if err := file.change(func() (err error) {
		file.File, err = f()
		return err
	}); err != nil {
		return nil, err
	}
	return file, nil
}

func (g *gate) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if strings.HasSuffix(name, tableSuffix) {
		return g.openOwn(name, opts)
	}
	return g.FS.Open(name, opts...)
}

func (g *gate) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := g.begin(name, c); err != nil {
		return nil, err
	}
	f, err := g.open(name, func() (vfs.File, error) { return g.FS.Create(name, c) })
	if err != nil || !strings.HasPrefix(g.FS.PathBase(name), "MANIFEST-") {
		return f, err
	}
	if err := g.change(func() error { return SyncDir(g.FS, g.FS.PathDir(name)) }); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (g *gate) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return g.open(name, func() (vfs.File, error) { return g.FS.OpenReadWrite(name, c, opts...) })
}

func (g *gate) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.open(to, func() (vfs.File, error) { return g.FS.ReuseForWrite(from, to, c) })
}

func (g *gate) OpenDir(name string) (vfs.File, error) {
	d, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &gateDir{File: d, gate: g}, nil
}

func (g *gate) Link(from, to string) error {
	return g.change(func() error { return g.FS.Link(from, to) })
}

func (g *gate) Rename(from, to string) error {
	return g.change(func() error { return g.FS.Rename(from, to) })
}

// Remove may fail: what it leaves is removed when the store is opened again.
func (g *gate) Remove(name string) error { return g.try(func() error { return g.FS.Remove(name) }) }

func (g *gate) RemoveAll(name string) error {
	return g.change(func() error { return g.FS.RemoveAll(name) })
}

func (g *gate) MkdirAll(dir string, _ os.FileMode) error {
	return g.change(func() error { return g.FS.MkdirAll(dir, dirMode) })
}

// Lock is not refused: the lock is ours already (Options.Lock).
func (g *gate) Lock(name string) (io.Closer, error) { return g.FS.Lock(name) }

// GetDiskUsage says that it can't: Pebble would only pace its deletions with it.
func (g *gate) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{}, vfs.ErrUnsupported
}

func (g *gate) Unwrap() vfs.FS { return g.FS }

// gateFile is a file behind the gate. Reads and Close pass.
type gateFile struct {
	vfs.File
	change func(func() error) error // gate.change or gate.changeTable
}

func (f *gateFile) Write(b []byte) (n int, err error) {
	err = f.change(func() error { n, err = f.File.Write(b); return err })
	return n, err
}

func (f *gateFile) WriteAt(b []byte, off int64) (n int, err error) {
	err = f.change(func() error { n, err = f.File.WriteAt(b, off); return err })
	return n, err
}

func (f *gateFile) SyncTo(length int64) (full bool, err error) {
	err = f.change(func() error { full, err = f.File.SyncTo(length); return err })
	return full, err
}

func (f *gateFile) Sync() error     { return f.change(f.File.Sync) }
func (f *gateFile) SyncData() error { return f.change(f.File.SyncData) }

func (f *gateFile) Preallocate(off, length int64) error {
	return f.change(func() error { return f.File.Preallocate(off, length) })
}

// gateDir is a directory behind the gate. Pebble panics if it can't sync one (atomicfs.Marker), so here it
// is told that it could: the store has failed, and nothing follows on disk that relies on it.
type gateDir struct {
	vfs.File
	gate *gate
}

func (d *gateDir) Sync() error {
	if err := d.gate.change(d.File.Sync); err != nil && !d.gate.readOnly {
		d.gate.health.fail(fmt.Errorf("sync %s: %w", d.gate.dir, err))
	}
	return nil
}
