package tsdb

import (
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// smallFS is a file system in memory with so many bytes and no more. As on a real one what a file has takes space, or what was reserved for
// it, if that is more; and who writes beyond gets what fits, and ENOSPC.
type smallFS struct {
	*vfs.MemFS
	*space
}

// space is what smallFSs share: a clone after a crash has that of the original.
type space struct {
	mu             sync.Mutex
	total, foreign int64
	files          map[string]*smallFile // by name; the newest of a name
	quota          bool                  // the disk does not tell what is free
}

// smallFile is what a file takes.
type smallFile struct{ size, reserved int64 }

func (f *smallFile) takes() int64 { return max(f.size, f.reserved) }

func newSmallFS(total int64) *smallFS {
	return &smallFS{vfs.NewCrashableMem(), &space{total: total, files: map[string]*smallFile{}}}
}

// crash returns what the end of the machine leaves.
func (fs *smallFS) crash(cfg vfs.CrashCloneCfg) *smallFS {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	s := &space{total: fs.total, foreign: fs.foreign, quota: fs.quota, files: map[string]*smallFile{}}
	clone := fs.CrashClone(cfg)
	for name, f := range fs.files {
		if info, err := clone.Stat(name); err == nil {
			s.files[name] = &smallFile{info.Size(), f.reserved}
		}
	}
	return &smallFS{clone, s}
}

func (s *space) freeLocked() int64 {
	free := s.total - s.foreign
	for _, f := range s.files {
		free -= f.takes()
	}
	return free
}

// take lets others have all but rest of what is free.
func (s *space) take(rest int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.foreign += s.freeLocked() - rest
}

// give takes it all away from them.
func (s *space) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.foreign = 0
}

func (s *space) grow(by int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total += by
}

func (s *smallFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := max(s.freeLocked(), 0)
	if s.quota {
		free = s.total
	}
	return vfs.DiskUsage{AvailBytes: uint64(free), TotalBytes: uint64(s.total), UsedBytes: uint64(s.total - free)}, nil
}

func (fs *smallFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.MemFS.Create(name, c)
	if err != nil {
		return nil, err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	s := &smallFile{}
	fs.files[name] = s
	return &smallHandle{File: f, fs: fs, file: s}, nil
}

func (fs *smallFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := fs.MemFS.OpenReadWrite(name, c, opts...)
	if err != nil {
		return nil, err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.files[name] == nil {
		fs.files[name] = &smallFile{}
	}
	return &smallHandle{File: f, fs: fs, file: fs.files[name]}, nil
}

func (fs *smallFS) Remove(name string) error {
	err := fs.MemFS.Remove(name)
	if err == nil {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		delete(fs.files, name)
	}
	return err
}

func (fs *smallFS) Rename(from, to string) error {
	err := fs.MemFS.Rename(from, to)
	if err == nil {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.each(from, func(name string) {
			fs.files[to+strings.TrimPrefix(name, from)] = fs.files[name]
			delete(fs.files, name)
		})
	}
	return err
}

func (fs *smallFS) RemoveAll(name string) error {
	err := fs.MemFS.RemoveAll(name)
	if err == nil {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.each(name, func(name string) { delete(fs.files, name) })
	}
	return err
}

// each calls visit with the names of a file, or of those in a directory. mu is held.
func (s *space) each(path string, visit func(name string)) {
	for _, name := range slices.Collect(maps.Keys(s.files)) {
		if name == path || strings.HasPrefix(name, path+"/") {
			visit(name)
		}
	}
}

// smallHandle is an open file.
type smallHandle struct {
	vfs.File
	fs   *smallFS
	file *smallFile
	off  int64 // of Write
}

// room makes the file as long as end, or as long as there is space for; it returns how long.
func (h *smallHandle) room(off, end int64) (int64, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	have := h.file.takes()
	if more := end - have; more > 0 {
		if free := max(h.fs.freeLocked(), 0); more > free {
			end = max(off, have+free)
			h.file.size = max(h.file.size, end)
			return end, &os.PathError{Op: "write", Path: "file", Err: syscall.ENOSPC}
		}
	}
	h.file.size = max(h.file.size, end)
	return end, nil
}

func (h *smallHandle) Write(b []byte) (int, error) {
	end, full := h.room(h.off, h.off+int64(len(b)))
	n, err := h.File.Write(b[:end-h.off])
	h.off += int64(n)
	if err == nil {
		err = full
	}
	return n, err
}

func (h *smallHandle) WriteAt(b []byte, off int64) (int, error) {
	end, full := h.room(off, off+int64(len(b)))
	n, err := h.File.WriteAt(b[:end-off], off)
	if err == nil {
		err = full
	}
	return n, err
}

func (h *smallHandle) Preallocate(off, length int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if off+length-h.file.takes() > h.fs.freeLocked() {
		return &os.PathError{Op: "fallocate", Path: "file", Err: syscall.ENOSPC}
	}
	h.file.reserved = off + length
	return nil
}
