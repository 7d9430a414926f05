package blocks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// format is the version of the keys and of what is under m/. A change of what the engine keeps in
// its values needs a version of its own there.
const format = 1

const dirMode os.FileMode = 0o700

// Open opens the store in a directory, or creates it where there is nothing. Creating it may be interrupted at
// any point: the next Open goes on. Before anything is changed, Pebble reads what is there, and what it
// finds is compared to the marks; a store that falls short is refused as damaged.
func Open(o Options) (*Store, error) {
	o.setDefaults()
	if err := prepareDir(&o); err != nil {
		return nil, err
	}
	lock, err := lockDir(&o)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: o, health: newHealth(&o), lock: lock, closing: make(chan struct{}), idle: make(chan struct{})}
	s.users.resumed.L = &s.users
	if err := s.open(); err != nil {
		_ = s.closeAll() // nothing was committed
		return nil, fmt.Errorf("open %s: %w", o.Dir, err)
	}
	if !o.ReadOnly {
		s.health.setOpened()
	}
	return s, nil
}

// prepareDir makes the directory durable and refuses one that holds what is not ours.
func prepareDir(o *Options) error {
	_, err := o.FS.Stat(o.Dir)
	if errors.Is(err, os.ErrNotExist) && !o.ReadOnly {
		if err := makeDir(o.FS, o.Dir); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	_, err = hasMarks(o)
	return err
}

// hasMarks says whether the directory holds a store that was at least begun. Without one, it may hold
// nothing but what precedes it.
func hasMarks(o *Options) (bool, error) {
	names, err := o.FS.List(o.Dir)
	if err != nil {
		return false, err
	}
	if slices.Contains(names, marksName) {
		return true, nil
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "marker.") }) {
		return false, fmt.Errorf("%w: %s is not there, while other files of a store are; nothing was changed",
			ErrDamaged, o.FS.PathJoin(o.Dir, marksName))
	}
	if o.ReadOnly {
		return false, fmt.Errorf("%w: %s has no file %s, so it is no store", ErrForeign, o.Dir, marksName)
	}
	for _, name := range names {
		if name != marksTemp && name != holderName && name != "LOCK" {
			return false, fmt.Errorf("%w: %s holds %q but no file %s, so it is no store; nothing was changed",
				ErrForeign, o.Dir, name, marksName)
		}
	}
	return false, nil
}

// makeDir creates a directory and what is missing above it, and makes each durable in its parent.
func makeDir(fs vfs.FS, dir string) error {
	parent := fs.PathDir(dir)
	if _, err := fs.Stat(parent); errors.Is(err, os.ErrNotExist) && parent != dir {
		if err := makeDir(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	return SyncDir(fs, parent)
}

// SyncDir makes the names in a directory durable.
func SyncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// open does what comes after the lock was taken.
func (s *Store) open() error {
	o := &s.opts
	begun, err := hasMarks(o) // again, since the lock's former holder may have written it
	if err != nil {
		return err
	}
	if !begun {
		if err := createMarks(o.FS, o.Dir, mark{identity: newIdentity()}); err != nil {
			return err
		}
	}
	marks, warning, err := readMarks(o.FS, o.Dir)
	if err != nil {
		return err
	}
	if warning != nil {
		o.Logf("%v; a power cut does this, and it does no harm", warning)
	}
	s.identity = marks.identity
	if marks.generation == 0 {
		return s.create(marks)
	}
	if err := s.inspect(marks); err != nil || o.ReadOnly {
		return err
	}
	err = s.closeDB()
	s.db = nil
	if err != nil {
		return err
	}
	return s.openDB(marks)
}

// create finishes what has been begun: nothing was ever kept here.
func (s *Store) create(marks mark) error {
	if s.opts.ReadOnly {
		return fmt.Errorf("%w: it was never finished; opening it for writing does that", ErrForeign)
	}
	s.gate = newGate(&s.opts, s.health, s.identity, s.closing)
	s.cache = pebble.NewCache(s.opts.CacheBytes)
	if err := s.openDB(marks); err != nil {
		return err
	}
	b := s.db.NewBatch()
	defer b.Close()
	err := b.Set(formatKey, binary.BigEndian.AppendUint32(nil, format), nil)
	if err := errors.Join(err, s.db.Apply(b, pebble.NoSync)); err != nil {
		return err
	}
	s.room.commits = 1
	return s.flush(Marks{})
}

// inspect opens Pebble so that it changes nothing, and compares what it holds to the marks.
func (s *Store) inspect(marks mark) error {
	if err := s.openReadOnly(); err != nil {
		return err
	}
	if s.generation < marks.generation {
		return fmt.Errorf("%w: the tables hold flush %d, but flush %d was completed: the MANIFEST ends too early; nothing was changed",
			ErrDamaged, s.generation, marks.generation)
	}
	s.gate.readOnly = s.opts.ReadOnly
	s.found = marks.Marks
	return s.health.failure()
}

// openReadOnly opens Pebble so that it changes nothing.
func (s *Store) openReadOnly() error {
	if s.gate == nil {
		s.gate = newGate(&s.opts, s.health, s.identity, s.closing)
		s.cache = pebble.NewCache(s.opts.CacheBytes)
	}
	s.gate.readOnly = true
	p, err := pebbleOptions(&s.opts, s.gate, s.health, s.cache)
	if err != nil {
		return err
	}
	p.Lock = s.lock.Lock
	p.ReadOnly = true
	p.ErrorIfNotExists = true
	if err := s.openPebble(p); err != nil {
		return err
	}
	version, err := s.number(formatKey, 4)
	if err != nil {
		return err
	}
	if version > format {
		return fmt.Errorf("%w: it has format %d, this program knows %d", ErrNewer, version, format)
	}
	s.generation, err = s.number(generationKey, 8)
	return err
}

// number reads one of the numbers below m/, which are never missing.
func (s *Store) number(key []byte, size int) (uint64, error) {
	b, done, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, fmt.Errorf("%w: the tables do not hold %s; nothing was changed", ErrDamaged, key)
	} else if err != nil {
		return 0, damaged(err)
	}
	defer done.Close()
	if len(b) != size {
		return 0, fmt.Errorf("%w: %s has %d bytes, not %d", ErrDamaged, key, len(b), size)
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n, nil
}

// openDB opens Pebble for writing.
func (s *Store) openDB(marks mark) (err error) {
	p, err := pebbleOptions(&s.opts, s.gate, s.health, s.cache)
	if err != nil {
		return err
	}
	p.Lock = s.lock.Lock
	if err := s.openPebble(p); err != nil {
		return err
	}
	m, err := openMarks(s.gate, s.opts.Dir, marks)
	if err != nil {
		return err
	}
	s.marks.Store(m)
	return s.health.failure()
}
