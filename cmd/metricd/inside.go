package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"metricd/internal/backup"
)

// refuseInside returns an error if a directory that is to be made lies in one of others, or is one, or lies in a data directory or
// backup: what is made there would be taken for a part of it, or be lost with it. Symbolic links are followed.
func refuseInside(dir string, others ...string) error {
	for at := resolve(dir); ; at = filepath.Dir(at) {
		for _, other := range others {
			if at == resolve(other) {
				return fmt.Errorf("%s is %s or lies in it: choose a directory elsewhere", dir, other)
			}
		}
		if at == filepath.Dir(at) {
			return nil
		}
		for _, mark := range []string{filepath.Join("chunks", "marks"), backup.List} {
			if _, err := os.Stat(filepath.Join(filepath.Dir(at), mark)); err == nil {
				return fmt.Errorf("%s lies in %s, which holds data of metricd: choose a directory elsewhere", dir, filepath.Dir(at))
			}
		}
	}
}

// resolve returns an absolute path without symbolic links, as far as it is there.
func resolve(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	real, err := filepath.EvalSymlinks(path)
	if parent := filepath.Dir(path); errors.Is(err, os.ErrNotExist) && parent != path {
		return filepath.Join(resolve(parent), filepath.Base(path))
	} else if err != nil {
		return path
	}
	return real
}
