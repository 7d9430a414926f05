package wal

import (
	"sync/atomic"
	"time"
)

// Stats are counts since Open.
type Stats struct {
	Records, Bytes int64 // appended; bytes as the caller gave them
	Groups         int64 // groups of records that became durable together
	Syncs          int64 // syncs of segment files, those of headers and directories not counted
	SyncTime       time.Duration
	LongestSync    time.Duration
}

// Stats returns counts since Open. They are not taken at one moment.
func (l *Log) Stats() Stats {
	return Stats{
		Records:     l.count.records.Load(),
		Bytes:       l.count.bytes.Load(),
		Groups:      l.count.groups.Load(),
		Syncs:       l.stats.syncs.Load(),
		SyncTime:    time.Duration(l.stats.total.Load()),
		LongestSync: time.Duration(l.stats.longest.Load()),
	}
}

// syncStats count syncs; times in nanoseconds.
type syncStats struct {
	syncs, total, longest atomic.Int64
	recent                atomic.Int64 // what a sync takes, averaged over some; exact only if one goroutine syncs
}

func (s *syncStats) add(d time.Duration) {
	s.syncs.Add(1)
	s.total.Add(int64(d))
	recent := s.recent.Load()
	s.recent.Store(recent + (int64(d)-recent)/8)
	for {
		longest := s.longest.Load()
		if int64(d) <= longest || s.longest.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}
