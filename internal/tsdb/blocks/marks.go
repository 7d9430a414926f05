package blocks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Marks are sequences of the engine above: the newest of which it is certain that all up to
// it are kept somewhere. They only grow.
type Marks struct {
	Flushed uint64 // in the store, by a completed Flush
	Synced  uint64 // in the log, synced
}

// The file of marks is a second opinion on what the store holds. Pebble takes an invalid record
// in its MANIFEST for the end of the file, and opening for writing then deletes the tables that
// it no longer knows of. Such a store holds an older generation than this file says.
//
//	0        8        12       16       24         32       40       48       64       68   4096
//	+--------+--------+--------+--------+----------+--------+--------+--------+--------+----+
//	| magic  |version | zero   | serial |generation|flushed |synced  |identity|crc     |    |   slot 0: even serials
//	+--------+--------+--------+--------+----------+--------+--------+--------+--------+----+
//	| the same                                                                              |   slot 1: odd serials
//	+---------------------------------------------------------------------------------------+
//
// Numbers are big-endian; crc is CRC-32C of the bytes before it. The slot with the larger
// serial counts. A write goes to the other one and is synced before it counts, so a torn
// write spoils what did not count yet. Slots are as far apart as the largest sectors of
// disks are long, for a sector may be lost as a whole.
const (
	marksName    = "marks"
	marksTemp    = "marks.new"
	marksMagic   = "metricd\n"
	marksVersion = 2
	marksLen     = 68
	// Version 1 had no identity: its crc is in the place of that.
	marksLen1 = 52
	slotSize  = 4096
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark is the content of a slot.
type mark struct {
	serial uint64
	// generation counts completed flushes. The store holds the same count as generationKey, written
	// with what was flushed; it may be larger there, by flushes that did not get to write here. 0:
	// the store is being created and nothing was ever kept in it.
	generation uint64
	Marks
	identity Identity
}

// encode returns the first marksLen bytes of a slot.
func (m mark) encode() []byte {
	b := append(make([]byte, 0, marksLen), marksMagic...)
	b = binary.BigEndian.AppendUint32(b, marksVersion)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint64(b, m.serial)
	b = binary.BigEndian.AppendUint64(b, m.generation)
	b = binary.BigEndian.AppendUint64(b, m.Flushed)
	b = binary.BigEndian.AppendUint64(b, m.Synced)
	b = append(b, m.identity[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var (
	errSlotEmpty = errors.New("empty")
	errSlotTorn  = errors.New("checksum does not match")
)

// decodeSlot reads a slot. The serial's parity must be that of the slot.
func decodeSlot(b []byte, slot uint64) (mark, error) {
	if len(b) < marksLen {
		return mark{}, io.ErrUnexpectedEOF
	}
	b = b[:marksLen]
	if [marksLen]byte(b) == [marksLen]byte{} {
		return mark{}, errSlotEmpty
	}
	version, end := binary.BigEndian.Uint32(b[8:]), marksLen
	if version == 1 {
		end = marksLen1
	}
	if crc32.Checksum(b[:end-4], castagnoli) != binary.BigEndian.Uint32(b[end-4:]) {
		return mark{}, errSlotTorn
	}
	if string(b[:8]) != marksMagic {
		return mark{}, fmt.Errorf("begins with %q, not with %q", b[:8], marksMagic)
	}
	if version > marksVersion {
		return mark{}, fmt.Errorf("%w (%s has version %d, this program knows %d)", ErrNewer, marksName, version, marksVersion)
	}
	m := mark{
		serial:     binary.BigEndian.Uint64(b[16:]),
		generation: binary.BigEndian.Uint64(b[24:]),
		Marks:      Marks{Flushed: binary.BigEndian.Uint64(b[32:]), Synced: binary.BigEndian.Uint64(b[40:])},
	}
	if end == marksLen {
		m.identity = Identity(b[48:64])
	}
	if m.serial%2 != slot {
		return mark{}, fmt.Errorf("holds serial %d, which belongs to the other slot", m.serial)
	}
	return m, nil
}

// decodeMarks returns what counts in the file, and a warning where one slot is spoiled.
func decodeMarks(b []byte) (m mark, warning, err error) {
	var slots [2]mark
	var errs [2]error
	for i := range slots {
		from := min(i*slotSize, len(b))
		slots[i], errs[i] = decodeSlot(b[from:min(from+slotSize, len(b))], uint64(i))
		if errors.Is(errs[i], ErrNewer) {
			return mark{}, nil, errs[i]
		}
	}
	switch {
	case errs[0] != nil && errs[1] != nil:
		return mark{}, nil, fmt.Errorf("%w: slot 0: %w; slot 1: %w", ErrDamaged, errs[0], errs[1])
	case errs[0] != nil:
		m, err = slots[1], errs[0]
	case errs[1] != nil:
		m, err = slots[0], errs[1]
	case slots[1].serial > slots[0].serial:
		return slots[1], nil, nil
	default:
		return slots[0], nil, nil
	}
	if errors.Is(err, errSlotEmpty) && m.serial == 0 {
		return m, nil, nil // never written yet
	}
	return m, fmt.Errorf("the slot not of serial %d: %w", m.serial, err), nil
}

// createMarks makes the file with a first slot and returns once it is durable under its name.
func createMarks(fs vfs.FS, dir string, m mark) error {
	temp := fs.PathJoin(dir, marksTemp)
	f, err := fs.Create(temp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	b := make([]byte, 2*slotSize)
	copy(b[m.serial%2*slotSize:], m.encode())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fs.Rename(temp, fs.PathJoin(dir, marksName)); err != nil {
		return err
	}
	return SyncDir(fs, dir)
}

// readMarks reads the file.
func readMarks(fs vfs.FS, dir string) (m mark, warning, err error) {
	name := fs.PathJoin(dir, marksName)
	f, err := fs.Open(name)
	if err != nil {
		return mark{}, nil, err
	}
	defer f.Close()
	b := make([]byte, 2*slotSize)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return mark{}, nil, err
	}
	m, warning, err = decodeMarks(b[:n])
	if err != nil {
		return mark{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	if warning != nil {
		warning = fmt.Errorf("%s: %w", name, warning)
	}
	return m, warning, nil
}

// marksFile is the file opened for writing. Safe for concurrent use.
type marksFile struct {
	f  vfs.File
	mu struct {
		sync.Mutex
		last mark // durable
	}
}

func openMarks(fs vfs.FS, dir string, last mark) (*marksFile, error) {
	f, err := fs.OpenReadWrite(fs.PathJoin(dir, marksName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	mf := &marksFile{f: f}
	mf.mu.last = last
	return mf, nil
}

// raise makes generation and marks durable where they are larger than before. After an error
// the file is not to be written again.
func (mf *marksFile) raise(generation uint64, marks Marks) error {
	mf.mu.Lock()
	defer mf.mu.Unlock()
	last := mf.mu.last
	m := mark{
		serial:     last.serial + 1,
		generation: max(last.generation, generation),
		Marks:      Marks{max(last.Flushed, marks.Flushed), max(last.Synced, marks.Synced)},
		identity:   last.identity,
	}
	if m.generation == last.generation && m.Marks == last.Marks {
		return nil
	}
	if _, err := mf.f.WriteAt(m.encode(), int64(m.serial%2*slotSize)); err != nil {
		return err
	}
	if err := mf.f.SyncData(); err != nil {
		return err
	}
	mf.mu.last = m
	return nil
}

// last returns what is durable.
func (mf *marksFile) last() mark {
	mf.mu.Lock()
	defer mf.mu.Unlock()
	return mf.mu.last
}
