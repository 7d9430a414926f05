package httpapi

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// compress returns what takes the body of an answer, compressed if the client accepts that. Close ends the body.
func compress(w http.ResponseWriter, r *http.Request) io.WriteCloser {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header.Values("Accept-Encoding")) {
		return plain{w}
	}
	h.Set("Content-Encoding", "gzip")
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return z
}

// plain is a body as it is.
type plain struct{ io.Writer }

func (plain) Close() error { return nil }

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip or *, unless with q=0.
func acceptsGzip(values []string) bool {
	named, any := 0, 0 // 0: not said; 1: yes; -1: no
	for _, part := range strings.Split(strings.Join(values, ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		is := 1
		if q, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q="); ok && strings.Trim(q, "0.") == "" {
			is = -1
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			named = is
		case "*":
			any = is
		}
	}
	return named > 0 || named == 0 && any > 0
}

// decompress returns the body of a request as it was before the client compressed it.
func decompress(body io.Reader, r *http.Request) (io.Reader, error) {
	switch coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
		return refuseGzip(body)
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, badRequest("the body is not gzip, as Content-Encoding says: %v", err)
		}
		return z, nil
	default:
		return nil, &apiError{http.StatusUnsupportedMediaType, "bad_data", "Content-Encoding " + coding + ": want gzip, or none"}
	}
}

// refuseGzip returns all of body, unless it is gzip (RFC 1952, 2.3.1) that nobody said would come.
func refuseGzip(body io.Reader) (io.Reader, error) {
	const magic = "\x1f\x8b"
	start := make([]byte, len(magic))
	n, err := io.ReadFull(body, start)
	switch {
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, err
	case string(start[:n]) == magic:
		return nil, badRequest("the body is gzip: say so with the header Content-Encoding: gzip")
	}
	return io.MultiReader(bytes.NewReader(start[:n]), body), nil
}
