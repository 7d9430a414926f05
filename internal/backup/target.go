package backup

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// target is a directory that is being filled.
type target struct {
	dir     string
	created bool // dir was not there
	buf     []byte
}

const (
	dirMode  = 0o700
	fileMode = 0o600
)

// Vacant says why Unpack and Restore would refuse dir; nil if it is empty, or there is none.
func Vacant(dir string) error {
	names, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(names) == 1 && names[0].Name() == unfinished:
		return fmt.Errorf("%s holds what was begun and never finished: remove it first", dir)
	case len(names) > 0:
		return fmt.Errorf("%s is not empty: it holds %s; give a directory that is, or a new one", dir, names[0].Name())
	}
	return nil
}

// begin makes a directory, or takes an empty one.
func begin(dir string) (*target, error) {
	if err := Vacant(dir); err != nil {
		return nil, err
	}
	t := &target{dir: dir, buf: make([]byte, copySize)}
	if err := os.MkdirAll(filepath.Dir(dir), dirMode); err != nil {
		return nil, err
	}
	err := os.Mkdir(dir, dirMode)
	if t.created = err == nil; err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	for _, sub := range []string{"", chunksDir, logDir} {
		if err := os.Mkdir(filepath.Join(dir, unfinished, sub), dirMode); err != nil {
			return nil, errors.Join(err, t.abandon())
		}
	}
	return t, nil
}

// part is the directory in which all is at first.
func (t *target) part() string { return filepath.Join(t.dir, unfinished) }

// write makes a file of size bytes of in, on stable storage, and returns its entry in the list.
func (t *target) write(name string, in io.Reader, size int64) (e entry, err error) {
	path := filepath.Join(t.part(), filepath.FromSlash(name))
	if err := os.Mkdir(filepath.Dir(path), dirMode); err != nil && !errors.Is(err, os.ErrExist) {
		return e, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	crc := crc32.New(castagnoli)
	n, err := io.CopyBuffer(io.MultiWriter(f, crc), struct{ io.Reader }{io.LimitReader(in, size)}, t.buf)
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = f.Sync()
	}
	return entry{name, size, crc.Sum32()}, err
}

// finish moves all files up: with list, if that is not nil, before the chunks.
func (t *target) finish(list []byte) error {
	if list != nil {
		if err := t.writeList(list); err != nil {
			return err
		}
	}
	names := []string{logDir, chunksDir}
	if _, err := os.Stat(filepath.Join(t.part(), docsDir)); err == nil {
		names = append([]string{docsDir}, names...)
	}
	for _, sub := range append(names[:len(names):len(names)], "") {
		if err := syncDir(filepath.Join(t.part(), sub)); err != nil {
			return err
		}
	}
	if list != nil {
		names = append([]string{List}, names...)
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(t.part(), name), filepath.Join(t.dir, name)); err != nil {
			return err
		}
		if err := syncDir(t.dir); err != nil {
			return err
		}
	}
	if err := os.Remove(t.part()); err != nil {
		return err
	}
	return errors.Join(syncDir(t.dir), syncDir(filepath.Dir(t.dir)))
}

func (t *target) writeList(list []byte) error {
	f, err := os.OpenFile(filepath.Join(t.part(), List), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(list)
	return errors.Join(err, f.Sync(), f.Close())
}

// abandon removes all that was made.
func (t *target) abandon() error {
	if t.created {
		return os.RemoveAll(t.dir)
	}
	var errs []error
	for _, name := range []string{chunksDir, logDir, docsDir, List, unfinished} { // what makes it look whole first
		errs = append(errs, os.RemoveAll(filepath.Join(t.dir, name)))
	}
	return errors.Join(errs...)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
