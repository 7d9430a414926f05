package documents

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// write makes a document, durably.
func (s *Store) write(info storage.DocumentInfo, data []byte) error {
	if err := s.makeDir(); err != nil {
		return err
	}
	path := s.o.path(info.Name)
	temp := path + tempSuffix
	err := s.writeFile(temp, append(s.o.appendHeader(make([]byte, 0, maxHeader+len(data)), info, data), data...))
	if err == nil {
		err = s.o.FS.Rename(temp, path)
	}
	if err != nil {
		_ = s.o.FS.Remove(temp) // Open does, else
		return err
	}
	if err := syncDir(s.o.FS, s.o.Dir); err != nil {
		return s.fail(err)
	}
	s.bytes += info.Size - s.known[info.Name].Size
	s.known[info.Name] = info
	return nil
}

// makeDir makes the directory, if that is not done yet.
func (s *Store) makeDir() error {
	if s.made {
		return nil
	}
	if err := s.o.FS.MkdirAll(s.o.Dir, 0o700); err != nil {
		return err
	}
	if err := syncDir(s.o.FS, s.o.FS.PathDir(s.o.Dir)); err != nil {
		return s.fail(err)
	}
	s.made = true
	return nil
}

func (s *Store) writeFile(path string, b []byte) error {
	f, err := s.o.FS.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the names in a directory durable.
func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
