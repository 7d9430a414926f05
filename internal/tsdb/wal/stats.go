package wal

import (
	"math/bits"
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
	MedianSync     time.Duration // of all syncs, to an eighth of it
	SlowSync       time.Duration // 99 of 100 took no longer, to an eighth of it
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
		MedianSync:  l.stats.quantile(50),
		SlowSync:    l.stats.quantile(99),
	}
}

// buckets count durations: an octave of microseconds has four, up to an hour.
type buckets [4 * 32]atomic.Int64

// bucketOf returns the bucket for a duration.
func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0)/time.Microsecond) | 4 // none is below 4 us
	octave := bits.Len64(us) - 3
	return min(4*octave+int(us>>octave)&3, len(buckets{})-1)
}

// middleOf returns the duration in the middle of a bucket.
func middleOf(i int) time.Duration {
	octave := i / 4
	return time.Duration(uint64(4+i%4)<<octave)*time.Microsecond + time.Microsecond<<octave/2
}

// syncStats count syncs; times in nanoseconds.
type syncStats struct {
	syncs, total, longest atomic.Int64
	durations             buckets
	recent                atomic.Int64 // what a sync takes, averaged over some; exact only if one goroutine syncs
}

func (s *syncStats) add(d time.Duration) {
	s.syncs.Add(1)
	s.total.Add(int64(d))
	s.durations[bucketOf(d)].Add(1)
	recent := s.recent.Load()
	s.recent.Store(recent + (int64(d)-recent)/8)
	for {
		longest := s.longest.Load()
		if int64(d) <= longest || s.longest.CompareAndSwap(longest, int64(d)) {
			return
		}
	}
}

// SyncsWithin returns how many syncs took at least from and less than below, which are powers of two of microseconds, 4 or more; from
// may be 0.
func (l *Log) SyncsWithin(from, below time.Duration) (n int64) {
	for i := bucketOf(from); i < bucketOf(below); i++ {
		n += l.stats.durations[i].Load()
	}
	return n
}

// quantile returns how long so many of 100 syncs took at most, about.
func (s *syncStats) quantile(percent int64) time.Duration {
	rest := s.syncs.Load() * percent / 100
	for i := range s.durations {
		if rest -= s.durations[i].Load(); rest < 0 {
			return min(middleOf(i), time.Duration(s.longest.Load()))
		}
	}
	return 0
}
