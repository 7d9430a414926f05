package client

import (
	"context"
	"errors"
	"os"
	"time"
)

// drainTime is how long replies are still read after writing failed: a server that shuts down
// answers what it received.
const drainTime = time.Second

// run serves one connection after the other until the Writer is closed or gives up.
func (w *Writer) run(conn *conn) {
	defer close(w.done)
	retry := retry{opts: &w.dialer.opts}
	var err error
	for {
		if conn != nil {
			var answered bool
			if answered, err = w.serve(conn); answered {
				retry.progress()
			}
		}
		if w.ctx.Err() != nil || errors.Is(err, ErrProtocol) {
			break
		}
		if !w.awaitLines() { // there were some: that is what the lost connection was needed for
			if err = retry.wait(w.ctx, err); err != nil {
				break
			}
		}
		conn, err = w.dialer.connect(w.ctx)
	}
	w.giveUp(err)
}

// awaitLines returns when there are lines or the Writer is closed, and says whether it had to wait.
func (w *Writer) awaitLines() (waited bool) {
	for {
		w.mu.Lock()
		n := w.mu.queue.lines
		w.mu.Unlock()
		if n > 0 || w.ctx.Err() != nil {
			return waited
		}
		waited = true
		select {
		case <-w.kick:
		case <-w.ctx.Done():
		}
	}
}

// serve sends lines and reads replies until the connection is lost or the Writer is closed, and leaves no
// line sent and unanswered. It says whether any reply came.
func (w *Writer) serve(conn *conn) (answered bool, err error) {
	defer conn.close()
	defer context.AfterFunc(w.ctx, conn.close)()
	before := w.answeredLines()
	ended := make(chan struct{})
	var readErr error
	go func() {
		defer close(ended)
		readErr = w.readReplies(conn)
		conn.close() // ends a write that waits
	}()
	err = w.sendLines(conn, ended)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		conn.close()
	}
	defer time.AfterFunc(drainTime, conn.close).Stop()
	<-ended
	var said *ServerError
	if err == nil || errors.As(readErr, &said) || errors.Is(readErr, ErrProtocol) {
		err = readErr
	}
	answered = w.answeredLines() > before
	w.settle(err)
	return answered, err
}

// answeredLines returns how many lines were answered so far.
func (w *Writer) answeredLines() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.queue.pushed - int64(w.mu.queue.lines)
}

// sendLines writes lines until writing fails or ended is closed.
func (w *Writer) sendLines(conn *conn, ended <-chan struct{}) error {
	timer := time.NewTimer(w.opts.Linger)
	defer timer.Stop()
	var linger <-chan time.Time
	due := false
	for {
		b, text, some := w.toSend(due)
		due = false
		if b != nil {
			linger = nil
			err := conn.write(text)
			w.wrote(b)
			if err != nil {
				return err
			}
			continue
		}
		if some && linger == nil {
			timer.Reset(w.opts.Linger)
			linger = timer.C
		}
		select {
		case <-w.kick:
		case <-linger:
			due, linger = true, nil
		case <-ended:
			return nil
		}
	}
}

// toSend returns the next text to write, if a batch is full, or its lines are due, or someone
// waits; wrote must follow. Otherwise it says whether there are some lines to send later.
func (w *Writer) toSend(due bool) (b *batch, text []byte, some bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := &w.mu.queue
	some, full := q.unsent()
	if !some || !full && !due && w.mu.waiting == 0 {
		return nil, nil, some
	}
	if q.sent == 0 {
		w.mu.active = time.Now()
	}
	b, text = q.send()
	return b, text, true
}

// wrote ends the use of what toSend returned.
func (w *Writer) wrote(b *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.queue.wrote(b)
	w.mu.active = time.Now()
}

// giveUp ends the Writer for others: no line is taken any more, and those there are get dropped.
func (w *Writer) giveUp(cause error) {
	w.mu.Lock()
	q := &w.mu.queue
	if w.ctx.Err() != nil {
		cause = ErrClosed
	}
	if !w.mu.closed || q.lines > 0 {
		w.mu.err = cause
	}
	for q.lines > q.sent {
		b, _ := q.send()
		q.wrote(b)
	}
	w.mu.space.Broadcast()
	w.mu.Unlock()
	w.dropSent(cause)
}
