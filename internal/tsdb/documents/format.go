package documents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
)

// A file is a header, the name of its document, and the data:
//
//	0        8        12       16         32        40         48       52         56       60     60+n
//	+--------+--------+--------+----------+---------+----------+--------+----------+--------+------+------+
//	| magic  | format | name n | identity | version | modified | size   | data crc | crc    | name | data |
//	+--------+--------+--------+----------+---------+----------+--------+----------+--------+------+------+
//
// Numbers are big-endian; n and size are bytes, modified ms since the Unix epoch, and identity that of the store around, zero where that is not known. data crc is CRC-32C of
// the data, crc that of the 56 bytes before it and the name. Later formats have the same 60 bytes at least, so that they are told from damage.
const (
	magic     = "metricd\n"
	format    = 1
	headerLen = 60
	maxHeader = headerLen + storage.MaxDocumentName // with the name
)

// ErrDamaged: a file does not hold what was written to it.
var ErrDamaged = errors.New("document: damaged")

var errNewer = errors.New("document: written by a newer version of metricd")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendHeader appends the header of a document and its name to dst.
func (o *Options) appendHeader(dst []byte, info storage.DocumentInfo, data []byte) []byte {
	b := append(make([]byte, 0, headerLen), magic...)
	b = binary.BigEndian.AppendUint32(b, format)
	b = binary.BigEndian.AppendUint32(b, uint32(len(info.Name)))
	b = append(b, o.Identity[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(info.Version))
	b = binary.BigEndian.AppendUint64(b, uint64(info.Modified))
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(data, castagnoli))
	b = binary.BigEndian.AppendUint32(b, crc32.Update(crc32.Checksum(b, castagnoli), castagnoli, []byte(info.Name)))
	return append(append(dst, b...), info.Name...)
}

// header is what a header says, and where the data begin.
type header struct {
	storage.DocumentInfo
	dataCRC uint32
	begin   int64
}

// decodeHeader reads the header of the document name, and its name behind it, from the beginning of a file. There may be more in b.
func (o *Options) decodeHeader(b []byte, name string) (h header, err error) {
	if len(b) < headerLen {
		return h, fmt.Errorf("%w: it is cut short at byte %d", ErrDamaged, len(b))
	}
	n := int64(binary.BigEndian.Uint32(b[12:]))
	if n > int64(len(b)-headerLen) || n > storage.MaxDocumentName {
		return h, fmt.Errorf("%w: at byte 12: no name has %d bytes there", ErrDamaged, n)
	}
	has := b[headerLen : headerLen+n]
	crc := crc32.Update(crc32.Checksum(b[:headerLen-4], castagnoli), castagnoli, has)
	if crc != binary.BigEndian.Uint32(b[headerLen-4:]) {
		return h, fmt.Errorf("%w: the checksum of its header, at byte %d, does not match", ErrDamaged, headerLen-4)
	}
	if string(b[:8]) != magic {
		return h, fmt.Errorf("%w: it begins with %q, not with %q", ErrDamaged, b[:8], magic)
	}
	if f := binary.BigEndian.Uint32(b[8:]); f != format {
		return h, fmt.Errorf("%w: it has format %d, this program knows %d", errNewer, f, format)
	}
	if string(has) != name {
		return h, fmt.Errorf("%w: it is the document %q under another name", ErrDamaged, has)
	}
	if id := [16]byte(b[16:]); id != o.Identity && id != [16]byte{} && o.Identity != [16]byte{} {
		return h, fmt.Errorf("%w: it belongs to another store, %x, and this is %x: to take it over, export it there", ErrDamaged, id, o.Identity)
	}
	h.DocumentInfo = storage.DocumentInfo{
		Name:     name,
		Version:  storage.Version(binary.BigEndian.Uint64(b[32:])),
		Modified: int64(binary.BigEndian.Uint64(b[40:])),
		Size:     int64(binary.BigEndian.Uint32(b[48:])),
	}
	if h.Version == 0 || h.Size > storage.MaxDocument {
		return h, fmt.Errorf("%w: its header says version %d and %d bytes", ErrDamaged, h.Version, h.Size)
	}
	h.dataCRC, h.begin = binary.BigEndian.Uint32(b[52:]), headerLen+n
	return h, nil
}

// sized says whether a file of this many bytes is as long as the header says.
func (h *header) sized(file int64) error {
	if want := h.begin + h.Size; file != want {
		return fmt.Errorf("%w: it has %d bytes, not %d", ErrDamaged, file, want)
	}
	return nil
}

// decode reads the file of the document name. The data refer to b.
func (o *Options) decode(b []byte, name string) (info storage.DocumentInfo, data []byte, err error) {
	h, err := o.decodeHeader(b, name)
	if err == nil {
		err = h.sized(int64(len(b)))
	}
	if err != nil {
		return info, nil, err
	}
	if data = b[h.begin:]; crc32.Checksum(data, castagnoli) != h.dataCRC {
		return info, nil, fmt.Errorf("%w: the checksum of its data, at byte 52, does not match", ErrDamaged)
	}
	return h.DocumentInfo, data, nil
}

// unreadable returns an error of readHeader or read with the file in which it is and, unless it is one of the file system, what to do.
func (o *Options) unreadable(name string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = fmt.Errorf("%w: it is gone", ErrDamaged)
	case !errors.Is(err, ErrDamaged) && !errors.Is(err, errNewer):
		return fmt.Errorf("%s: %w", o.path(name), err)
	}
	return fmt.Errorf("%s: %w; save %q anew, delete it, or restore a backup", o.path(name), err, name)
}

// readHeader reads the beginning of a file, and compares its length.
func (o *Options) readHeader(name string) (storage.DocumentInfo, error) {
	b, size, err := o.readFile(name, maxHeader)
	var h header
	if err == nil {
		h, err = o.decodeHeader(b, name)
	}
	if err == nil {
		err = h.sized(size)
	}
	return h.DocumentInfo, err
}

// read reads a file.
func (o *Options) read(name string) (info storage.DocumentInfo, data []byte, err error) {
	b, _, err := o.readFile(name, maxHeader+storage.MaxDocument+1) // one more than any has, so that what is too long is not cut
	if err != nil {
		return info, nil, err
	}
	return o.decode(b, name)
}

// readFile returns the first bytes of a file, most at most, and how many it has.
func (o *Options) readFile(name string, most int64) (b []byte, size int64, err error) {
	f, err := o.FS.Open(o.path(name), vfs.SequentialReadsOption)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	b = make([]byte, min(info.Size(), most))
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // it became shorter
	}
	return b[:n], info.Size(), err
}
