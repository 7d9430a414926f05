package blocks

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// holderName is the file that says who holds the lock. Pebble's own LOCK must not be read, since closing any
// other descriptor of it would release the lock.
const holderName = "holder"

// dirLock is the lock of a directory, held from before anything in it is read until the store is closed. It is two: that of the file
// LOCK, which Pebble wants, and one of the directory itself, which stays where it is if somebody removes that file.
type dirLock struct {
	*pebble.Lock
	fs   vfs.FS
	file string // the holder file; empty if there is none
	held *heldFile
}

// heldFile is what is open below a lock. It is closed once, by whoever comes first: Pebble, which counts those who hold the lock and
// may never come to give its own share back after a failure, or abandon.
type heldFile struct {
	io.Closer
	unlocked error // why there is no LOCK; nil: it is there and ours
	once     sync.Once
	err      error
}

func (f *heldFile) Close() error {
	f.once.Do(func() { f.err = f.Closer.Close() })
	return f.err
}

// lockFS gives a lock a heldFile.
type lockFS struct {
	vfs.FS
	held     *heldFile
	readOnly bool // do without LOCK where nothing can be written
}

func (fs lockFS) Lock(name string) (io.Closer, error) {
	file, err := fs.FS.Lock(name)
	if err != nil && (!fs.readOnly || !errors.Is(err, syscall.EROFS) && !errors.Is(err, os.ErrPermission) || isHeld(err)) {
		return nil, err
	}
	fs.held.unlocked = err
	open := closers{file}
	if err != nil {
		open = nil
	}
	dir, err := fs.OpenDir(fs.PathDir(name))
	if err != nil {
		return nil, errors.Join(err, open.Close())
	}
	open = append(open, dir)
	if fd := dir.Fd(); fd != vfs.InvalidFd {
		if err := flock(fd, fs.held.unlocked != nil); err != nil {
			return nil, errors.Join(err, open.Close())
		}
	}
	fs.held.Closer = open
	return fs.held, nil
}

// closers are closed together.
type closers []io.Closer

func (all closers) Close() (err error) {
	for _, c := range all {
		err = errors.Join(err, c.Close())
	}
	return err
}

// Unlocked returns why a store that is open for reading only is locked but by its directory, which keeps away others on this machine: nothing
// can be written there. Nil: it is locked as one for writing is.
func (s *Store) Unlocked() error { return s.lock.held.unlocked }

// abandon gives the directory back although Pebble did not, and maybe never will.
func (l *dirLock) abandon() error { return l.held.Close() }

// lockDir takes the lock and, unless readOnly, writes down who has it.
func lockDir(o *Options) (*dirLock, error) {
	held := new(heldFile)
	lock, err := pebble.LockDirectory(o.Dir, lockFS{o.FS, held, o.ReadOnly})
	if isHeld(err) {
		return nil, fmt.Errorf("%w: %s is held by %s", ErrInUse, o.Dir, holder(o.FS, o.Dir))
	} else if err != nil {
		return nil, fmt.Errorf("lock %s: %w", o.Dir, err)
	}
	l := &dirLock{Lock: lock, fs: o.FS, held: held}
	if o.ReadOnly {
		return l, nil
	}
	if err := l.sign(o); err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// sign writes down who has the lock.
func (l *dirLock) sign(o *Options) error {
	l.file = o.FS.PathJoin(o.Dir, holderName)
	text := fmt.Sprintf("process %d (%s), since %s\n", os.Getpid(), filepath.Base(os.Args[0]), o.Now().Format(time.RFC3339))
	return writeFile(o.FS, l.file, text)
}

// isHeld says whether an error of a lock means that somebody has it: fcntl(2) allows for two errors, and
// Pebble has a text where it is this process.
func isHeld(err error) bool {
	var path *os.PathError // the file could not be opened
	return err != nil && !errors.As(err, &path) &&
		(errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EACCES) || strings.Contains(err.Error(), "held by"))
}

// holder returns who holds the lock, as far as can be known.
func holder(fs vfs.FS, dir string) string {
	const unknown = "another process"
	f, err := fs.Open(fs.PathJoin(dir, holderName))
	if err != nil {
		return unknown
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 256))
	line, ended := strings.CutSuffix(string(b), "\n")
	if err != nil || !ended || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
		return unknown
	}
	return line
}

// release gives the lock back.
func (l *dirLock) release() error {
	var err error
	if l.file != "" {
		err = l.fs.Remove(l.file)
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	return errors.Join(err, l.Lock.Close())
}

func writeFile(fs vfs.FS, name, text string) error {
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	return errors.Join(err, f.Close())
}
