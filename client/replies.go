package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"metricd/internal/lineproto"
)

// okReply is lineproto.OK as a little-endian word.
const okReply = 'o' | 'k'<<8 | '\n'<<16 | '\n'<<24

// okRun returns how many replies lineproto.OK buf begins with.
func okRun(buf []byte) int {
	n := 0
	for ; len(buf) >= 4 && binary.LittleEndian.Uint32(buf) == okReply; n++ {
		buf = buf[4:]
	}
	return n
}

// readReplies reads replies and settles the lines that they answer until the connection
// ends or misbehaves.
func (w *Writer) readReplies(conn *conn) error {
	var part lineproto.Part
	cut := false // an ok was read whose empty line is still to come
	for {
		if n := okRun(conn.unread()); n > 0 && !cut {
			conn.take(n * len(lineproto.OK))
			if err := w.answered(n); err != nil {
				return err
			}
		}
		n, err := conn.parser.Next(conn.unread(), &part)
		if err != nil {
			return err
		}
		conn.take(n)
		switch part.Kind {
		case lineproto.ReplyIncomplete:
			err = w.fill(conn)
		case lineproto.ReplyOK:
			cut = true
		case lineproto.ReplyRow:
			err = fmt.Errorf("%w: a row in the reply to a put", ErrProtocol)
		case lineproto.ReplyEnd:
			cut = false
			err = w.answered(1)
		case lineproto.ReplyError:
			err = w.refused(&ServerError{Text: string(part.Reason)})
		}
		if err != nil {
			return err
		}
	}
}

// fill reads more replies. It waits for as long as no reply is due.
func (w *Writer) fill(conn *conn) error {
	for {
		deadline, _ := w.replyDeadline()
		err := conn.fill(deadline)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if deadline, due := w.replyDeadline(); due && !time.Now().Before(deadline) {
			return fmt.Errorf("no reply for %v: %w", w.opts.Timeout, err)
		}
	}
}

// replyDeadline returns until when to wait for bytes, and whether a reply is due.
func (w *Writer) replyDeadline() (deadline time.Time, due bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.queue.sent == 0 {
		return time.Now().Add(w.opts.Timeout), false
	}
	return w.mu.active.Add(w.opts.Timeout), true
}

// answered takes the n oldest lines, which must have been sent, for answered.
func (w *Writer) answered(n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n > w.mu.queue.sent {
		return fmt.Errorf("%w: more replies than requests", ErrProtocol)
	}
	w.mu.queue.answer(n)
	w.mu.active = time.Now()
	w.mu.space.Broadcast()
	return nil
}

// refused takes the reply said for that to the oldest line; it may be about the connection
// instead.
func (w *Writer) refused(said *ServerError) error {
	if !refusal(said) {
		return said
	}
	w.mu.Lock()
	sent := w.mu.queue.sent
	w.mu.Unlock()
	if sent == 0 {
		return fmt.Errorf("%w: more replies than requests: %w", ErrProtocol, said)
	}
	w.drop(said)
	return nil
}

// drop reports the oldest line, which must have been sent, with the reason, and takes it
// for answered.
func (w *Writer) drop(reason error) {
	w.mu.Lock()
	text, number := w.mu.queue.oldest()
	e := &PutError{Line: string(text), Number: number, Err: reason}
	if w.opts.OnError == nil {
		if w.mu.refused == 0 {
			w.mu.first = e
		}
		w.mu.refused++
	}
	w.mu.Unlock()
	if w.opts.OnError != nil {
		w.opts.OnError(e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.queue.answer(1)
	w.mu.active = time.Now()
	w.mu.space.Broadcast()
}

// settle decides about the lines that were sent on the connection that was lost with cause: they are
// sent again, or dropped where that is not wanted and the server may have carried them out.
func (w *Writer) settle(cause error) {
	if w.opts.NoResend && !errors.Is(cause, ErrTooManyConnections) {
		w.dropSent(cause)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.queue.rewind()
}

// dropSent drops all lines that were sent.
func (w *Writer) dropSent(cause error) {
	w.mu.Lock()
	n := w.mu.queue.sent
	w.mu.Unlock()
	for range n {
		w.drop(fmt.Errorf("%w: %w", ErrNotAcknowledged, cause))
	}
}
