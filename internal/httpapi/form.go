package httpapi

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"metricd/internal/storage"
)

// maxForm is how many bytes the body of a query may have.
const maxForm = 1 << 20

// form returns the parameters of a request, those of the body of a POST or PUT first. Unlike those of an export, unknown ones are
// ignored, as Prometheus does: clients send some.
func (s *Server) form(w *reply, r *http.Request) (url.Values, error) {
	if r.Body != nil && r.Body != http.NoBody {
		b := s.newBody(w, r)
		r.Body = http.MaxBytesReader(w.ResponseWriter, &formBody{b}, maxForm)
		defer func() {
			b.Close()
			// net/http goes on reading, to find out when the client goes away, and that may take as long as the query.
			_ = w.control.SetReadDeadline(time.Time{})
		}()
	}
	err := r.ParseForm()
	if err == nil && r.Body != nil {
		_, err = io.Copy(io.Discard, r.Body) // of another type: net/http finds out that a client goes away only behind the body
	}
	large := new(http.MaxBytesError)
	switch {
	case errors.As(err, &large):
		return nil, &apiError{http.StatusRequestEntityTooLarge, "bad_data", fmt.Sprintf("the body is too large: want %d bytes at most", maxForm)}
	case errors.Is(err, errStopping):
		return nil, err
	case err != nil:
		return nil, badRequest("error parsing form values: %v", err)
	}
	return r.Form, nil
}

// formBody is a body whose end is its owner's to say.
type formBody struct{ *body }

func (formBody) Close() error { return nil }

// invalid says that a parameter can't be read, in Prometheus' words.
func invalid(name string, err error) error { return badRequest("invalid parameter %q: %v", name, err) }

// limitOf returns the limit of a request; 0: none.
func limitOf(q url.Values) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err == nil && limit < 0 {
		err = errors.New("limit must be non-negative")
	}
	if err != nil {
		return 0, invalid("limit", err)
	}
	return limit, nil
}

// instantOf returns the time that a parameter names, absent if it is not there.
func instantOf(q url.Values, name string, absent time.Time) (time.Time, error) {
	text := q.Get(name)
	if text == "" {
		return absent, nil
	}
	t, err := parseInstant(text)
	if err != nil {
		return time.Time{}, invalid(name, fmt.Errorf("invalid time value for '%s': %w", name, err))
	}
	return t, nil
}

// requiredInstant returns the time that a parameter names, which must be there.
func requiredInstant(q url.Values, name string) (time.Time, error) {
	t, err := parseInstant(q.Get(name))
	if err != nil {
		return time.Time{}, invalid(name, err)
	}
	return t, nil
}

// farthest is how many seconds from the epoch a time may be: as far as int64 milliseconds go, and what clients send for the first and
// the last time of all.
const farthest = math.MaxInt64 / 1000

// The first and the last time as clients of Prometheus may write them.
const (
	firstInstant = "-292273086-05-16T16:47:06Z"
	lastInstant  = "+292277025-08-18T07:12:54.999999999Z"
)

// parseInstant reads Unix seconds, with or without a fraction, of which milliseconds count, or RFC 3339.
func parseInstant(text string) (time.Time, error) {
	if sec, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(sec) <= farthest {
		whole, fraction := math.Modf(sec)
		fraction = math.Round(fraction*1000) / 1000
		return time.Unix(int64(whole), int64(fraction*float64(time.Second))).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	switch text {
	case firstInstant:
		return time.UnixMilli(storage.MinTime).UTC(), nil
	case lastInstant:
		return time.UnixMilli(storage.MaxTime).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
}

// durationOf reads seconds, with or without a fraction, or what PromQL writes, such as 1h30m.
func durationOf(text string) (time.Duration, error) {
	if sec, err := strconv.ParseFloat(text, 64); err == nil {
		d := sec * float64(time.Second)
		if math.IsNaN(d) || d >= math.MaxInt64 || d < math.MinInt64 {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", text)
		}
		return time.Duration(d), nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", text)
}

// rangeOf returns the range of time of a request, in ms, both inclusive; everything if it names none.
func rangeOf(q url.Values) (mint, maxt int64, err error) {
	start, err := instantOf(q, "start", time.UnixMilli(storage.MinTime))
	if err != nil {
		return 0, 0, err
	}
	end, err := instantOf(q, "end", time.UnixMilli(storage.MaxTime))
	if err != nil {
		return 0, 0, err
	}
	return clampTime(start), clampTime(end), nil
}

// clampTime returns a time in ms, within those that samples have.
func clampTime(t time.Time) int64 {
	const first, last = storage.MinTime / 1000, storage.MaxTime / 1000 // in seconds
	switch sec := t.Unix(); {
	case sec <= first:
		return storage.MinTime
	case sec >= last:
		return storage.MaxTime
	}
	return t.UnixMilli()
}
