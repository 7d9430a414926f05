package blocks

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// IsReadOnly says whether the store is open for reading only.
func (s *Store) IsReadOnly() bool { return s.marks.Load() == nil }

// MakeWritable opens a store for writing that was opened for reading only. Readers that come meanwhile wait; it waits for those
// that have a cursor, who must not ask for another one before they close it. Writers, and Close, are for the caller to keep
// away. An error fails the store. That includes one for lack of space: a store needs some to be opened, so see to that before.
func (s *Store) MakeWritable() error {
	if !s.IsReadOnly() {
		return nil
	}
	if err := s.health.failure(); err != nil {
		return err
	}
	s.users.Lock()
	s.users.paused = true
	for s.users.n > 0 {
		s.users.resumed.Wait()
	}
	s.users.Unlock()
	err := s.reopen()
	if err != nil {
		err = s.health.fail(fmt.Errorf("open %s for writing: %w", s.opts.Dir, err))
	}
	s.users.Lock()
	defer s.users.Unlock()
	s.users.paused = false
	s.users.resumed.Broadcast()
	return err
}

// reopen opens Pebble for writing in the place of the one that is open.
func (s *Store) reopen() error {
	if err := s.db.Close(); err != nil {
		return err
	}
	s.db = nil
	if err := s.lock.sign(&s.opts); err != nil {
		return err
	}
	marks, _, err := readMarks(s.opts.FS, s.opts.Dir)
	if err != nil {
		return err
	}
	s.opts.ReadOnly, s.gate.readOnly = false, false
	if err := s.openDB(marks); err != nil {
		return err
	}
	s.health.setOpened()
	return nil
}

// openPebble opens Pebble. Open waits for a flush, which does not end if it fails for good (health.leave): then it is
// left behind, and changes nothing on disk any more.
func (s *Store) openPebble(p *pebble.Options) error {
	type result struct {
		db  *pebble.DB
		err error
	}
	done := make(chan result, 1)
	p.Cache.Ref() // what is left behind may come to it after Close
	go func() {
		defer p.Cache.Unref()
		db, err := pebble.Open(s.opts.Dir, p)
		done <- result{db, err}
	}()
	select {
	case r := <-done:
		s.db = r.db
		if r.err != nil && p.ReadOnly {
			return refused(r.err)
		}
		return damaged(r.err)
	case <-s.health.failed:
		s.gate.settle()
		_ = s.lock.abandon()
		return s.health.failure()
	}
}
