package blocks

import (
	"bytes"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say where and how a store is kept. The zero value, but for Dir, is a store on disk.
type Options struct {
	// Dir is the directory. It is created with mode 0700, its parents as well.
	Dir string
	// FS is the file system; nil is the operating system's. vfs.NewMem keeps a store in memory.
	FS vfs.FS
	// CacheBytes bounds the cache of blocks; 0 is 8 MiB.
	CacheBytes int64
	// ReadOnly opens what is there, changes nothing, and fails where there is nothing. The directory is locked all the same; see
	// Store.Unlocked for one that can't be written to.
	ReadOnly bool
	// Logf takes warnings, a line each; nil drops them. It is called from several goroutines and must not call the store.
	Logf func(format string, args ...any)
	// OnFailure is called once, in a goroutine of its own, when the store fails for good.
	OnFailure func(error)
	// FullPause is how long to wait after the disk was found full before it is tried again; 0 is a second.
	FullPause time.Duration
	// Now is the clock, for telling others who holds the directory; nil is time.Now.
	Now func() time.Time

	memTable int // bytes, for tests; 0 is memTableSize
}

func (o *Options) setDefaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 8 << 20
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	if o.FullPause == 0 {
		o.FullPause = time.Second
	}
	if o.memTable == 0 {
		o.memTable = memTableSize
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

const (
	// memTableSize bounds what is committed and not yet in a table. Memtables grow to it from 256 KiB, so it
	// costs nothing in an empty server.
	memTableSize = 8 << 20
	// never is a threshold of Pebble's that is not to be reached.
	never = 1 << 20
)

// pebbleOptions are the options for Pebble.
func pebbleOptions(o *Options, g *gate, h *health, cache *pebble.Cache) (*pebble.Options, error) {
	p := &pebble.Options{
		FS:                 g,
		Cache:              cache,
		Logger:             h,
		EventListener:      h.listener(),
		FormatMajorVersion: pebble.FormatNewest, // columnar blocks, footers with checksums
		DisableWAL:         true,                // the engine's log comes before
		MemTableSize:       uint64(o.memTable),

		// Writes are held back by the store (makeRoom): in Pebble they could not be told that it failed.
		MemTableStopWritesThreshold: never,
		L0StopWritesThreshold:       never,

		// Up to this size all data is in one level below L0, so it is merged once. 1 GB of chunks in flushes of 12 MB, as the
		// engine makes them: 3.2 bytes are written for one that is stored, and 4.1 with Pebble's 64 MiB.
		LBaseMaxBytes: 512 << 20,

		BlockPropertyCollectors: []func() pebble.BlockPropertyCollector{g.identity.collector},

		// Descriptors of tables that are open at a time. A table is 2 to 64 MiB.
		MaxOpenFiles: 512,
	}
	// The size of what tables need besides chunks, and CPU ms to write an MB of chunks of 1.2 KB: 4.8 % and 14.5 in blocks of
	// 4 KiB, 2.0 % and 9.9 in 16 KiB, 1.6 % and 10.6 in 32 KiB; but a read decodes a whole block. Chunks are
	// compressed already: Snappy saves 0.1 % of that and costs 1.8 ms, Zstd costs 5.6 ms.
	for i := range p.Levels {
		p.Levels[i].BlockSize = 16 << 10
		p.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	// No Bloom filters: they serve reads of single keys that are not there, and chunks are found by seeking.
	// One compaction at a time leaves a small machine's other core to the server.
	p.CompactionConcurrencyRange = func() (int, int) { return 1, 1 }
	// The scheduler without a ticker of 10 Hz. That is for many stores that share a limit; and Pebble forgets
	// to stop it when Open fails.
	h.compactions = pebble.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest()
	p.Experimental.CompactionScheduler = onceOpened{h.compactions, h}
	// One shard of open files, not one a core: each has room of its own, and cursors open tables rarely.
	p.Experimental.FileCacheShards = 1
	p.Experimental.SpanPolicyFunc = tableBounds
	// Reads do not start compactions: a `get *` would rewrite what it reads.
	p.Experimental.ReadSamplingMultiplier = -1
	p.EnsureDefaults()
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("BUG: %w", err)
	}
	return p, nil
}

// tableBounds tells Pebble where a table has to end: after the chunks, after the series, and after the format. Policies are for other things, but
// do that. Each batch has chunks, series and, last, the state; in one table they would overlap with those of all other batches,
// and be merged with them, though new series have nothing in common with old ones. So only the states are merged; and the
// format, alone in its table below, keeps such a merge from taking in the series that are next to it. A flush of a million new
// series takes a quarter less CPU by that.
func tableBounds(start []byte) (policy pebble.SpanPolicy, end []byte, err error) {
	for _, limit := range [...][]byte{chunkLimit, seriesLimit, formatLimit} {
		if bytes.Compare(start, limit) < 0 {
			return policy, limit, nil
		}
	}
	return policy, nil, nil
}
