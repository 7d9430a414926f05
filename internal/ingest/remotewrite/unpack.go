package remotewrite

import (
	"fmt"
	"net/http"

	"github.com/golang/snappy"

	"metricd/internal/ingest/body"
)

// unpack sets body to what packed holds, in the block format of Snappy
// (https://github.com/google/snappy/blob/main/format_description.txt):
//
//	length: varint   elements: a literal of its length, or a copy of up to 64 bytes, in 3 bytes at least, of what came before
//
// The length is looked at before memory is taken: it must not be above limit, nor above what so many bytes can become.
func (w *work) unpack(packed []byte, limit int) error {
	n, err := snappy.DecodedLen(packed)
	switch {
	case err != nil:
		return &body.Error{Status: http.StatusBadRequest, Text: "the body is not in the block format of Snappy: " + err.Error()}
	case n > limit:
		return &body.Error{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the body is %d bytes when decompressed, more than %d: send fewer samples at once", n, limit)}
	case n > 22*len(packed):
		return &body.Error{Status: http.StatusBadRequest, Text: fmt.Sprintf("the body is no Snappy: %d bytes can't become %d", len(packed), n)}
	}
	if cap(w.body) < n+slack {
		w.body = make([]byte, n+slack)
	}
	if w.body, err = snappy.Decode(w.body[:cap(w.body)], packed); err != nil {
		return &body.Error{Status: http.StatusBadRequest, Text: "the body is not in the block format of Snappy: " + err.Error()}
	}
	return nil
}
