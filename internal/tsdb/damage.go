package tsdb

import (
	"errors"
	"fmt"
	"time"

	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/wal"
)

// errLog: the log does not hold what was written to it, or not all of it.
var errLog = errors.New("log: damaged")

// isDamage says whether an error is that files are not as they were written.
func isDamage(err error) bool {
	var log *wal.CorruptError
	return errors.Is(err, blocks.ErrDamaged) || errors.Is(err, errLog) || errors.As(err, &log)
}

// advise adds what to do to an error that says that files of a directory are damaged.
func advise(dir string, err error) error {
	if dir == "" || !isDamage(err) {
		return err
	}
	return fmt.Errorf("%w; `metricd check %s` tells all that is wrong, and with --repair NEWDIR saves what can be read", err, dir)
}

// timeText prints a time in ms.
func timeText(ms int64) string {
	const year0, year10000 = -62167219200000, 253402300800000
	if ms < year0 || ms >= year10000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z")
}
