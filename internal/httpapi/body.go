package httpapi

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// body is the body of a request, whose client may be slow, but not for ever, and which ends with errStopping when the server
// is about to stop. Close it; it is for one goroutine.
type body struct {
	r       io.Reader
	control *http.ResponseController
	stall   time.Duration

	mu struct { // orders the deadlines of Read and of the stop
		sync.Mutex
		stopped bool
	}
	done  chan struct{}  // closed by Close
	ended sync.WaitGroup // what waits for the stop
}

// newBody returns the body of r. A goroutine waits for the stop, until Close.
func (s *Server) newBody(w *reply, r *http.Request) *body {
	b := &body{r: r.Body, control: w.control, stall: s.cfg.Stall, done: make(chan struct{})}
	b.ended.Go(func() {
		select {
		case <-s.stop:
			b.stop()
		case <-b.done:
		}
	})
	return b
}

// stop ends a Read under way.
func (b *body) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.stopped = true
	_ = b.control.SetReadDeadline(time.Unix(1, 0)) // where there are no deadlines, Read waits for the client
}

// extend gives the next Read its time, unless there is none left.
func (b *body) extend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.mu.stopped {
		_ = b.control.SetReadDeadline(time.Now().Add(b.stall)) // as above
	}
	return !b.mu.stopped
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if !b.extend() {
		return 0, errStopping
	}
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.mu.stopped {
			err = errStopping
		}
	}
	return n, err
}

// Close ends the waiting for the stop. It does not close the body, which is net/http's.
func (b *body) Close() {
	close(b.done)
	b.ended.Wait()
}
