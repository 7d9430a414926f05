package backup

import (
	"archive/tar"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"metricd/internal/storage"
)

// Write writes the stream of s to w. The modification times in it are now.
func Write(w io.Writer, s storage.Snapshot, now time.Time) (Summary, error) {
	out := tar.NewWriter(w)
	var sum Summary
	var list []entry
	buf := make([]byte, copySize)
	for _, f := range s.Files() {
		crc, err := writeFile(out, s, f, now, buf)
		if err != nil {
			return sum, fmt.Errorf("backup: %s: %w", f.Name, err)
		}
		list = append(list, entry{f.Name, f.Size, crc})
		sum.Files++
		sum.Bytes += f.Size
	}
	text := appendList(nil, list)
	err := out.WriteHeader(header(List, int64(len(text)), now))
	if err == nil {
		_, err = out.Write(text)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return sum, fmt.Errorf("backup: %s: %w", List, err)
	}
	return sum, nil
}

// copySize is the size of a read and a write.
const copySize = 256 << 10

func header(name string, size int64, now time.Time) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: now.Truncate(time.Second), Format: tar.FormatPAX}
}

// writeFile writes one file, which has to have its size, and returns its checksum.
func writeFile(out *tar.Writer, s storage.Snapshot, f storage.SnapshotFile, now time.Time, buf []byte) (uint32, error) {
	in, err := s.Open(f.Name)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	if err := out.WriteHeader(header(f.Name, f.Size, now)); err != nil {
		return 0, err
	}
	crc := crc32.New(castagnoli)
	// Without the types, so that buf is used.
	n, err := io.CopyBuffer(io.MultiWriter(out, crc), struct{ io.Reader }{io.LimitReader(in, f.Size)}, buf)
	if err == nil && n < f.Size {
		err = fmt.Errorf("it has %d bytes, not %d", n, f.Size)
	}
	return crc.Sum32(), err
}
