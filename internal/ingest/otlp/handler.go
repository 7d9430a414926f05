package otlp

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"metricd/internal/ingest/body"
	"metricd/internal/storage"
)

// ServeHTTP implements http.Handler, for POST. It reads the body to its end, however slow it comes: deadlines are its caller's matter. See the package
// for the answers.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	f, packed, err := negotiate(req.Header)
	var res *result
	if err == nil {
		res, err = r.receive(req, f, packed)
	}
	r.stats.requests.Add(1)
	if res != nil {
		r.stats.count(res)
	}
	if err == nil {
		f.success(w, &res.refused)
		return
	}
	why := body.AsError(err)
	r.stats.failed.Count(why)
	if why.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", body.RetryAfter)
	}
	f.failure(w, why)
}

// receive carries a request out. The result is nil if nothing of it was looked at.
func (r *Receiver) receive(req *http.Request, f format, packed bool) (*result, error) {
	b := r.bodies.New()
	defer b.Release()
	var err error
	if packed {
		var came int64
		came, err = b.ReadGzip(req, r.opts.MaxBody)
		r.stats.bytes.Add(came)
	} else {
		err = b.Read(req, r.opts.MaxBody)
		r.stats.bytes.Add(int64(len(b.B)))
	}
	if err != nil {
		return nil, err
	}
	res, app, err := r.store(req.Context(), f, b.B)
	if res == nil {
		return nil, err
	}
	if durable := app.Wait(req.Context(), res.seq); durable != nil {
		return res, durable
	}
	return res, err
}

// store stores what message holds, in one of the works. The Appender knows when it is durable. The result is nil if the message
// was not looked at.
func (r *Receiver) store(ctx context.Context, f format, message []byte) (*result, storage.Appender, error) {
	var w *work
	select {
	case w = <-r.works:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if w == nil {
		w = newWork(r.cache, r.opts)
	}
	defer func() { r.works <- w }()
	if f == inJSON {
		var err error
		if message, err = fromJSON(message); err != nil {
			return nil, nil, err
		}
	}
	err := w.take(message)
	res := w.result
	return &res, w.Appender(), err
}

// negotiate returns in which format the headers announce a message, and whether it is compressed by gzip.
func negotiate(h http.Header) (f format, packed bool, err error) {
	switch c := h.Get("Content-Encoding"); {
	case strings.EqualFold(c, "gzip"):
		packed = true
	case c != "" && !strings.EqualFold(c, "identity"):
		return asText, false, &body.Error{Status: http.StatusUnsupportedMediaType, Text: "Content-Encoding " + strconv.Quote(c) + ": want gzip, or none"}
	}
	c := h.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(c)
	switch {
	case err == nil && kind == "application/x-protobuf":
		return inProtobuf, packed, nil
	case err == nil && kind == "application/json":
		return inJSON, packed, nil
	}
	return asText, false, &body.Error{Status: http.StatusUnsupportedMediaType, Text: "Content-Type " + strconv.Quote(c) + ": want application/x-protobuf or application/json"}
}
