package storage

import "errors"

// The errors on which callers branch, with errors.Is; engines wrap them with what was
// wrong and what to do. Their texts reach clients behind `error\n`, so each is one line.
var (
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store is closed")
	// ErrFailed: the store met an error it cannot go on from. It stays so.
	ErrFailed = errors.New("store failed")
	// ErrReadOnly: nothing can be written for now (the disk is full); reads work.
	ErrReadOnly = errors.New("store is read-only")
	// ErrSeriesLimit: a new series was refused because there are as many as allowed.
	ErrSeriesLimit = errors.New("series limit reached")
	// ErrMemoryLimit: a row was refused because it would need memory beyond the limit.
	ErrMemoryLimit = errors.New("memory limit reached")
	// ErrTooOld: a row was refused because its time is older than the retention.
	ErrTooOld = errors.New("sample is older than the retention")
	// ErrTimeRange: a row was refused because its time is outside [MinTime, MaxTime].
	ErrTimeRange = errors.New("time out of range")
	// ErrKey: a row was refused because its key is empty or spells no labels.
	ErrKey = errors.New("invalid key")
)
