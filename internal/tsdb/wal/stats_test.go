package wal

import (
	"testing"
	"time"
)

// TestQuantiles: the median and the slowest percent are right to an eighth, and none of no syncs.
func TestQuantiles(t *testing.T) {
	var s syncStats
	if got := s.quantile(50); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	for i := range 1000 {
		s.add(time.Duration(i+1) * 17 * time.Microsecond)
	}
	for percent, want := range map[int64]time.Duration{50: 500 * 17 * time.Microsecond, 99: 990 * 17 * time.Microsecond, 1: 10 * 17 * time.Microsecond} {
		if got := s.quantile(percent); got < want*7/8 || got > want*9/8 {
			t.Errorf("%d %% took %v at most, want about %v", percent, got, want)
		}
	}
	for _, d := range []time.Duration{-1, 0, 3 * time.Microsecond, time.Hour, 1 << 62} {
		s.add(d)
		if i := bucketOf(d); i < 0 || i >= len(s.durations) {
			t.Errorf("%v is in bucket %d", d, i)
		}
	}
	if s.quantile(99) > 1<<62 {
		t.Errorf("a percentile beyond the longest")
	}
}
