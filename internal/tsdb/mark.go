package tsdb

import (
	"time"

	"metricd/internal/tsdb/blocks"
)

// The log by itself can't tell records missing at its end from records that never were: all of its files may be gone. So the
// marks of blocks, a file beside, say up to where it was synced (blocks.Marks.Synced), and load compares. The order makes that
// safe: a mark is written only for what is on stable storage, so neither a kill nor a power cut leaves a mark that
// says too much. It may say too little, by what was synced since: a flush marks, and between flushes the
// marker does, once a second, if there is something new. It costs a write and a sync of 68 bytes a second at most.

// markPause is the time between two marks.
const markPause = time.Second

// keepMarks is the marker.
func (db *DB) keepMarks() {
	defer db.stopped.Done()
	t := time.NewTicker(db.opts.markPause)
	defer t.Stop()
	for {
		db.mark()
		select {
		case <-t.C:
		case <-db.stop:
			return
		}
	}
}

// mark writes down how far the log is synced. If it can't, blocks fails, and tells db.
func (db *DB) mark() {
	if synced := db.log.Synced(); synced > db.blocks.Marks().Synced {
		_ = db.blocks.Mark(blocks.Marks{Synced: synced})
	}
}
