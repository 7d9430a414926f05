package blocks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Salvage visits what can be read of a store, however damaged, and changes nothing. It reads the tables one by one (tables.go): those
// that the MANIFEST names, or all that are there if the MANIFEST can't be read or holds less than the marks say; then an older
// version of something, or what was deleted, may come back. Options.Dir has to exist. An error is that of a visit, or ErrInUse, or ErrNewer:
// what a newer version wrote is not for this one to repair.
func Salvage(ctx context.Context, o Options, v Visitor) (Summary, error) {
	o.ReadOnly = true
	o.setDefaults()
	if _, err := o.FS.Stat(o.Dir); err != nil {
		return Summary{}, err
	}
	lock, err := lockDir(&o)
	if err != nil {
		return Summary{}, err
	}
	s := &Store{opts: o, health: newHealth(&o), lock: lock, closing: make(chan struct{}), idle: make(chan struct{})}
	r := &verifier{visitor: v, s: s}
	marks, marksErr := s.marksToSalvage(r.damagedKey)
	s.identity = marks.identity
	r.sum.Marks, r.sum.Identity = marks.Marks, marks.identity
	names, live, err := s.tablesToSalvage(marks, marksErr, r.damagedKey)
	if err == nil {
		err = r.salvage(ctx, names, live)
	}
	return r.sum, errors.Join(err, s.closeAll())
}

func (r *verifier) salvage(ctx context.Context, names []tableRange, live bool) error {
	set := openTables(ctx, &r.s.opts, r.s.identity, names, r.damage)
	set.live = live
	defer set.close() // only read
	r.sum.Tables = len(set.tables)
	err := set.scan(ctx, seriesPrefix, seriesLimit, r.series)
	if err == nil {
		err = set.scan(ctx, stateKey, stateLimit, r.state)
	}
	if err == nil {
		err = set.scan(ctx, chunkPrefix, chunkLimit, r.chunk)
	}
	return err
}

// marksToSalvage returns the marks, and why there are none.
func (s *Store) marksToSalvage(report func(error)) (mark, error) {
	m, _, err := readMarks(s.opts.FS, s.opts.Dir)
	if err != nil && !errors.Is(err, ErrNewer) {
		report(err)
	}
	return m, err
}

// tablesToSalvage returns which tables to read, and reports what is wrong with all that says which. live: these are those that
// the MANIFEST names.
func (s *Store) tablesToSalvage(marks mark, marksErr error, report func(error)) (names []tableRange, live bool, err error) {
	if errors.Is(marksErr, ErrNewer) {
		return nil, false, marksErr
	}
	there, err := s.tablesThere()
	if err != nil {
		return nil, false, err
	}
	named, err := s.tablesNamed()
	switch {
	case errors.Is(err, ErrNewer):
		return nil, false, err
	case err != nil:
		report(fmt.Errorf("%w; %s", asDamage(err), allTables))
	case marksErr == nil && s.generation < marks.generation:
		report(fmt.Errorf("%s: the MANIFEST ends at flush %d, but flush %d was completed; %s", s.opts.Dir, s.generation, marks.generation, allTables))
	case marksErr != nil && unnamed(there, named):
		report(fmt.Errorf("%s: there are tables that the MANIFEST does not name: it may end too early; %s", s.opts.Dir, allTables))
	default:
		return named, true, nil
	}
	return there, false, nil
}

const allTables = "so all tables were read, and what was deleted may show again"

// unnamed says whether there are tables that are not named.
func unnamed(there, named []tableRange) bool {
	return slices.ContainsFunc(there, func(t tableRange) bool {
		return !slices.ContainsFunc(named, func(n tableRange) bool { return n.number == t.number })
	})
}

// tablesThere returns all tables in the directory.
func (s *Store) tablesThere() (all []tableRange, err error) {
	names, err := s.opts.FS.List(s.opts.Dir)
	for _, name := range names {
		digits, is := strings.CutSuffix(name, tableSuffix)
		if number, err := strconv.ParseUint(digits, 10, 64); is && err == nil {
			all = append(all, tableRange{name: name, number: number})
		}
	}
	return all, err
}

// tablesNamed returns the tables that the MANIFEST names.
func (s *Store) tablesNamed() (all []tableRange, err error) {
	if err := s.openReadOnly(); err != nil {
		return nil, err
	}
	levels, err := s.db.SSTables()
	for _, level := range levels {
		for _, t := range level {
			r := tableRange{name: t.BackingSSTNum.String() + tableSuffix, number: uint64(t.BackingSSTNum)}
			if t.Virtual {
				r.lower, r.upper, r.upperBeside = t.Smallest.UserKey, t.Largest.UserKey, t.Largest.IsExclusiveSentinel()
			}
			all = append(all, r)
		}
	}
	return all, damaged(err)
}
