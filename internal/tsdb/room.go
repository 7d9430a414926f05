package tsdb

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"metricd/internal/storage"
	"metricd/internal/tsdb/blocks"
	"metricd/internal/tsdb/wal"
)

// A full disk must cost nothing that was acknowledged, and reads go on. So some of the disk is kept free, and what
// is left goes to the more important: puts stop before flushes, and flushes before the log.
//
//	free bytes, of those that this process may use
//	  |  puts, compactions
//	  +-- log + reserve + reserve/2              compactions stop; puts that were refused are taken again
//	  |  puts
//	  +-- log + reserve                          puts and deletes are refused
//	  |  flushes; compactions while puts are refused
//	  +-- reserve                                flushes stop, and are tried again (tables.go), but those that retention
//	  |                                          needs for dropping what is too old: they stop at a quarter of it
//	  |  the log, the MANIFEST: what was appended before puts were refused, and what closes files
//	  0
//	     the ballast: a file, see below
//
// log is the bytes of all segments of the log: a flush of what they hold takes as much in tables, at most, unless it
// rewrites old chunks (late samples), and it frees the segments only when it is done. Free is less what is queued for the log and
// not written. So each byte that is put takes two off; and a flush begins earlier where they get scarce (flushAt).
// A compaction gives back what it takes when it ends, and more; so it must not be why puts are refused, but may use the room of the
// flush when they are.
//
// reserve is a 64th of the disk, at least 8 MiB and at most 256 MiB, and never more than an eighth. Pebble's MANIFEST takes some
// hundred bytes a table when it is begun anew, the log a header; the rest is for what other programs write between two looks. One
// look (statfs, about a microsecond) is taken after each MiB that is put, and when the last one is a tenth of a second ago; tables look
// at each MiB as well.
//
// The ballast is for what no looking helps against: a program that takes all there is in less than that, and a quota, of which statfs
// knows nothing. It is a file with space and no content. When a write to anything but a table finds no space, the ballast is deleted, and the write is
// tried again for up to squeezeFor; only then the store fails. What was written by a part goes on where that ended: a write
// says how much of it was done. After a failed sync nothing is known, so that always fails the store. As long as there
// can't be a ballast again, the disk is full.
//
// Two more things count as a full disk, whatever is free: a flush had no space (until one succeeds), and
// the chunks are open for reading only, since there was too little space at the start.
const (
	minReserve   = 8 << 20
	maxReserve   = 256 << 20
	reserveShare = 64 // of the disk
	reserveMost  = 8  // of the disk

	ballastName = "ballast"
	maxBallast  = 8 << 20 // and half of the reserve

	lookBytes = 1 << 20
	lookEvery = 100 * time.Millisecond

	squeezeFor   = 500 * time.Millisecond
	squeezePause = 10 * time.Millisecond
	ballastPause = time.Second // from when it was given up until there may be another one
)

// room knows whether there is room on the disk, and keeps some. Nil, for a store without a directory, always has room. Safe for
// concurrent use; mu is held for system calls that take microseconds, and may be taken while any other lock is held.
type room struct {
	fs     vfs.FS // without what roomFS adds
	dir    string
	logf   func(format string, args ...any)
	filled func()
	start  time.Time

	left    atomic.Int64 // bytes that may be put before the next look
	looked  atomic.Int64 // when the last one was, ns since start
	flushAt atomic.Int64 // bytes of log at which a flush should begin
	refused atomic.Pointer[error]

	mu struct {
		sync.Mutex
		known    bool // the disk tells what is free
		free     int64
		reserve  int64
		ballast  bool // there is one, or there can't be any on this file system
		closed   bool // and there is to be none
		squeezed bool // there was no space for a write, since the last ballast was made
		unopened bool // the chunks are open for reading only
		stuck    bool // the last flush had no space
		lent     bool // flushes may use most of the reserve, since what they end gives back more

		squeezedAt time.Time // the last time
		log        *wal.Log  // nil until it is open

		flushes, compactions tables
	}
}

// newRoom returns a room of which nothing is known yet. filled is called, with mu held, when puts begin to be refused.
func newRoom(o *Options, filled func()) *room {
	r := &room{fs: o.FS, dir: o.Dir, logf: o.Logf, filled: filled, start: time.Now()}
	r.mu.reserve = minReserve
	return r
}

// refusal returns why nothing is to be put now, or nil. It wraps storage.ErrReadOnly.
func (r *room) refusal() error {
	if r == nil {
		return nil
	}
	if r.left.Load() <= 0 || time.Since(r.start)-time.Duration(r.looked.Load()) > lookEvery {
		r.look()
	}
	if err := r.refused.Load(); err != nil {
		return *err
	}
	return nil
}

// put counts what is put.
func (r *room) put(bytes int) {
	if r != nil {
		r.left.Add(-int64(bytes))
	}
}

// fullLog says whether the log should be flushed, for its size.
func (r *room) fullLog(size, limit int64) bool {
	return size >= limit || size >= r.flushAt.Load()
}

// look finds out how much is free, and decides.
func (r *room) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookLocked()
	r.decideLocked()
}

func (r *room) lookLocked() {
	usage, err := r.fs.GetDiskUsage(r.dir)
	r.looked.Store(int64(time.Since(r.start)))
	r.mu.known = err == nil
	if err != nil {
		return
	}
	r.mu.free = int64(min(usage.AvailBytes, 1<<62))
	if r.mu.log != nil {
		r.mu.free -= r.mu.log.Queued()
	}
	total := int64(min(usage.TotalBytes, 1<<62))
	r.mu.reserve = min(max(total/reserveShare, minReserve), maxReserve, total/reserveMost)
}

// decideLocked says whether puts are taken.
func (r *room) decideLocked() {
	full := r.refused.Load() != nil
	want := r.mu.reserve + r.logSizeLocked()
	if full {
		want += r.mu.reserve / 2
	}
	spare := r.mu.free - want
	if !r.mu.known {
		spare = maxInt64
	}
	if spare > 0 && !r.mu.ballast && !r.mu.closed && time.Since(r.mu.squeezedAt) > ballastPause {
		r.mu.squeezed = !r.makeBallastLocked()
	}
	r.left.Store(min(lookBytes, spare/2))
	r.flushAt.Store(max(spare/4, r.mu.reserve/8))
	switch {
	case spare <= 0 || r.mu.squeezed || r.mu.stuck || r.mu.unopened:
		if !full {
			want += r.mu.reserve / 2
		}
		r.refuseLocked(want)
		if !full {
			r.logf("%v", *r.refused.Load())
			r.filled()
		}
	case full:
		r.refused.Store(nil)
		r.logf("there is room on the disk again (%s): puts are taken", r.dir)
	}
}

func (r *room) refuseLocked(want int64) {
	const help = "delete other files there or enlarge the disk, then puts go on by themselves"
	err := fmt.Errorf("disk is full: %w, since its last write to %s found no space: %s", storage.ErrReadOnly, r.dir, help)
	if r.mu.known && want > r.mu.free {
		err = fmt.Errorf("disk is full: %w, since %.1f MiB are free for %s and %.1f MiB are needed: %s", storage.ErrReadOnly, mib(max(r.mu.free, 0)), r.dir, mib(want), help)
	}
	r.refused.Store(&err)
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// squeeze gives up the ballast for a write that found no space.
func (r *room) squeeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removeBallastLocked()
	r.mu.squeezed, r.mu.squeezedAt = true, time.Now()
	r.lookLocked()
	r.decideLocked()
}

// stuck is told how each flush ended.
func (r *room) stuck(flush error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.stuck = errors.Is(flush, blocks.ErrNoSpace)
	r.lookLocked()
	r.decideLocked()
}

// openable says whether there is space to open the chunks for writing. That there can be a ballast is the proof.
func (r *room) openable() bool {
	r.look()
	r.mu.Lock()
	defer r.mu.Unlock()
	least := r.mu.reserve * 3 / 2
	if r.mu.lent {
		least = r.mu.reserve / 2
	}
	return !r.mu.known || !r.mu.squeezed && r.mu.free > least
}

// flushable says whether a flush may write anything. One that is begun and gets nowhere leaves its samples in memory twice, and whatever is
// to be written after waits for it.
func (r *room) flushable() bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookLocked()
	return !r.mu.known || r.mu.free > r.flushesLeaveLocked()
}

// flushesLeaveLocked returns how much flushes must leave free.
func (r *room) flushesLeaveLocked() int64 {
	if r.mu.lent {
		return r.mu.reserve / 4
	}
	return r.mu.reserve
}

// lend lets flushes use most of the reserve, or no longer: retention is about to give back more.
func (r *room) lend(lent bool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if lent && !r.mu.lent {
		r.mu.flushes.need, r.mu.flushes.pause, r.mu.flushes.until = 0, 0, time.Time{}
	}
	r.mu.lent = lent
}

// needsFlush says whether puts are refused for what a flush might end.
func (r *room) needsFlush() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.stuck || r.mu.unopened
}

// figures returns how many bytes are free, 0 if that is not known, and how many must be for puts to be taken.
func (r *room) figures() (free, needed int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookLocked()
	if needed = r.mu.reserve + r.logSizeLocked(); r.mu.known {
		free = max(r.mu.free, 0)
	}
	return free, needed
}

// again returns a channel that tells after a while to look again, if puts are refused; else nil.
func (r *room) again() <-chan time.Time {
	if r == nil || r.refused.Load() == nil {
		return nil
	}
	return time.After(retryFlush)
}

// tight says whether there is too little space for opening the chunks for writing.
func (r *room) tight() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookLocked()
	return r.mu.known && r.mu.free < r.mu.reserve/4
}

func (r *room) setUnopened(unopened bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.unopened = unopened
}

// open begins to look: the log is open.
func (r *room) open(log *wal.Log) {
	r.mu.Lock()
	r.mu.log = log
	r.mu.Unlock()
	r.look()
}

func (r *room) logSizeLocked() int64 {
	if r.mu.log == nil {
		return 0
	}
	return r.mu.log.Size()
}

// makeBallastLocked makes a ballast. It returns false if there is no space for one; a file system that can't
// reserve space does without.
func (r *room) makeBallastLocked() bool {
	f, err := r.fs.Create(r.ballast(), vfs.WriteCategoryUnspecified)
	if err == nil {
		err = errors.Join(f.Preallocate(0, min(maxBallast, r.mu.reserve/2)), f.Close())
	}
	if err != nil {
		r.removeBallastLocked()
	}
	r.mu.ballast = !blocks.IsNoSpace(err)
	return r.mu.ballast
}

// close gives back what the ballast takes.
func (r *room) close() {
	if r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.mu.closed = true
		if r.mu.ballast {
			r.removeBallastLocked()
		}
	}
}

func (r *room) removeBallastLocked() {
	_ = r.fs.Remove(r.ballast()) // it may not be there; and it is in nobody's way
	r.mu.ballast = false
}

func (r *room) ballast() string { return r.fs.PathJoin(r.dir, ballastName) }
