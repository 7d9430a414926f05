// Package backup is the format of backups: a directory with all files of a store and a list of them, and the same as a
// stream. It makes the stream of a storage.Snapshot, unpacks it, and restores a directory from what was unpacked.
//
// # The stream
//
// A tar archive (the PAX format of package tar) of regular files, in any order, the list behind all others:
//
//	chunks/NAME …  log/NAME …  documents/NAME …  BACKUP
//
// # The list
//
// The file BACKUP is text. Names hold no line end.
//
//	metricd backup 1            magic and version
//	CRC-32C SIZE NAME           of each file: 8 hexadecimal digits, bytes in decimal
//	…
//	end N                       the number of files; a list without it is cut short
//
// # Half-made directories
//
// Unpack and Restore write below TARGET/unfinished. When all is there, checked and on stable storage, they
// move it up, chunks last: without chunks no directory is taken for a store, nor for a backup. The engine refuses to open a
// directory with a BACKUP, so a backup stays as it was made.
package backup

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

const (
	// List is the name of the list of files.
	List = "BACKUP"

	magic = "metricd backup 1\n"

	chunksDir  = "chunks" // moved up last
	logDir     = "log"
	docsDir    = "documents" // made for the first file in it
	unfinished = "unfinished"

	// maxList bounds the size of a list, in bytes.
	maxList = 64 << 20
)

// Summary counts what was written.
type Summary struct {
	Files int
	Bytes int64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// entry is a line of the list.
type entry struct {
	name string
	size int64
	crc  uint32
}

// appendList appends a list of entries to dst.
func appendList(dst []byte, entries []entry) []byte {
	dst = append(dst, magic...)
	for _, e := range entries {
		dst = fmt.Appendf(dst, "%08x %d %s\n", e.crc, e.size, e.name)
	}
	return fmt.Appendf(dst, "end %d\n", len(entries))
}

// parseList reads a list.
func parseList(b []byte) ([]entry, error) {
	text, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("%s: it does not begin with %q: it is damaged, or of a newer metricd", List, magic)
	}
	var entries []entry
	for number := 2; ; number++ {
		line, _, ended := strings.Cut(string(text[:min(len(text), maxLine)]), "\n")
		if !ended {
			return nil, fmt.Errorf("%s: line %d has no end: the list is cut short", List, number)
		}
		text = text[len(line)+1:]
		if count, last := strings.CutPrefix(line, "end "); last {
			if count != strconv.Itoa(len(entries)) || len(text) > 0 {
				return nil, fmt.Errorf("%s: line %d: %q behind %d files, with %d bytes behind it", List, number, line, len(entries), len(text))
			}
			return entries, nil
		}
		e, err := parseEntry(line)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %q: %w", List, number, line, err)
		}
		entries = append(entries, e)
	}
}

// maxLine bounds a line of the list: names of files have 255 bytes at most.
const maxLine = 1024

func parseEntry(line string) (e entry, err error) {
	sum, rest, _ := strings.Cut(line, " ")
	size, name, _ := strings.Cut(rest, " ")
	crc, err := strconv.ParseUint(sum, 16, 32)
	if err != nil || len(sum) != 8 {
		return e, errors.New("want a checksum of 8 hexadecimal digits")
	}
	e = entry{name: name, crc: uint32(crc)}
	if e.size, err = strconv.ParseInt(size, 10, 64); err != nil || e.size < 0 {
		return e, errors.New("want a size in bytes")
	}
	return e, checkName(name)
}

// checkName refuses all but chunks/NAME, log/NAME and documents/NAME: a name must not lead out of the directory, nor to what is not a
// store's.
func checkName(name string) error {
	dir, base, _ := strings.Cut(name, "/")
	if dir != chunksDir && dir != logDir && dir != docsDir || base == "" || base == "." || base == ".." || strings.ContainsAny(base, "/\\\n\x00") {
		return fmt.Errorf("%q is no name of a file of a backup", name)
	}
	return nil
}
