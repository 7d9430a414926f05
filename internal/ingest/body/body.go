// Package body reads the bodies of requests whole, in bounded memory: a Pool gives those of all its requests together no more
// than it may, however many senders are slow or mean harm.
package body

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

const (
	// Own is how many bytes of its body each request may hold while it comes; what is more is of Shared, which all
	// share: senders that are slow, or mean harm, can't hold more than that and Own for each connection.
	Own    = 256 << 10
	Shared = 128 << 20
	// keep is how large a buffer may be to be kept for other requests.
	keep = 1 << 20
)

// Pool gives out bodies. The zero value is ready; it is safe for concurrent use.
type Pool struct {
	Taken atomic.Int64 // of Shared

	free sync.Pool // of *Body
}

// Body is the body of a request. It is for one goroutine, and given back with Release.
type Body struct {
	B []byte // what was read

	pool  *Pool
	taken int64 // of Shared
	gzip  *gzip.Reader
}

// New returns an empty body.
func (p *Pool) New() *Body {
	b, ok := p.free.Get().(*Body)
	if !ok {
		b = new(Body)
	}
	b.pool = p
	return b
}

// Release gives b back, which is not to be used any more.
func (b *Body) Release() {
	p := b.pool
	p.Taken.Add(-b.taken)
	b.B, b.taken = b.B[:0], 0
	if cap(b.B) > keep {
		b.B = nil
	}
	p.free.Put(b)
}

// Read sets b.B to the body of req as it comes, of limit bytes at most. Its error is an *Error; what came before it is in b.B.
func (b *Body) Read(req *http.Request, limit int) error {
	if req.ContentLength > int64(limit) {
		return tooLarge(limit)
	}
	return b.read(req.Body, limit)
}

// ReadGzip is Read for a body that is compressed by gzip. It must not be above limit, neither as it comes nor decompressed. came is how many
// bytes came.
func (b *Body) ReadGzip(req *http.Request, limit int) (came int64, err error) {
	if req.ContentLength > int64(limit) {
		return 0, tooLarge(limit)
	}
	in := &counter{r: req.Body, limit: int64(limit)}
	if b.gzip == nil {
		b.gzip = new(gzip.Reader)
	}
	if err := b.gzip.Reset(in); err != nil {
		return in.n, b.failed(err, limit)
	}
	err = b.read(b.gzip, limit)
	return in.n, err
}

func tooLarge(limit int) error {
	return &Error{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes: send fewer samples at once", limit)}
}

// read reads r to its end.
func (b *Body) read(r io.Reader, limit int) error {
	for {
		if len(b.B) == cap(b.B) {
			if err := b.grow(); err != nil {
				return err
			}
		}
		n, err := r.Read(b.B[len(b.B):cap(b.B)])
		b.B = b.B[:len(b.B)+n]
		switch {
		case len(b.B) > limit:
			return tooLarge(limit)
		case err == io.EOF:
			return nil
		case err != nil:
			return b.failed(err, limit)
		}
	}
}

// failed returns what err says of the body.
func (b *Body) failed(err error, limit int) error {
	var large *http.MaxBytesError
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &large), errors.Is(err, errLarge):
		return tooLarge(limit)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Error{http.StatusBadRequest, "the body ended early"}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return &Error{http.StatusBadRequest, "the body is not gzip: " + err.Error()}
	}
	// A stop of the server, or a client that was slow: it may well try again.
	return &Error{http.StatusServiceUnavailable, "the body could not be read: " + err.Error()}
}

// grow makes room in b, twice as much.
func (b *Body) grow() error {
	size := max(16<<10, 2*cap(b.B))
	if more := int64(size-Own) - b.taken; more > 0 {
		if b.pool.Taken.Add(more) > Shared {
			b.pool.Taken.Add(-more)
			return &Error{http.StatusServiceUnavailable, "too many large requests at once"}
		}
		b.taken += more
	}
	larger := make([]byte, len(b.B), size)
	copy(larger, b.B)
	b.B = larger
	return nil
}

// errLarge: more than counter.limit bytes came.
var errLarge = errors.New("too large")

// counter counts what is read of r, and ends with errLarge above limit.
type counter struct {
	r        io.Reader
	n, limit int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n += int64(n); c.n > c.limit {
		return 0, errLarge
	}
	return n, err
}
