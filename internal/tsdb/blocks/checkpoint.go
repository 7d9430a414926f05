package blocks

import "errors"

// Checkpoint makes a store of its own in a directory that must not exist yet, with what is in tables now: at
// least what the last completed Flush made durable, and whole batches. Writers go on meanwhile. Tables are hard links
// where the file system can, and do not change; so the copy takes room only as the original drops them. It is durable on
// return. Until then it has no marks, and Open refuses it. Its marks are those that the last Flush raised, and synced, if that is
// more: which sequence the log that will lie beside it holds.
func (s *Store) Checkpoint(dir string, synced uint64) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	if s.marks.Load() == nil {
		return errReadOnly
	}
	last := s.marks.Load().last() // before the tables are listed: they hold this much
	last.serial, last.Synced = 0, max(last.Flushed, synced)
	if err := s.db.Checkpoint(dir); err != nil {
		return damaged(err)
	}
	if err := createMarks(s.gate, dir, last); err != nil {
		return errors.Join(err, s.gate.RemoveAll(dir))
	}
	return nil
}
