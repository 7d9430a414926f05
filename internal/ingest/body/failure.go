package body

import (
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
)

// RetryAfter is the header of answers with 503: after how many seconds a sender should try again.
const RetryAfter = "5"

// Error is why a request was not carried out, or not to its end, with the status of the answer: 400, 413, 415 or 503. Those of this
// package never have 415.
type Error struct {
	Status int
	Text   string // one line
}

func (e *Error) Error() string { return e.Text }

// AsError returns the Error that err is or wraps. What is not known to be the sender's fault is to be tried again: 503.
func AsError(err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	return &Error{http.StatusServiceUnavailable, err.Error()}
}

// statuses are those of an Error.
var statuses = [...]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable}

// Failures counts requests by the status of their Error. The zero value is ready; it is safe for concurrent use.
type Failures struct {
	n [len(statuses)]atomic.Int64
}

// Count counts one.
func (f *Failures) Count(e *Error) {
	if i := slices.Index(statuses[:], e.Status); i >= 0 {
		f.n[i].Add(1)
	}
}

// ByStatus returns how many there were; all statuses are there. The map is the caller's.
func (f *Failures) ByStatus() map[int]int64 {
	counts := make(map[int]int64, len(statuses))
	for i, status := range statuses {
		counts[status] = f.n[i].Load()
	}
	return counts
}
