package tsdb

import (
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say how a DB is to be. The zero value keeps any number of series in memory, within as much
// as it can address.
type Options struct {
	// Dir is the directory in which all is kept. It is made, with mode 0700, if there is none. Empty: in
	// memory, until Close.
	Dir string
	// FS is the file system that Dir is on; nil: the operating system's.
	FS vfs.FS
	// SyncInterval is the time between two syncs of the log. 0: what is appended is durable when it is
	// on stable storage. Above: when the operating system has it; the end of the machine may
	// cost what came in the last interval.
	SyncInterval time.Duration

	// MaxSeries is how many series may exist; 0: any number. Beyond, samples of new
	// series are refused with ErrSeriesLimit.
	MaxSeries int
	// MemoryLimit is how many bytes series and samples may take in memory. 0 or less stands for 127 GiB, the
	// most that references of 32 bits can tell apart, and so does anything above that. At fifteen
	// sixteenths of it new series are refused, at all of it samples that need memory, both with
	// ErrMemoryLimit. It is kept to a few pages of 256 KiB.
	MemoryLimit int64

	// Retention is how old samples may be: what is older is not shown, and dropped with its window. 0: any age.
	Retention time.Duration
	// DropMost lets retention drop more than half of all samples at once. Else it refuses to: the clock may be wrong.
	DropMost bool
	// Now is the clock that says how old samples are; nil: time.Now.
	Now func() time.Time

	// FlushLog and FlushHead are the bytes of log, and of samples in memory, at which a flush begins; 0: 64 MiB
	// each, and without a directory 256 MiB: chunks take an eighth of the memory, but making them may take more time
	// than all else. They bound what a restart has to replay, and the memory for samples to about twice as much.
	FlushLog, FlushHead int64

	// Logf takes warnings, a line each; nil drops them.
	Logf func(format string, args ...any)
	// OnFailure is called once, in a goroutine of its own, when the store failed; nil: not called.
	OnFailure func(error)

	// Limits that tests make small; 0: maxBatch, fullChunk, aheadBytes, markPause.
	batchBytes   int           // at which a flush commits
	chunkSamples int           // of a full chunk
	aheadBytes   int           // of chunks that are read ahead
	markPause    time.Duration // between two marks
}

// maxMemory leaves room for what is taken after the limit was last looked at.
const maxMemory = maxPages*pageEntries*16 - 1<<30

func (o Options) withDefaults() Options {
	if o.MemoryLimit <= 0 || o.MemoryLimit > maxMemory {
		o.MemoryLimit = maxMemory
	}
	if o.FlushLog <= 0 {
		o.FlushLog = 64 << 20
	}
	if o.FlushHead <= 0 {
		o.FlushHead = 64 << 20
		if o.Dir == "" {
			o.FlushHead = 256 << 20
		}
	}
	if o.Dir != "" {
		o.FlushHead = min(o.FlushHead, o.MemoryLimit/4)
	}
	if o.chunkSamples == 0 {
		o.chunkSamples = fullChunk
	}
	if o.batchBytes == 0 {
		o.batchBytes = maxBatch
	}
	if o.aheadBytes == 0 {
		o.aheadBytes = aheadBytes
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.markPause <= 0 {
		o.markPause = markPause
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	return o
}
