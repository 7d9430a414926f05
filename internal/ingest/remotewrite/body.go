package remotewrite

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/golang/snappy"
)

const (
	// ownBytes is how many bytes of its body each request may hold while it comes; what is more is of maxBodies, which all
	// share: senders that are slow, or mean harm, can't hold more than that and ownBytes for each connection.
	ownBytes  = 256 << 10
	maxBodies = 128 << 20
	// keepBody is how large a buffer may be to be kept for other requests.
	keepBody = 1 << 20
)

// body is the body of a request as it came.
type body struct {
	b     []byte
	taken int64 // of maxBodies
}

// read reads the body of req, which is to be given back with release, also with an error.
func (r *Receiver) read(b *body, req *http.Request) error {
	limit := r.opts.MaxBody
	tooLarge := failure{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes: send fewer samples at once", limit)}
	if req.ContentLength > int64(limit) {
		return tooLarge
	}
	for {
		if len(b.b) == cap(b.b) {
			if err := r.grow(b); err != nil {
				return err
			}
		}
		n, err := req.Body.Read(b.b[len(b.b):cap(b.b)])
		b.b = b.b[:len(b.b)+n]
		var large *http.MaxBytesError
		switch {
		case len(b.b) > limit, errors.As(err, &large):
			return tooLarge
		case err == io.EOF:
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return failure{http.StatusBadRequest, "the body ended early"}
		case err != nil: // a stop of the server, or a client that was slow: it may well try again
			return failure{http.StatusServiceUnavailable, "the body could not be read: " + err.Error()}
		}
	}
}

// grow makes room in b, twice as much.
func (r *Receiver) grow(b *body) error {
	size := max(16<<10, 2*cap(b.b))
	if more := int64(size-ownBytes) - b.taken; more > 0 {
		if r.bodies.Add(more) > maxBodies {
			r.bodies.Add(-more)
			return failure{http.StatusServiceUnavailable, "too many large requests at once"}
		}
		b.taken += more
	}
	larger := make([]byte, len(b.b), size)
	copy(larger, b.b)
	b.b = larger
	return nil
}

// newBody returns an empty body.
func (r *Receiver) newBody() *body {
	b, ok := r.pool.Get().(*body)
	if !ok {
		b = new(body)
	}
	return b
}

// release gives b back, which is not to be used any more.
func (r *Receiver) release(b *body) {
	r.bodies.Add(-b.taken)
	b.b, b.taken = b.b[:0], 0
	if cap(b.b) > keepBody {
		b.b = nil
	}
	r.pool.Put(b)
}

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
		return failure{http.StatusBadRequest, "the body is not in the block format of Snappy: " + err.Error()}
	case n > limit:
		return failure{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is %d bytes when decompressed, more than %d: send fewer samples at once", n, limit)}
	case n > 22*len(packed):
		return failure{http.StatusBadRequest, fmt.Sprintf("the body is no Snappy: %d bytes can't become %d", len(packed), n)}
	}
	if cap(w.body) < n+slack {
		w.body = make([]byte, n+slack)
	}
	if w.body, err = snappy.Decode(w.body[:cap(w.body)], packed); err != nil {
		return failure{http.StatusBadRequest, "the body is not in the block format of Snappy: " + err.Error()}
	}
	return nil
}
