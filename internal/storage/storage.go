// Package storage is the contract between everything that receives or asks for
// metrics and everything that keeps them: samples, series, labels, the spelling
// of keys, matchers, the Store interface and its errors. It holds no data itself.
// An engine is right when it passes the suite in storagetest.
//
// # Words
//
// A sample is a time and a float64. Times are int64 milliseconds since the Unix
// epoch, within [MinTime, MaxTime]. A value is kept by its bits: NaN payloads,
// -0 and infinities come back as they were put. A series is what samples with one
// label set belong to; its key is a text that spells the label set (key.go).
//
// # What every engine promises
//
//   - One sample a (series, millisecond): a later append to a time that has a value
//     replaces it, however old the time is and in whatever order times arrive.
//   - Read your write: what an Append took is seen by every Select that begins after
//     that Append returned, on any goroutine.
//   - Nothing shown is lost: a read waits until all that it may show is as durable as
//     the engine was told to make it.
//   - A series exists while it has a sample. Emptied by Delete it leaves Select,
//     LabelNames, LabelValues, Stats and every limit; appended to again it is a new
//     series, last in order. So it is when retention has hidden all its samples, but
//     until it has dropped them the series keeps its place.
//   - A refused sample changes nothing: no series comes into being for it.
package storage

import (
	"context"
	"time"
)

// MinTime and MaxTime bound the times of samples, both inclusive, in milliseconds
// since the Unix epoch: the line protocol's ±9e15 seconds. A row outside is refused
// with ErrTimeRange. The int64 values beyond them never name a sample, so that
// engines may use them as marks.
const (
	MinTime int64 = -9_000_000_000_000_000_000
	MaxTime int64 = +9_000_000_000_000_000_000
)

// Row is one sample on its way into a Store.
type Row struct {
	// Key spells the series (see ParseKey); any spelling will do. It must be valid
	// by ValidKey, which is for the caller to see to. The bytes stay the caller's:
	// an Appender never keeps them after Append returned.
	Key []byte
	T   int64   // milliseconds since the Unix epoch
	V   float64 // kept by its bits

	// Ref spares the search for the series: 0, or what Append set in an earlier row with
	// the very same bytes as Key.
	Ref Ref
}

// Ref names a series to the Store that gave it, for as long as the series exists; a Ref of a
// series that has ended is harmless. 0 names none.
type Ref uint64

// Refusal says why one row of a batch was not taken.
type Refusal struct {
	Row int   // index into Batch.Rows
	Err error // wraps ErrSeriesLimit, ErrMemoryLimit, ErrReadOnly, ErrTooOld, ErrTimeRange or ErrKey
}

// Batch is what one Append takes: rows in the order in which they take effect.
// It belongs to the caller, who may fill it again after Append returned.
type Batch struct {
	Rows []Row

	// Refused is set by Append (its old content is dropped, its memory reused): the rows
	// that were not taken, by ascending index. All others were taken.
	Refused []Refusal
}

// Seq numbers what was appended to a Store, ascending over all its Appenders.
// Seq 0 stands for nothing: it is always durable.
type Seq uint64

// Appender takes samples for one connection or another single sender. It is not for
// concurrent use, but Wait may be called beside Append; a Store gives out any number of them. It may remember what helps
// with the next batch (which series followed which) and holds nothing that must be
// released: an Appender that is no longer used is just dropped.
type Appender interface {
	// Append takes the rows of b in order and returns before they are durable, with a
	// sequence for Wait. It does not wait for a disk or a network, but may be held up
	// while too much that was appended is not durable yet. Every row is taken or refused on its own; a
	// refused one does not affect the others. A non-nil error means that no row was
	// taken and that none will be: ErrClosed or ErrFailed.
	//
	// Once Append has returned, every Select sees what it took. It sets the Ref of each row
	// taken, if the Store has such a thing.
	Append(b *Batch) (Seq, error)

	// Wait returns nil once everything that this Appender appended up to and including seq is
	// as durable as the engine promises. It returns ctx's error if ctx is done earlier; asked
	// with a done context it answers without waiting, and nil still means durable. It returns
	// ErrFailed (wrapped, with the cause) if that durability cannot be had any more. After
	// Close it returns nil or ErrClosed.
	Wait(ctx context.Context, seq Seq) error
}

// Query names series and a range of time.
type Query struct {
	// Key, if not empty, names one series by any of its spellings. The Matchers
	// must match it, too.
	Key string
	// Matchers must all match. None means every series.
	Matchers []Matcher
	// Mint and Maxt are the first and the last millisecond wanted, both inclusive.
	// Mint > Maxt is an empty range: no series is selected.
	Mint, Maxt int64
	// Limit, if above 0, is how many names or values LabelNames and LabelValues return at most: the first ones. Select and
	// Delete don't look at it.
	Limit int
}

// Store keeps samples. All methods are safe for concurrent use.
//
// After Close, and after the store failed, every method but Close returns an error
// that wraps ErrClosed or ErrFailed; a Select under way ends with it.
type Store interface {
	// Appender returns a new Appender.
	Appender() Appender

	// Select returns the series that have a sample in [q.Mint, q.Maxt], in the order in
	// which each was first appended to. It sees everything that was appended before it
	// was called. Each series is read as of the moment its iterator is made: all that
	// was appended by then is seen; a sample appended, replaced or deleted while that
	// iterator is under way may be seen either way. Series that are new meanwhile may
	// appear at the end. There is no snapshot across series.
	//
	// Nothing is held for a slow reader: a result may be read for hours, and writers
	// don't wait for it. The result ends with ctx's error when ctx is done.
	Select(ctx context.Context, q Query) SeriesSet

	// LabelNames returns the names of the labels of the series that Select would give
	// for q, ascending, each once.
	LabelNames(ctx context.Context, q Query) ([]string, error)

	// LabelValues returns the values that the label name has in the series that Select
	// would give for q, ascending, each once. The absence of the label is not a value.
	// (Those with a prefix are those of a q with a Matcher name=~"prefix.*".)
	LabelValues(ctx context.Context, name string, q Query) ([]string, error)

	// Delete removes the samples that Select would give for q. It is ordered among
	// appends like one of them: what was appended before it is removed, what is
	// appended after it stays. It returns when the removal is durable. After an error
	// other than ErrClosed, ErrFailed and ErrReadOnly (a done ctx, say) the removal may have
	// happened or not, but never by half.
	Delete(ctx context.Context, q Query) error

	// Stats returns figures about the store as it is now.
	Stats() (Stats, error)

	// Close makes everything durable and releases all. It waits for calls under way; a
	// SeriesSet that is still open ends with ErrClosed. A second Close returns nil.
	Close() error
}

// SeriesSet is the result of a Select. It, its Series and their Iterators are for one goroutine
// together. The usual loop:
//
//	for set.Next() {
//		it := set.At().Iterator(it)
//		for it.Next() { … it.At() … }
//		if it.Err() != nil { … }
//	}
//	if set.Err() != nil { … }
//	set.Close()
type SeriesSet interface {
	// Next moves to the next series and says whether there is one.
	Next() bool
	// At returns the series that Next moved to. It stays usable, beside later ones,
	// until the set is closed.
	At() Series
	// Err returns the error that ended the set, nil if it ended because there is no more.
	Err() error
	// Close releases the set; its series and their iterators must not be used any more.
	// It may be called at any point and again.
	Close()
}

// Series is one series of a result. It may be asked for any number of iterators, at
// any time until its set is closed.
type Series interface {
	// Key returns the key as the series was first put; for series that arrived as
	// labels, the canonical spelling. The text stays valid for good.
	Key() string
	// Labels returns the label set, sorted by name. It must not be changed, and stays valid
	// for good.
	Labels() Labels
	// Iterator returns an iterator over the samples in the query's range, before the
	// first of them. If reuse is an iterator of the same store that is no longer
	// needed, its memory may be reused; nil is always good.
	Iterator(reuse Iterator) Iterator
}

// Iterator walks over the samples of a series by strictly ascending time. It is for
// one goroutine.
type Iterator interface {
	// Next moves to the next sample and says whether there is one.
	Next() bool
	// SkipTo moves to the first sample at or after t (milliseconds), never backwards: an
	// iterator already there or beyond stays. It says whether there is such a sample.
	SkipTo(t int64) bool
	// At returns the sample that Next or SkipTo moved to.
	At() (t int64, v float64)
	// AppendValue appends the value at hand to dst as text, exactly as decimal.Append
	// would. Engines that store digits print them without going through a float.
	AppendValue(dst []byte) []byte
	// Err returns the error that ended the iterator, nil if it ended because there is no
	// more.
	Err() error
}

// StaleNaN are the bits of the NaN by which Prometheus' protocols mark that a series has ended (its model/value.StaleNaN). A store
// keeps it as any other value.
const StaleNaN uint64 = 0x7ff0000000000002

// Stats is a set of figures about a store.
type Stats struct {
	Series  int64 // series that exist
	Samples int64 // samples stored: one for each (series, time) that is visible, or hidden by retention and not dropped yet

	Appended    int64 // rows taken since Open, overwrites included
	Overwritten int64 // of these, rows that replaced a sample of the same time
	Late        int64 // of these, rows older than the newest sample of their series
	Refused     int64 // rows refused since Open

	MemoryBytes int64 // memory held for series and samples, as the memory limit counts it
	MemoryLimit int64 // the limit on it; 0: none
	ReadOnly    bool  // nothing is taken for now, see ErrReadOnly

	Files FileStats // of engines with files of their own
}

// FileStats are figures about the files of an engine.
type FileStats struct {
	DiskBytes  int64 // of chunks
	DiskFree   int64 // what this process may still write to the disk, less what it is about to; 0 where that can't be told
	DiskNeeded int64 // below so much DiskFree nothing is taken
	LogBytes   int64 // of the log, which a restart reads

	Flushes        int64         // from the log to chunks, completed since Open
	FlushTime      time.Duration // of all of them
	Compactions    int64         // of chunks, completed since Open
	CompactedBytes int64         // that they wrote

	CacheBytes  int64 // of chunks kept in memory
	CacheHits   int64 // reads of chunks since Open that found their block in memory
	CacheMisses int64 // and those that did not

	// Syncs counts how often the log was made durable since Open; half of them took no longer than SyncMedian, 99 of 100
	// no longer than SyncSlow, both to about an eighth, and none longer than SyncMax.
	Syncs                         int64
	SyncMedian, SyncSlow, SyncMax time.Duration

	SyncTime  time.Duration    // of all of them
	SyncTimes [SyncTimes]int64 // how many took less than SyncBound(i), and SyncBound(i-1) or more
}

// SyncTimes is how many ranges FileStats counts the times of syncs in. What takes longer is in none.
const SyncTimes = 16

// SyncBound returns the end of the i-th range of FileStats.SyncTimes: 128 µs for 0, twice the one before for the others, up to 4.2 s.
func SyncBound(i int) time.Duration { return 128 * time.Microsecond << i }

// DiskBytesPerSample returns the bytes on disk a sample, 0 without any.
func (s Stats) DiskBytesPerSample() float64 {
	if s.Samples == 0 {
		return 0
	}
	return float64(s.Files.DiskBytes) / float64(s.Samples)
}
