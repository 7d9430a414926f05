package blocks

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// health is what is known of a store's ability to write. Safe for concurrent use; callbacks of
// Pebble, which may hold Pebble's locks, only touch this and never wait.
//
// How Pebble fails, and what follows:
//
//   - A flush that fails is tried again at once, for ever, and so is most of what else it does in the
//     background. A full disk is worth that, with pauses; any other error fails the store.
//   - An error while it appends to its MANIFEST ends in Logger.Fatalf, which is to end the process, since neither what
//     the file holds is known, nor is what Pebble has in memory consistent: it would soon panic. This fails the store.
//   - Damage found by a read is that read's error alone; other reads go on. Found by a compaction, it would be
//     found again for ever, while what is to be compacted grows: that fails the store.
//
// In a failed store none of Pebble's goroutines goes on. One that met an error of the file system never gets to know, but stays in
// the gate, and so does one that would change anything on disk; none of them holds a lock that readers need. One that reports
// another error ends there, which releases its locks. So what is on disk is what was there at the failure, as if the process had
// ended, and cursors can still be closed. Such a DB itself can't be closed, it is abandoned: its idle goroutines, memory and
// open files are left until the process ends, soon.
type health struct {
	onFailure func(error)
	logf      func(format string, args ...any)
	failed    chan struct{} // closed when mu.err is set

	// opened: Open is done. Until then it may wait for goroutines of Pebble's, so they get errors, and no space for anything
	// but a table is a failure.
	opened atomic.Bool
	// compactions schedules them; set before Pebble is opened.
	compactions pebble.CompactionScheduler

	mu struct {
		sync.Mutex
		err  error         // the first failure; wraps ErrFailed
		full chan struct{} // closed while the disk is full, that is, flushes fail for it
	}
}

func newHealth(o *Options) *health {
	h := &health{onFailure: o.OnFailure, logf: o.Logf, failed: make(chan struct{})}
	h.mu.full = make(chan struct{})
	return h
}

// fail makes the store failed, unless it is, and returns its failure. OnFailure is called in a goroutine of
// its own, since the caller may be Pebble and hold locks.
func (h *health) fail(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.err != nil {
		return h.mu.err
	}
	h.mu.err = fmt.Errorf("%w: %w", ErrFailed, damaged(err))
	close(h.failed)
	if h.onFailure != nil {
		go h.onFailure(h.mu.err)
	}
	return h.mu.err
}

// failure returns the failure, if there is one.
func (h *health) failure() error {
	select {
	case <-h.failed:
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.mu.err
	default:
		return nil
	}
}

// full returns a channel that is closed while the disk is full.
func (h *health) full() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mu.full
}

func (h *health) setFull(full bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if isClosed(h.mu.full) == full {
		return
	}
	if full {
		close(h.mu.full)
	} else {
		h.mu.full = make(chan struct{})
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// writable returns why nothing can be written now, or nil.
func (h *health) writable() error {
	if err := h.failure(); err != nil {
		return err
	}
	if isClosed(h.full()) {
		return ErrNoSpace
	}
	return nil
}

// await waits for a flush of Pebble, and returns nil only if it is completed. It returns early if the store fails or the disk turns
// out to be full.
func (h *health) await(flushed <-chan struct{}) error {
	for {
		select {
		case <-flushed:
			return h.failure()
		case <-h.failed:
		case <-h.full():
		}
		if err := h.writable(); err != nil {
			return err // else there is space again, and the flush is still to come
		}
	}
}

// listener returns what Pebble is to call.
func (h *health) listener() *pebble.EventListener {
	l := &pebble.EventListener{
		BackgroundError: func(err error) {
			if IsNoSpace(err) && h.failure() == nil {
				return
			}
			h.fail(err)
			h.leave()
		},
		FlushEnd: func(i pebble.FlushInfo) { h.setFull(IsNoSpace(i.Err)) },
		// Without this, damage would go to Fatalf.
		DataCorruption: func(i pebble.DataCorruptionInfo) { h.logf("%v", damaged(i.Details)) },
	}
	l.EnsureDefaults(nil)
	return l
}

// setOpened says that Open is done.
func (h *health) setOpened() {
	h.opened.Store(true)
	if granted, handle := h.compactions.TrySchedule(); granted {
		handle.Done() // grants the one that waits, if there is one
	}
}

// onceOpened lets no compaction begin before Open is done: if Open fails, Pebble would panic in one.
type onceOpened struct {
	pebble.CompactionScheduler
	health *health
}

func (s onceOpened) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	if !s.health.opened.Load() {
		return false, nil
	}
	return s.CompactionScheduler.TrySchedule()
}

// IsNoSpace says whether an error of a file system is for want of space, or of a quota.
func IsNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

var _ pebble.Logger = (*health)(nil)

func (h *health) Infof(string, ...any) {}

func (h *health) Errorf(format string, args ...any) { h.logf(format, args...) }

// Fatalf does not return to one of Pebble's goroutines. It does to a caller of Pebble: that one gets an error, or looks for the failure itself.
func (h *health) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, a := range args {
		if cause, ok := a.(error); ok {
			err = cause // so that errors.Is finds it
		}
	}
	h.fail(err)
	h.leave()
}

// leave ends the goroutine if it is one of Pebble's.
func (h *health) leave() {
	if inPebble() {
		runtime.Goexit()
	}
}

// inPebble says whether the goroutine was started by Pebble.
func inPebble() bool {
	var pcs [128]uintptr
	n := runtime.Callers(1, pcs[:])
	frames := runtime.CallersFrames(pcs[:n])
	var bottom string
	for {
		f, more := frames.Next()
		if f.Function != "" && f.Function != "runtime.goexit" {
			bottom = f.Function
		}
		if !more {
			return n < len(pcs) && strings.HasPrefix(bottom, "github.com/cockroachdb/pebble/")
		}
	}
}
