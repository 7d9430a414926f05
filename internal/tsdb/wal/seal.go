package wal

import "slices"

// Seal ends the current segment, waits until all that was appended before the call is on stable storage, and returns
// the closed segments, which hold it, oldest first. They don't change any more, but Remove deletes them. The
// error is that of a log that has ended.
func (l *Log) Seal() ([]Segment, error) {
	last, err := l.Rotate()
	if err != nil {
		return nil, err
	}
	finished := slices.Clone(l.finishedUpTo(last))
	return finished, l.ended()
}
