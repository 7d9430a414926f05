package graphite

import (
	"bytes"
	"context"
	"errors"
	"runtime/debug"
	"time"

	"metricd/internal/lineorder"
	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// work is the memory that an intake needs while it is at work, and an idle one does not have.
type work struct {
	in      []byte // what was read; the keys of batch are in it
	batch   storage.Batch
	learned []lineorder.Learned
}

func newWork(maxLine int) *work {
	return &work{
		in:    make([]byte, max(readSize, maxLine+1)),
		batch: storage.Batch{Rows: make([]storage.Row, 0, maxBatch)},
	}
}

// intake turns the lines of one sender, or of all senders of datagrams, into samples of the store. It is for one goroutine.
type intake struct {
	srv    *Server
	ctx    context.Context // done when the server stops
	client string          // for the log
	lossy  bool            // what the store does not take for now is dropped

	app   storage.Appender
	seq   storage.Seq // of what was appended
	order lineorder.Order
	tail  lineproto.Parser // reads what follows an expected key

	skipping bool  // the rest of a line that was too long is being dropped
	spoken   bool  // the first line has come
	end      error // why nothing more is to be taken

	until time.Time // when to end even if there is more to read; zero until the stop was seen
}

func newIntake(ctx context.Context, srv *Server, client string) intake {
	return intake{srv: srv, ctx: ctx, client: client, app: srv.cfg.Store.Appender(), order: lineorder.New("", &srv.orders)}
}

var errBrowser = errors.New("the sender speaks HTTP or TLS")

// lines takes the whole lines at the start of in, which is in w.in, and returns how many bytes they were. If it sets end, the rest was
// not looked at.
func (s *intake) lines(w *work, in []byte) (used int) {
	rows := w.batch.Rows[:0]
	for used < len(in) && s.end == nil {
		line := in[used:]
		expected, ref := s.order.Next()
		if len(expected) < len(line) && string(line[:len(expected)]) == string(expected) && !s.skipping {
			value, time, n := s.tail.PutTail(line[len(expected):])
			if n += len(expected); n > len(expected) && n <= s.srv.cfg.MaxLine {
				if at := s.order.Step(); ref == 0 {
					w.learned = append(w.learned, lineorder.Learned{Row: len(rows), At: at})
				}
				rows = append(rows, storage.Row{Key: line[:len(expected)-1], T: time * 1000, V: value, Ref: ref})
				used += n
				if len(rows) == maxBatch {
					rows = s.store(w, rows)
				}
				continue
			}
		}
		n, row, ok := s.line(line)
		if n == 0 {
			break
		}
		used += n
		if !ok {
			continue
		}
		at, ref := s.order.Look(row.Key)
		if row.Ref = ref; ref == 0 && at >= 0 {
			w.learned = append(w.learned, lineorder.Learned{Row: len(rows), At: at})
		}
		if rows = append(rows, row); len(rows) == maxBatch {
			rows = s.store(w, rows)
		}
	}
	w.batch.Rows = s.store(w, rows)
	return used
}

// line reads any line, the first of buf, and returns how many bytes it took: 0 if there is no whole line yet. ok says
// that it is a sample.
func (s *intake) line(buf []byte) (n int, row storage.Row, ok bool) {
	end := bytes.IndexByte(buf, '\n')
	switch {
	case s.skipping && end < 0:
		return len(buf), row, false
	case s.skipping:
		s.skipping = false
		return end + 1, row, false
	case end < 0 && len(buf) <= s.srv.cfg.MaxLine:
		return 0, row, false
	case end < 0:
		s.skipping = true
		s.wrongLine(buf, "the line is too long")
		return len(buf), row, false
	case end > s.srv.cfg.MaxLine:
		s.wrongLine(buf[:end], "the line is too long")
		return end + 1, row, false
	}
	row, is, why := parse(buf[:end], s.srv.cfg.MaxKey, s.srv.cfg.Now)
	switch is {
	case sample:
		s.spoken = true
		ok = true
	case skipped:
		s.spoken = true
		s.srv.nan.Add(1)
	case wrong:
		s.wrongLine(buf[:end], why)
	}
	return end + 1, row, ok
}

// wrongLine counts a line that is no sample.
func (s *intake) wrongLine(line []byte, why string) {
	first := !s.spoken
	s.spoken = true
	if first && !s.lossy && lineproto.FromBrowser(line) {
		s.end = errBrowser
		s.srv.browsers.Add(1)
		s.srv.badLines.tell(s.srv.log, "a Graphite connection was closed: it began with HTTP or TLS", "client", s.client)
		return
	}
	s.srv.wrong.Add(1)
	s.srv.badLines.tell(s.srv.log, "a Graphite line is no sample", "client", s.client, "why", why, "line", excerpt(line))
}

// cut is told what is left behind the last line when the input ends.
func (s *intake) cut(rest []byte) {
	if len(bytes.TrimSpace(rest)) > 0 && !s.skipping {
		s.srv.wrong.Add(1)
		s.srv.badLines.tell(s.srv.log, "a Graphite connection ended in the middle of a line", "client", s.client, "line", excerpt(rest))
	}
}

// survive, deferred, keeps a panic from ending more than what was being done.
func (s *intake) survive() {
	if p := recover(); p != nil {
		s.srv.panics.Add(1)
		s.srv.log.Error("BUG: panic while Graphite lines were taken; those of one read are lost", "client", s.client, "panic", p, "stack", string(debug.Stack()))
		s.order.Forget()
		s.tail, s.skipping = lineproto.Parser{}, false
	}
}

// late says whether the server was stopped so long ago that nothing more is read.
func (s *intake) late() bool {
	if s.ctx.Err() == nil {
		return false
	}
	now := time.Now()
	if s.until.IsZero() {
		s.until = now.Add(stopReading)
	}
	return now.After(s.until)
}

// excerpt returns the beginning of a line, for the log.
func excerpt(line []byte) string {
	const most = 200
	return string(line[:min(len(line), most)])
}
