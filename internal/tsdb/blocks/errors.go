package blocks

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// The errors on which callers branch, with errors.Is; they are wrapped with what was wrong and where.
var (
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("chunks: closed")
	// ErrFailed: an earlier error made the store fail; it stays so. What was flushed is intact on disk.
	ErrFailed = errors.New("chunks: failed")
	// ErrNoSpace: the disk is full. Nothing is lost: what was committed stays readable, and is written in
	// the background when there is space again; from then on commits are taken again.
	ErrNoSpace = errors.New("chunks: disk is full")
	// ErrDamaged: files do not hold what was written to them. Nothing was changed on disk.
	ErrDamaged = errors.New("chunks: damaged")
	// ErrNewer: a newer version of this program wrote the files.
	ErrNewer = errors.New("chunks: written by a newer version")
	// ErrInUse: another process, or another Store of this one, holds the directory.
	ErrInUse = errors.New("chunks: directory is in use")
	// ErrForeign: the directory holds other files than those of a Store.
	ErrForeign = errors.New("chunks: directory holds other files")
)

// damaged wraps an error of Pebble's with ErrDamaged if it says that files are not as they were written. It names the file, and
// the block where it is one.
func damaged(err error) error {
	if err == nil || errors.Is(err, ErrDamaged) {
		return err
	}
	if pebble.IsCorruptionError(err) || errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "size mismatch") {
		return fmt.Errorf("%w: %w", ErrDamaged, corruption{err})
	}
	return err
}

// refused wraps the error of Pebble that does not open what it wrote: that is damage, unless the file system says otherwise.
func refused(err error) error {
	var errno syscall.Errno
	switch {
	case strings.Contains(err.Error(), "unknown format major version"):
		return fmt.Errorf("%w: %w", ErrNewer, corruption{err})
	case errors.As(err, &errno) && errno != syscall.ENOENT, errors.Is(err, ErrFailed):
		return err
	}
	return asDamage(err)
}

// corruption prints an error of Pebble's in one line, without those that are only there to carry details.
type corruption struct{ error }

// corruptionText also drops the number that a table read without Pebble around it has.
var corruptionText = strings.NewReplacer("\n<corruption detail carrier>", "", "\n", "; ", "pebble: file 000000: ", "")

func (c corruption) Error() string {
	return corruptionText.Replace(c.error.Error())
}

func (c corruption) Unwrap() error { return c.error }
