package lineserver

import (
	"errors"

	"metricd/internal/storage"
)

// reason is why a put or a get was not carried out.
type reason uint8

const (
	tooOld reason = iota
	timeRange
	seriesLimit
	memoryLimit
	badKey
	readOnly
	failed // all else: the store, or the disk, does not work

	reasons // how many there are
)

// slugs name the reasons in Stats.
var slugs = [reasons]string{
	tooOld:      "too_old",
	timeRange:   "time_range",
	seriesLimit: "series_limit",
	memoryLimit: "memory_limit",
	badKey:      "key",
	readOnly:    "read_only",
	failed:      "failed",
}

// sentinels are the errors that reasons other than failed stand for.
var sentinels = [failed]error{
	tooOld:      storage.ErrTooOld,
	timeRange:   storage.ErrTimeRange,
	seriesLimit: storage.ErrSeriesLimit,
	memoryLimit: storage.ErrMemoryLimit,
	badKey:      storage.ErrKey,
	readOnly:    storage.ErrReadOnly,
}

// reasonOf returns what stands for an error of the store.
func reasonOf(err error) reason {
	for why, is := range sentinels {
		if errors.Is(err, is) {
			return reason(why)
		}
	}
	return failed
}

// countRefused counts the rows of a batch that were refused, by reason.
func (s *Server) countRefused(refused []storage.Refusal) {
	if len(refused) == 0 {
		return
	}
	var n [reasons]int64
	for _, r := range refused {
		n[reasonOf(r.Err)]++
	}
	for why, n := range n {
		if n > 0 {
			s.refused[why].Add(n)
		}
	}
}
