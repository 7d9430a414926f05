package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"metricd/internal/lineproto"
)

// WriterOptions of a Writer. The zero value works.
type WriterOptions struct {
	Options

	// OnError is called for every line that the server refused and for every line that was lost, in
	// their order, from a goroutine of the Writer. It must not call the Writer. If nil, the next Flush
	// or Close returns the first of them.
	OnError func(*PutError)
	// MaxBytes and MaxLines bound the unacknowledged lines: Put blocks while there are
	// as many, until half of them are acknowledged. 0 means 4 MiB and 100,000.
	MaxBytes, MaxLines int
	// Linger is how long a line waits for others to be sent with it, unless 64 KiB are
	// together or someone waits in Flush, Close or a blocked Put; 0 means 2 ms.
	Linger time.Duration
}

// Writer sends puts in their order without waiting for the reply to each. It remembers every line
// until its reply has come, and sends those again, in order, when the connection was lost
// (see the package comment, and Options.NoResend). All methods may be called concurrently.
//
// Two goroutines belong to it: run, from DialWriter to Close, owns the connection and
// writes to it; readReplies lives as long as a connection, and run waits for it. Both, and
// the callers, meet in mu only; no I/O and no callback happens under it.
type Writer struct {
	dialer dialer
	opts   WriterOptions // with defaults
	ctx    context.Context
	cancel context.CancelFunc // ends run
	done   chan struct{}      // closed when run has ended
	kick   chan struct{}      // one element: look at mu again; wakes run

	mu struct {
		sync.Mutex
		space   sync.Cond // queue shrank, or closed or err was set
		queue   queue
		times   lineproto.TimePrinter // of Put
		calls   int64                 // of Put and PutLine
		waiting int                   // callers that wait for replies: nothing lingers
		active  time.Time             // when bytes last went either way, as far as a reply is due
		closed  bool                  // Close was called
		err     error                 // the Writer has given up
		refused int64                 // lines refused or lost since the last Flush, if OnError is nil
		first   *PutError             // the first of them
	}
}

// DialWriter connects to the server at addr, host:port. It makes one attempt, so that a
// wrong address shows at once. ctx is for connecting alone.
func DialWriter(ctx context.Context, addr string, opts WriterOptions) (*Writer, error) {
	opts.Options = opts.withDefaults()
	setDefault(&opts.MaxBytes, 4<<20)
	setDefault(&opts.MaxLines, 100_000)
	setDefault(&opts.Linger, 2*time.Millisecond)
	w := &Writer{
		dialer: dialer{addr, opts.Options},
		opts:   opts,
		done:   make(chan struct{}),
		kick:   make(chan struct{}, 1),
	}
	w.mu.space.L = &w.mu
	conn, err := w.dialer.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	go w.run(conn)
	return w, nil
}

// Put takes one sample to be sent. It blocks only while the bounds are reached. An error
// means that the sample was not taken: ErrInvalid for this one alone, ErrClosed, or why the
// Writer has given up.
func (w *Writer) Put(key string, value float64, t time.Time) error {
	sec, err := putTime(t)
	if err == nil {
		err = checkKey(key, w.opts.MaxLine)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := w.reserveLocked(err)
	if err != nil {
		return fmt.Errorf("client: put: %w", err)
	}
	b.text = w.mu.times.AppendPut(b.text, key, value, sec)
	w.pushLocked(b)
	return nil
}

// PutLine takes a request line to be sent as it is: `put KEY VALUE TIMESTAMP`, without its
// line end or with it. Only its command is checked, so that it has one reply and no rows:
// the server judges the rest. It passes over blank lines. Blocking and errors are those of Put.
func (w *Writer) PutLine(text []byte) error {
	if n := len(text); n > 0 && text[n-1] == '\n' {
		text = text[:n-1]
	}
	err := checkLine(text, w.opts.MaxLine)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && blank(text) {
		w.mu.calls++
		return nil
	}
	b, err := w.reserveLocked(err)
	if err != nil {
		return fmt.Errorf("client: put: %w", err)
	}
	b.text = append(append(b.text, text...), '\n')
	w.pushLocked(b)
	return nil
}

// reserveLocked waits, unless the call is invalid, until there is space for its line, and
// counts the call. It returns the batch to append the line to; pushLocked must follow.
func (w *Writer) reserveLocked(invalid error) (*batch, error) {
	for invalid == nil && w.fullLocked() {
		w.waitLocked(func() bool { return w.halfFreeLocked() || w.mu.closed || w.mu.err != nil })
	}
	w.mu.calls++
	switch {
	case invalid != nil:
		return nil, invalid
	case w.mu.err != nil:
		return nil, w.mu.err
	case w.mu.closed:
		return nil, ErrClosed
	}
	return w.mu.queue.tail(), nil
}

// fullLocked says whether a Put has to wait: the bounds are reached, and there is hope.
func (w *Writer) fullLocked() bool {
	q := &w.mu.queue
	return (q.bytes >= w.opts.MaxBytes || q.lines >= w.opts.MaxLines) && !w.mu.closed && w.mu.err == nil
}

// halfFreeLocked says whether half of the bounds is free: sooner, Puts that wait would wake for a line at a time.
func (w *Writer) halfFreeLocked() bool {
	q := &w.mu.queue
	return q.bytes <= w.opts.MaxBytes/2 && q.lines <= w.opts.MaxLines/2
}

// pushLocked takes the line appended to b and wakes run where something begins for it.
func (w *Writer) pushLocked(b *batch) {
	q := &w.mu.queue
	q.push(b, w.mu.calls)
	if q.lines-q.sent == 1 || b.full() {
		w.wake()
	}
}

// wake makes run look at mu.
func (w *Writer) wake() {
	select {
	case w.kick <- struct{}{}:
	default: // it will look anyway
	}
}

// waitLocked waits until enough says true. Meanwhile nothing lingers.
func (w *Writer) waitLocked(enough func() bool) {
	w.mu.waiting++
	w.wake()
	for !enough() {
		w.mu.space.Wait()
	}
	w.mu.waiting--
}

// Flush sends what waits and returns when every line taken before is answered, whether
// stored or refused; with an error when ctx was done before or the Writer has given up.
func (w *Writer) Flush(ctx context.Context) error {
	if err := w.flush(ctx); err != nil {
		return fmt.Errorf("client: flush: %w", err)
	}
	return nil
}

func (w *Writer) flush(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.mu.space.Broadcast()
	})()
	w.mu.Lock()
	defer w.mu.Unlock()
	q := &w.mu.queue
	last := q.pushed
	answered := func() bool { return q.pushed-int64(q.lines) >= last }
	w.waitLocked(func() bool { return answered() || ctx.Err() != nil })
	switch {
	case w.mu.err != nil:
		return errors.Join(w.mu.err, w.refusedLocked())
	case !answered():
		return errors.Join(ctx.Err(), w.refusedLocked())
	}
	return w.refusedLocked()
}

// refusedLocked returns an error about the lines that there was no OnError to call for, once.
func (w *Writer) refusedLocked() error {
	if w.mu.refused == 0 {
		return nil
	}
	err := fmt.Errorf("%d lines not stored, the first: %w", w.mu.refused, w.mu.first)
	w.mu.refused, w.mu.first = 0, nil
	return err
}

// Close flushes until ctx is done and ends the Writer: no goroutine is left. Lines that
// were not answered by then are reported like lost ones.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	closed := w.mu.closed
	w.mu.closed = true
	w.mu.space.Broadcast() // for blocked Puts
	w.mu.Unlock()
	if closed {
		return fmt.Errorf("client: close: %w", ErrClosed)
	}
	err := w.flush(ctx)
	w.cancel()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	if err = errors.Join(err, w.refusedLocked()); err != nil {
		return fmt.Errorf("client: close: %w", err)
	}
	return nil
}
