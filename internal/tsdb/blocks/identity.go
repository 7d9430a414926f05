package blocks

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Identity tells one store from all others: 128 random bits, drawn when it is created. It stands in the file of marks and, as a
// property, in every table; the log above has a part of it. So a file of another store is told by itself when it is opened, whatever
// its name and size are. A checkpoint has the identity of its store, since it has its tables. Zero: not known.
type Identity [16]byte

func newIdentity() (id Identity) {
	rand.Read(id[:]) // never fails
	return id
}

// identityProperty is the name of the property of tables, whose value is the identity.
const identityProperty = "metricd.store"

// check says whether a table belongs to the store. If that is not known, none is refused.
func (id Identity) check(r *sstable.Reader) error {
	has := r.UserProperties[identityProperty]
	switch {
	case id == Identity{}:
		return nil
	case len(has) == 1+len(id) && has[1:] == string(id[:]): // Pebble puts a byte of its own before it
		return nil
	case len(has) <= 1:
		return fmt.Errorf("%w: this table belongs to no store of metricd, while %s says %x", ErrDamaged, marksName, id)
	}
	return fmt.Errorf("%w: this table belongs to the store %x, while %s says %x: one of the two files is of another store; if that is %[3]s, repair a copy without it", ErrDamaged, has[1:], marksName, id)
}

// collector returns what writes the property into the tables that Pebble makes.
func (id Identity) collector() pebble.BlockPropertyCollector { return &identityCollector{id: id} }

// identityCollector gives tables a property, and none to the blocks in it.
type identityCollector struct{ id Identity }

func (c *identityCollector) Name() string                                 { return identityProperty }
func (c *identityCollector) AddPointKey(pebble.InternalKey, []byte) error { return nil }
func (c *identityCollector) AddRangeKeys(sstable.Span) error              { return nil }
func (c *identityCollector) SupportsSuffixReplacement() bool              { return false }
func (c *identityCollector) FinishDataBlock(buf []byte) ([]byte, error)   { return buf, nil }
func (c *identityCollector) AddPrevDataBlockToIndexBlock()                {}
func (c *identityCollector) FinishIndexBlock(buf []byte) ([]byte, error)  { return buf, nil }
func (c *identityCollector) FinishTable(buf []byte) ([]byte, error) {
	return append(buf, c.id[:]...), nil
}

func (c *identityCollector) AddCollectedWithSuffixReplacement(_, _, _ []byte) error {
	return fmt.Errorf("BUG: %s has no suffixes to replace", identityProperty)
}

// Identity returns that of the store.
func (s *Store) Identity() Identity { return s.identity }

// openOwn is Open for a table: not for one of another store. It is read twice then, a few hundred bytes at its end.
func (g *gate) openOwn(name string, opts []vfs.OpenOption) (vfs.File, error) {
	f, err := g.FS.Open(name, opts...)
	if err != nil {
		return nil, err
	}
	r, _, err := readTable(context.Background(), keptOpen{f})
	if err == nil {
		err = errors.Join(g.identity.check(r), r.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f, nil
}

// keptOpen is a file whose Close leaves it open.
type keptOpen struct{ vfs.File }

func (keptOpen) Close() error { return nil }
