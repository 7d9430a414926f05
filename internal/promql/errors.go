package promql

import (
	"context"
	"errors"

	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Kind is what kind of thing went wrong with a query. Callers branch on it.
type Kind uint8

// The kinds of an Error.
const (
	BadData        Kind = iota + 1 // the expression or another argument is wrong; nothing was evaluated
	Execution                      // the expression cannot be evaluated over these data
	TooManySamples                 // it needs more samples in memory than Options.MaxSamples
	Timeout                        // it took too long, be it waiting for its turn
	Canceled                       // the caller's context was canceled
	Storage                        // the store failed to read
)

// Error is every error of this package: get at it with errors.As. Its text is Prometheus', on one line.
type Error struct {
	Kind Kind

	// Start and End are the place in the expression that BadData is about, in bytes, Start inclusive and End exclusive. Both
	// are 0 if no place is known.
	Start, End int

	// Warnings and Infos are what the evaluation had to say until the error.
	Warnings, Infos []string

	err error
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the cause, which may be an error of the store.
func (e *Error) Unwrap() error { return e.err }

// storeError is an error that the store gave during a query.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// fromStore marks an error of the store as one; nil stays nil.
func fromStore(err error) error {
	if err == nil {
		return nil
	}
	return &storeError{err}
}

// badData makes an Error of what is wrong with an argument.
func badData(err error) *Error {
	e := &Error{Kind: BadData, err: err}
	var found parser.ParseErrors
	if errors.As(err, &found) && len(found) > 0 {
		e.Start, e.End = int(found[0].PositionRange.Start), int(found[0].PositionRange.End)
	}
	return e
}

// failed makes an Error of what ended an evaluation; what is none of the known kinds is of kind other.
func failed(err error, other Kind) *Error {
	var (
		canceled prom.ErrQueryCanceled
		timeout  prom.ErrQueryTimeout
		samples  prom.ErrTooManySamples
		store    *storeError
	)
	kind := other
	switch {
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		kind = Canceled
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		kind = Timeout
	case errors.As(err, &samples):
		kind = TooManySamples
	case errors.As(err, &store):
		kind = Storage
	case other == BadData:
		return badData(err)
	}
	return &Error{Kind: kind, err: err}
}
