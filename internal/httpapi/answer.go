package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"metricd/internal/storage"
)

// apiError is an error with the status of its answer.
type apiError struct {
	status int
	kind   string // errorType
	text   string
}

func (e *apiError) Error() string { return e.text }

// badRequest is an error of what the client sent.
func badRequest(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "bad_data", fmt.Sprintf(format, args...)}
}

// asAPIError returns err with the status that it stands for.
func asAPIError(err error) *apiError {
	if e := new(apiError); errors.As(err, &e) {
		return &apiError{e.status, e.kind, err.Error()}
	}
	switch {
	case errors.Is(err, storage.ErrReadOnly), errors.Is(err, storage.ErrClosed), errors.Is(err, storage.ErrFailed), errors.Is(err, errStopping), errors.Is(err, errRecovering), errors.Is(err, errBusy):
		return &apiError{http.StatusServiceUnavailable, "unavailable", err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &apiError{http.StatusServiceUnavailable, "timeout", err.Error()}
	case errors.Is(err, context.Canceled):
		return &apiError{statusClientGone, "canceled", err.Error()}
	case errors.Is(err, storage.ErrNoFiles):
		return &apiError{http.StatusNotImplemented, "execution", err.Error()}
	}
	return &apiError{http.StatusInternalServerError, "internal", err.Error()}
}

// errStopping: the server is about to stop.
var errStopping = errors.New("the server is stopping")

// errRecovering: there is no store yet.
var errRecovering = errors.New("recovering: the server reads its data directory; try again soon")

// errBusy: as many requests as may be are carried out, and none of them has ended for long.
var errBusy = errors.New("too many requests at once")

// inTurn returns f for when it is its turn: of such, maxAtWork are carried out at once. Whoever waits as long as a client
// may stall is told to come again.
func (s *Server) inTurn(f func(*reply, *http.Request) error) func(*reply, *http.Request) error {
	return func(w *reply, r *http.Request) error {
		select {
		case s.atWork <- struct{}{}:
		default:
			long := time.NewTimer(s.cfg.Stall)
			defer long.Stop()
			select {
			case s.atWork <- struct{}{}:
			case <-long.C:
				return errBusy
			case <-s.stop:
				return errStopping
			case <-r.Context().Done(): // nobody reads the answer
				return r.Context().Err()
			}
		}
		defer func() { <-s.atWork }()
		return f(w, r)
	}
}

// errorBody is the JSON of an error.
type errorBody struct {
	Status    string `json:"status"`
	ErrorType string `json:"errorType"`
	Error     string `json:"error"`
	Data      any    `json:"data,omitempty"`
}

// writeError answers with an error.
func writeError(w http.ResponseWriter, e *apiError) {
	if e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	writeJSON(w, e.status, errorBody{Status: "error", ErrorType: e.kind, Error: e.text})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	h := w.Header()
	h.Del("Content-Encoding")
	h.Del("Trailer")
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n')) // its error is the client's
}

// answer returns what answers with f. An error of f is the answer, if nothing was written yet; else the answer is
// cut short.
func (s *Server) answer(f func(w *reply, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			writeError(w, asAPIError(errStopping))
			return
		}
		defer s.running.Done()
		out := &reply{ResponseWriter: w, control: http.NewResponseController(w), stall: s.cfg.Stall}
		err := f(out, r)
		switch {
		case err == nil:
			out.extend() // for what net/http still holds
		case !out.begun:
			writeError(out, asAPIError(err))
		default:
			if r.Context().Err() == nil && out.err == nil {
				s.log.Error("an answer ended in the middle", "path", r.URL.Path, "client", r.RemoteAddr, "err", err)
			}
			out.abort()
		}
	})
}

// reply is the answer to one request. Each write may take as long as the client makes progress.
type reply struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	begun   bool  // something was written
	err     error // of the first write that failed
}

func (w *reply) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *reply) WriteHeader(status int) {
	w.begun = true
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *reply) Write(b []byte) (int, error) {
	w.begun = true
	w.extend()
	n, err := w.ResponseWriter.Write(b)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

func (w *reply) extend() {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.stall)) // where there are none, nothing is waited for
}

// abort makes sure that the client sees no end of the answer: nothing more can be written.
func (w *reply) abort() {
	_ = w.control.SetWriteDeadline(time.Unix(1, 0)) // as above
}
