package remotewrite

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"metricd/internal/ingest/body"
	"metricd/internal/storage"
)

// version says which message a request holds.
type version uint8

const (
	version1 version = 1 + iota // prometheus.WriteRequest
	version2                    // io.prometheus.write.v2.Request
)

// ServeHTTP implements http.Handler, for POST. It reads the body to its end, however slow it comes: deadlines are its caller's matter. See the package
// for the answers; all texts are one line, plain.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	res, err := r.receive(req)
	r.stats.requests.Add(1)
	h := w.Header()
	if res != nil {
		r.stats.count(res)
	}
	if err == nil {
		tellWritten(h, res)
		if !res.refused.any() {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		http.Error(w, res.refused.String(), http.StatusBadRequest)
		return
	}
	f := body.AsError(err)
	r.stats.failed.Count(f)
	if f.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", body.RetryAfter)
	} else if res != nil {
		tellWritten(h, res)
	}
	http.Error(w, f.Text, f.Status)
}

// tellWritten sets the headers that say what was stored.
func tellWritten(h http.Header, res *result) {
	h.Set("X-Prometheus-Remote-Write-Samples-Written", strconv.Itoa(res.samples))
	h.Set("X-Prometheus-Remote-Write-Histograms-Written", strconv.Itoa(res.histograms))
	h.Set("X-Prometheus-Remote-Write-Exemplars-Written", "0")
}

// receive carries a request out. The result is nil if nothing of it was looked at.
func (r *Receiver) receive(req *http.Request) (*result, error) {
	v, err := negotiate(req.Header)
	if err != nil {
		return nil, err
	}
	b := r.bodies.New()
	defer b.Release()
	err = b.Read(req, r.opts.MaxBody)
	r.stats.bytes.Add(int64(len(b.B)))
	if err != nil {
		return nil, err
	}
	res, app, err := r.store(req.Context(), v, b.B)
	if res == nil {
		return nil, err
	}
	if durable := app.Wait(req.Context(), res.seq); durable != nil {
		return res, durable
	}
	return res, err
}

// store stores what packed holds, in one of the works. The Appender knows when it is durable. The result is nil if packed
// could not be decompressed.
func (r *Receiver) store(ctx context.Context, v version, packed []byte) (*result, storage.Appender, error) {
	var w *work
	select {
	case w = <-r.works:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if w == nil {
		w = r.newWork()
	}
	defer func() { r.works <- w }()
	if err := w.unpack(packed, r.opts.MaxBody); err != nil {
		return nil, nil, err
	}
	err := w.take(v)
	res := w.result
	return &res, w.Appender(), err
}

// negotiate returns which message the headers announce. No Content-Type stands for version 1, and no Content-Encoding for
// snappy, as Prometheus has it.
func negotiate(h http.Header) (version, error) {
	if c := h.Get("Content-Encoding"); c != "" && !strings.EqualFold(c, "snappy") {
		return 0, &body.Error{Status: http.StatusUnsupportedMediaType, Text: "Content-Encoding " + strconv.Quote(c) + ": want snappy"}
	}
	c := h.Get("Content-Type")
	if c == "" {
		return version1, nil
	}
	kind, params, err := mime.ParseMediaType(c)
	if err == nil && kind == "application/x-protobuf" {
		switch params["proto"] {
		case "", "prometheus.WriteRequest":
			return version1, nil
		case "io.prometheus.write.v2.Request":
			return version2, nil
		}
	}
	return 0, &body.Error{Status: http.StatusUnsupportedMediaType, Text: "Content-Type " + strconv.Quote(c) +
		": want application/x-protobuf, with proto=prometheus.WriteRequest or proto=io.prometheus.write.v2.Request"}
}
