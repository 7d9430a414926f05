package backup

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Unpack makes a backup in dir, which is made if there is none and else has to be empty, of a stream. It reads the stream to its
// end. On return all is on stable storage. After an error nothing is left, but an unfinished part if even
// removing that failed.
func Unpack(stream io.Reader, dir string) (Summary, error) {
	t, err := begin(dir)
	if err != nil {
		return Summary{}, err
	}
	sum, err := unpack(stream, t)
	if err != nil {
		return Summary{}, errors.Join(err, t.abandon())
	}
	return sum, nil
}

func unpack(stream io.Reader, t *target) (sum Summary, err error) {
	in := tar.NewReader(stream)
	var got []entry
	for {
		h, err := in.Next()
		if err == io.EOF {
			return sum, fmt.Errorf("the stream ends without its %s: %w", List, io.ErrUnexpectedEOF)
		} else if err != nil {
			return sum, fmt.Errorf("the stream is no backup, or cut short: %w", err)
		}
		if h.Name == List {
			break
		}
		if err := checkName(h.Name); err != nil {
			return sum, err
		}
		if h.Typeflag != tar.TypeReg || isSparse(h) {
			return sum, fmt.Errorf("%s: it is no regular file", h.Name)
		}
		e, err := t.write(h.Name, in, h.Size)
		if err != nil {
			return sum, fmt.Errorf("%s: %w", h.Name, err)
		}
		got = append(got, e)
		sum.Files++
		sum.Bytes += e.size
	}
	list, err := readList(in)
	if err != nil {
		return sum, err
	}
	if _, err := in.Next(); err == nil {
		return sum, fmt.Errorf("the stream has more behind its %s", List)
	} else if err != io.EOF {
		return sum, fmt.Errorf("the stream has no end behind its %s: %w", List, err)
	}
	// The rest is padding. A stream that is cut there, or ends in an error, is no whole one.
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return sum, fmt.Errorf("the end of the stream: %w", err)
	}
	want, err := parseList(list)
	if err != nil {
		return sum, err
	}
	if err := compare(want, got); err != nil {
		return sum, err
	}
	return sum, t.finish(list)
}

// isSparse says whether a few bytes of the stream stand for a file of any size.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func readList(r io.Reader) ([]byte, error) {
	list, err := io.ReadAll(io.LimitReader(r, maxList+1))
	if err == nil && len(list) > maxList {
		err = errors.New("it is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", List, err)
	}
	return list, nil
}

// compare says in what the files that are there differ from those that should be. It sorts both.
func compare(want, got []entry) error {
	byName := func(a, b entry) int { return strings.Compare(a.name, b.name) }
	slices.SortFunc(want, byName)
	slices.SortFunc(got, byName)
	for i, w := range want {
		switch {
		case i == len(got) || got[i].name > w.name:
			return fmt.Errorf("%s is missing", w.name)
		case got[i].name < w.name:
			return fmt.Errorf("%s is not in %s", got[i].name, List)
		case got[i].size != w.size:
			return fmt.Errorf("%s is damaged: it has %d bytes, not %d", w.name, got[i].size, w.size)
		case got[i].crc != w.crc:
			return fmt.Errorf("%s is damaged: its checksum is %08x, not %08x", w.name, got[i].crc, w.crc)
		}
	}
	if len(got) > len(want) {
		return fmt.Errorf("%s is not in %s", got[len(want)].name, List)
	}
	return nil
}

// Restore makes a directory to work on, which must not be there or be empty, of a backup. Each file is compared to the list; then
// verify, which is given the directory with the copy, has the last word. On return all is on stable storage. After an
// error nothing is left, but an unfinished part if even removing that failed.
func Restore(backup, dir string, verify func(dir string) error) (Summary, error) {
	list, err := os.ReadFile(filepath.Join(backup, List))
	if errors.Is(err, os.ErrNotExist) {
		return Summary{}, fmt.Errorf("%s has no file %s, so it is no whole backup", backup, List)
	} else if err != nil {
		return Summary{}, err
	}
	want, err := parseList(list)
	if err != nil {
		return Summary{}, fmt.Errorf("%s: %w", backup, err)
	}
	t, err := begin(dir)
	if err != nil {
		return Summary{}, err
	}
	sum, err := restore(backup, want, t)
	if err != nil {
		err = fmt.Errorf("%s: %w", backup, err)
	} else if err = verify(t.part()); err == nil {
		err = t.finish(nil)
	}
	if err != nil {
		return Summary{}, errors.Join(err, t.abandon())
	}
	return sum, nil
}

// restore copies the files of a backup.
func restore(backup string, want []entry, t *target) (sum Summary, err error) {
	var got []entry
	for _, w := range want {
		e, err := copyFile(backup, w.name, t)
		if errors.Is(err, os.ErrNotExist) {
			continue // compare tells
		} else if err != nil {
			return sum, fmt.Errorf("%s: %w", w.name, err)
		}
		got = append(got, e)
		sum.Files++
		sum.Bytes += e.size
	}
	return sum, compare(want, got)
}

func copyFile(backup, name string, t *target) (entry, error) {
	f, err := os.Open(filepath.Join(backup, filepath.FromSlash(name)))
	if err != nil {
		return entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return entry{}, err
	}
	return t.write(name, f, info.Size())
}
