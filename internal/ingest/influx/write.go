package influx

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"metricd/internal/ingest/body"
	"metricd/internal/storage"
)

// maxBatch is how many samples are appended at once.
const maxBatch = 1024

// maxSpelled is how many bytes of keys a batch has before it is appended; the last one comes on top.
const maxSpelled = 128 << 10

// work is the memory of a request to write.
type work struct {
	entries entries
	gzip    *gzip.Reader
	point   point
	heads   heads

	batch   storage.Batch
	lines   []int64 // of the rows of batch
	spelled int     // bytes of the keys of batch
	keys    []byte  // of rows whose series is not remembered
	learned []learned
}

// learned says that fields[at] is to learn what the store calls the series of a row, as soon as it has taken the row.
type learned struct {
	row  int
	head *head
	at   int
}

func newWork(remembers bool) *work {
	w := new(work)
	if remembers {
		w.heads.by = map[string]*head{}
	}
	return w
}

// reset empties the batch. What is in it refers to heads that may be forgotten.
func (w *work) reset() {
	clear(w.batch.Rows)
	clear(w.learned)
	w.batch.Rows, w.lines, w.keys, w.learned = w.batch.Rows[:0], w.lines[:0], w.keys[:0], w.learned[:0]
	w.spelled = 0
	if cap(w.keys) > 2*maxSpelled {
		w.keys = nil
	}
}

// borrow returns a work; give it back.
func (h *Handler) borrow() *work {
	select {
	case w := <-h.free:
		return w
	default:
		return newWork(false)
	}
}

func (h *Handler) giveBack(w *work) {
	w.entries.release()
	if w.heads.by == nil {
		return
	}
	w.reset()   // when the store took nothing there may be rows left
	h.free <- w // there is room: as many were made as it holds
}

// write stores the body of r, and answers.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, v version) {
	h.writes.Add(1)
	err := h.store(r)
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	f := body.AsError(err)
	h.failed.Count(f)
	writeFailure(w, v, f)
}

// store stores the body of r. It returns when what it took is durable.
func (h *Handler) store(r *http.Request) error {
	u, err := precision(r.URL.Query().Get("precision"))
	if err != nil {
		return err
	}
	if r.ContentLength > h.cfg.MaxBody {
		return h.tooLarge()
	}
	w := h.borrow()
	defer h.giveBack(w)
	src := &source{r: r.Body}
	body, err := w.decompress(src, r)
	if err != nil {
		return src.blame(err)
	}
	w.entries.r, w.entries.left, w.entries.shared = body, h.cfg.MaxBody, &h.shared
	req := request{h: h, w: w, unit: u, app: h.cfg.Store.Appender()}
	err = req.run()
	req.count()
	if err := req.app.Wait(r.Context(), req.seq); err != nil {
		return err
	}
	switch {
	case req.gone != nil:
		return req.gone
	case errors.Is(err, errLarge):
		return h.tooLarge()
	case err != nil:
		return src.blame(err)
	case req.dropped > 0:
		return badRequest("partial write: line %d: %v dropped=%d", req.first.line, req.first.err, req.dropped)
	}
	return nil
}

func (h *Handler) tooLarge() error {
	return &body.Error{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the body is longer than %d bytes: send less at once", h.cfg.MaxBody)}
}

// decompress returns what was sent as the body of r, as it was before the client compressed it.
func (w *work) decompress(sent io.Reader, r *http.Request) (io.Reader, error) {
	switch coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
		return sent, nil
	case "gzip", "x-gzip":
		if w.gzip == nil {
			w.gzip = new(gzip.Reader)
		}
		return w.gzip, w.gzip.Reset(sent)
	default:
		return nil, &body.Error{Status: http.StatusUnsupportedMediaType, Text: fmt.Sprintf("Content-Encoding %.50q: want gzip, or none", coding)}
	}
}

// source is the body of a request, and remembers why it ended too early.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// blame returns err, which reading the body gave, as an answer: the client's fault if all of the body came.
func (s *source) blame(err error) error {
	switch tooLarge := new(http.MaxBytesError); {
	case errors.As(s.err, &tooLarge):
		return &body.Error{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the body is longer than %d bytes: send less at once", tooLarge.Limit)}
	case s.err != nil:
		return fmt.Errorf("cannot read the body: %w", s.err)
	case errors.As(err, new(*body.Error)):
		return err
	}
	return badRequest("the body is not gzip, as Content-Encoding says: %v", err)
}
