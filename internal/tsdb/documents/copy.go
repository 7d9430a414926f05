package documents

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// Each reads all documents of a directory that no Store has open, by the order of its files, and changes nothing. o.Now, o.Logf and o.MaxBytes are not used. visit is called with
// each that is sound; its data are visit's. fault is called with what is wrong with others, and with files that are none but called so. The error
// is visit's, ctx's, or that the directory can't be listed; one that is not there is empty.
func Each(ctx context.Context, o Options, visit func(storage.DocumentInfo, []byte) error, fault func(error)) error {
	files, err := o.FS.List(o.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	slices.Sort(files)
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, unfinished, err := o.parse(file)
		if err != nil {
			fault(err)
		}
		if name == "" || unfinished {
			continue
		}
		info, data, err := o.read(name)
		if err != nil {
			fault(o.unreadable(name, err))
		} else if err := visit(info, data); err != nil {
			return err
		}
	}
	return nil
}

// Copy makes dir, which must not exist, with all documents as they are at one moment during the call; if there are none it makes nothing. They are hard links where the file system can, and don't
// change. Damaged ones are left out, which is logged. The copy is not made durable. After an error some of it may be there.
func (s *Store) Copy(ctx context.Context, dir string) error {
	names, err := s.link(ctx, dir)
	if err != nil {
		return err
	}
	// Without the turn: it may be a lot to read.
	copied := s.o
	copied.Dir = dir
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, _, err := copied.read(name)
		if err == nil || errors.Is(err, errNewer) {
			continue
		}
		err = s.o.unreadable(name, err)
		if !errors.Is(err, ErrDamaged) {
			return err
		}
		s.o.Logf("left out of the copy: %v", err)
		if err := s.o.FS.Remove(copied.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// link links all files, and returns the names of the documents.
func (s *Store) link(ctx context.Context, dir string) (names []string, err error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	if len(s.known) == 0 {
		return nil, nil
	}
	if err := s.o.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	names = slices.Sorted(maps.Keys(s.known))
	for _, name := range names {
		err := vfs.LinkOrCopy(s.o.FS, s.o.path(name), s.o.FS.PathJoin(dir, fileName(name)))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // that it is gone is told below
			return nil, fmt.Errorf("document %q: %w", name, err)
		}
	}
	return names, nil
}
