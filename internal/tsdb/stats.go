package tsdb

import (
	"time"

	"metricd/internal/storage"
)

// Stats returns figures about the store as it is now. Late samples that are held are merged first, so they are
// exact, but for samples whose time has another one in chunks: until the next flush both count.
func (db *DB) Stats() (storage.Stats, error) {
	for page := 0; db.settlePage(page); page++ {
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.failure(); err != nil {
		return storage.Stats{}, err
	}
	st := db.mu.stats
	st.Series = int64(db.visibleLocked(db.oldest()))
	st.Samples = db.mu.samples + db.storedSamples.Load()
	st.Overwritten = db.mu.overwritten
	st.MemoryBytes = db.mu.bytes() + db.chunkBytes.Load() + db.labels.Bytes()
	st.MemoryLimit = db.opts.MemoryLimit
	st.ReadOnly = db.room.refusal() != nil
	st.Files.Flushes, st.Files.FlushTime = db.flushes.Load(), time.Duration(db.flushTime.Load())
	return st, db.fileStats(&st.Files)
}

// fileStats fills in what log and chunks tell.
func (db *DB) fileStats(st *storage.FileStats) error {
	if db.log != nil {
		w := db.log.Stats()
		st.LogBytes = db.log.Size()
		st.Syncs, st.SyncMedian, st.SyncSlow, st.SyncMax = w.Syncs, w.MedianSync, w.SlowSync, w.LongestSync
		st.SyncTime = w.SyncTime
		for i, from := 0, time.Duration(0); i < storage.SyncTimes; i++ {
			st.SyncTimes[i] = db.log.SyncsWithin(from, storage.SyncBound(i))
			from = storage.SyncBound(i)
		}
		st.DiskFree, st.DiskNeeded = db.room.figures()
	}
	if db.blocks == nil {
		return nil
	}
	m, err := db.blocks.Metrics()
	if err != nil {
		return asFailure(err)
	}
	st.CacheBytes, st.CacheHits, st.CacheMisses = m.CacheBytes, m.CacheHits, m.CacheMisses
	st.Compactions, st.CompactedBytes = m.Compactions, m.CompactedBytes
	if db.log != nil {
		st.DiskBytes = m.DiskBytes
	}
	return nil
}

// settlePage merges what the series of one page hold. It returns false if there is no such page or
// nothing more to merge. Writers come between two pages.
func (db *DB) settlePage(page int) bool {
	var done bool
	db.mu.Lock()
	defer db.unlock(&done)
	more := db.failure() == nil && db.mu.settlePage(page)
	done = true
	return more
}
