package lineserver

import (
	"context"

	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// Waiting for the store. The session appends and reads on; the oks are held (outbox) until the
// store says that their puts are durable. Most often that is asked without waiting (ripen), before each write. Where
// there is nothing else left to write, the writer waits (sync), beside the session, and one sync covers what was
// appended meanwhile.
//
// When there is nothing more to read and few oks are held (maxInline), a goroutine would be dear: the
// session gives back its memory, waits itself (deliver), and reads on after it. What arrives meanwhile is read at once
// then, so that a client that sends much is soon above maxInline.

// maxInline is the number of held oks from which on the writer waits for them.
const maxInline = maxBatch

// over is a context that is done: with it, Wait tells without waiting.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// ripen releases what is durable by now.
func (s *session) ripen(o *outbox) {
	durable := storage.Seq(0)
	for _, m := range o.marks {
		if s.app.Wait(over, m.seq) != nil {
			break
		}
		durable = m.seq
	}
	o.release(durable)
}

// sync waits until the first reply that mu.pending holds may leave. An error ends the session.
func (s *session) sync() error {
	s.mu.Lock()
	if len(s.mu.pending.marks) == 0 { // a write of the session released them meanwhile
		s.mu.Unlock()
		return nil
	}
	seq := s.mu.pending.marks[0].seq
	s.mu.syncing = true
	s.mu.Unlock()
	err := s.app.Wait(s.ctx, seq)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.syncing = false
	s.tellProgress()
	out := &s.mu.pending
	switch {
	case err == nil:
		out.release(seq)
		s.ripen(out)
	case s.ctx.Err() != nil:
		return err
	case out.ready == 0: // else first what became durable meanwhile
		out.spoil(string(lineproto.AppendError(nil, err.Error())))
	}
	return nil
}

// deliver waits for what send left to it, and writes that.
func (s *session) deliver() {
	s.deferred = false
	var buf []byte
	for s.deliverReady(&buf) {
		if err := s.sync(); err != nil {
			s.fail(err)
			return
		}
	}
}

// deliverReady writes what may leave, and says whether the rest is to be waited for.
func (s *session) deliverReady(buf *[]byte) (wait bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.writing || s.mu.err != nil {
		return false
	}
	if s.pushLocked(&s.mu.pending, buf) {
		s.startWriterLocked()
		return false
	}
	if s.mu.err != nil {
		s.fail(s.mu.err)
		return false
	}
	if s.mu.pending.empty() {
		s.mu.pending.shrink()
		return false
	}
	return true
}
