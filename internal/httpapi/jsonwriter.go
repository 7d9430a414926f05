package httpapi

import (
	"io"
	"net/http"
	"strconv"
	"sync"
)

const (
	// chunkSize is how many bytes of JSON are gathered before they are sent, so that an answer of any size takes that much memory.
	chunkSize = 64 << 10
	// smallAnswer is the size from which on an answer is worth compressing.
	smallAnswer = 1 << 10
)

// jsonWriter writes the body of a JSON answer by appending to buf: what writes to it calls more whenever it has appended something
// of a bounded size. It is for one goroutine.
type jsonWriter struct {
	buf  []byte // not sent yet
	w    *reply
	r    *http.Request
	body io.WriteCloser // what takes the body; nil while nothing was sent
	err  error          // of the first write that failed; nothing is sent after it
}

// buffers are those of jsonWriters that are done.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, chunkSize+chunkSize/16); return &b }}

// newJSONWriter returns a writer of the answer to r. Call end.
func newJSONWriter(w *reply, r *http.Request) *jsonWriter {
	return &jsonWriter{buf: (*buffers.Get().(*[]byte))[:0], w: w, r: r}
}

// more sends what was appended, if that is enough, and says whether more is wanted: not after an error.
func (j *jsonWriter) more() bool {
	if len(j.buf) >= chunkSize {
		j.flush()
	}
	return j.err == nil
}

func (j *jsonWriter) flush() {
	if j.body == nil {
		j.begin()
	}
	if j.err == nil {
		_, j.err = j.body.Write(j.buf)
	}
	j.buf = j.buf[:0]
}

func (j *jsonWriter) begin() {
	j.w.Header().Set("Content-Type", "application/json")
	j.body = compress(j.w, j.r)
}

// end sends the rest.
func (j *jsonWriter) end() error {
	if j.body == nil && len(j.buf) < smallAnswer {
		h := j.w.Header()
		h.Set("Content-Type", "application/json")
		h.Add("Vary", "Accept-Encoding")
		h.Set("Content-Length", strconv.Itoa(len(j.buf)))
		_, j.err = j.w.Write(j.buf)
	} else {
		j.flush()
		if err := j.body.Close(); j.err == nil {
			j.err = err
		}
	}
	if buf := j.buf; cap(buf) <= 2*chunkSize {
		buffers.Put(&buf)
	}
	j.buf = nil
	return j.err
}
