package collect

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"metricd/client"
)

// DefaultBuffer is how many bytes of samples a Sender keeps while its server is away, unless told otherwise: most of
// a day of 70 figures every ten seconds.
const DefaultBuffer = 32 << 20

const (
	// glitch is how long the client tries a lost connection again by itself: a restart of the server is no news.
	glitch = 5 * time.Second
	// pauseFor is the most time between two attempts to reach a server that stays away. A random part of up to a half is
	// taken off, so that many senders don't come at once.
	pauseFor = 5 * time.Second
)

// SenderOptions of a Sender.
type SenderOptions struct {
	Client client.Options // of its connections; RetryFor is the Sender's own affair
	Buffer int            // bytes of samples kept while the server is away; 0: DefaultBuffer
	// Explain says what to do about an error of the client; nil: nothing.
	Explain func(error) error
	Logger  *slog.Logger // is told what is lost, and why; nil: nothing is
}

// Sender sends rounds to a server, in their order, and keeps them while it is away: up to a bound, then the oldest are dropped,
// counted, and the log says so. A round whose acknowledgement was lost is sent again as a whole, which
// changes nothing where this machine's figures have one sender. Its methods may be called concurrently.
//
// One goroutine belongs to it: run, from NewSender to Close. It alone uses the client and what is said; it meets the callers in mu,
// which is never held during I/O. OnError of the client comes from a goroutine of the client's.
type Sender struct {
	addr    string
	opts    SenderOptions
	ctx     context.Context
	cancel  context.CancelFunc // ends run, whatever is left
	closing chan struct{}      // closed by Close: nothing comes any more
	done    chan struct{}      // closed when run has ended
	kick    chan struct{}      // one element: look at mu again

	mu struct {
		sync.Mutex
		queue   queue
		refused refused // since the log said so
	}

	w    *client.Writer // nil: none; run's
	news news           // run's
}

// refused is what the server did not want.
type refused struct {
	samples int
	last    error // the reason for the last of them
}

// NewSender returns a Sender to the server at addr, host:port. It need not be there yet.
func NewSender(addr string, opts SenderOptions) *Sender {
	if opts.Buffer == 0 {
		opts.Buffer = DefaultBuffer
	}
	if opts.Explain == nil {
		opts.Explain = func(err error) error { return err }
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Client.RetryFor = glitch
	s := &Sender{
		addr:    addr,
		opts:    opts,
		closing: make(chan struct{}),
		done:    make(chan struct{}),
		kick:    make(chan struct{}, 1),
		news:    news{log: opts.Logger, addr: addr},
	}
	s.mu.queue.limit = opts.Buffer
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s
}

// Take takes a round to be sent, without waiting. It is for Run; ctx is not used. Not after Close.
func (s *Sender) Take(_ context.Context, r Round) {
	s.mu.Lock()
	s.mu.queue.push(r)
	s.mu.Unlock()
	select {
	case s.kick <- struct{}{}:
	default: // it will look anyway
	}
}

// Close sends what there is, until the server turns out to be away or ctx is done, ends the Sender, and returns how many samples are
// not known to have arrived. To be called once.
func (s *Sender) Close(ctx context.Context) (unsent int) {
	close(s.closing)
	defer context.AfterFunc(ctx, s.cancel)()
	<-s.done
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.queue.samples
}

// run sends rounds until the Sender is closed.
func (s *Sender) run() {
	defer close(s.done)
	defer s.hangUp()
	for {
		r, ok := s.wait()
		if !ok {
			return
		}
		err := s.send(r)
		s.mu.Lock()
		if err != nil {
			s.mu.queue.unpop(r)
		}
		kept, dropped := s.mu.queue.samples, s.mu.queue.dropped
		no := s.mu.refused
		if s.news.refused(no) {
			s.mu.refused = refused{}
		}
		s.mu.Unlock()
		if err == nil {
			s.news.arrived(dropped)
			continue
		}
		s.hangUp()
		if s.isClosing() {
			return
		}
		s.news.away(s.opts.Explain(err), kept, dropped)
		s.pause()
	}
}

// wait returns the next round; none when there will be none.
func (s *Sender) wait() (Round, bool) {
	for {
		closing := s.isClosing() // before the look, so that what was taken before Close is seen
		s.mu.Lock()
		r, ok := s.mu.queue.pop()
		s.mu.Unlock()
		if ok || closing {
			return r, ok
		}
		select {
		case <-s.kick:
		case <-s.closing:
		}
	}
}

func (s *Sender) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// send sends a round and returns when the server has answered each of its samples.
func (s *Sender) send(r Round) (err error) {
	if s.w == nil {
		if s.w, err = client.DialWriter(s.ctx, s.addr, client.WriterOptions{Options: s.opts.Client, OnError: s.refuse}); err != nil {
			return err
		}
	}
	for _, sample := range r.Samples {
		err := s.w.Put(sample.Key, sample.Value, r.At)
		switch {
		case errors.Is(err, client.ErrInvalid): // this one alone
			s.count(err)
		case err != nil:
			return err
		}
	}
	return s.w.Flush(s.ctx)
}

// refuse is told of samples that were not stored. Those whose connection was lost are sent again.
func (s *Sender) refuse(e *client.PutError) {
	if !errors.Is(e, client.ErrNotAcknowledged) {
		s.count(e)
	}
}

func (s *Sender) count(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.refused.samples++
	s.mu.refused.last = err
}

// hangUp drops the connection, and what is under way on it.
func (s *Sender) hangUp() {
	if s.w == nil {
		return
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	s.w.Close(now) //nolint:errcheck // whoever hangs up knows why
	s.w = nil
}

// pause waits before the server is tried again, unless the Sender is being closed.
func (s *Sender) pause() {
	timer := time.NewTimer(pauseFor - rand.N(pauseFor/2))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
	}
}
