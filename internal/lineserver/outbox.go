package lineserver

import "metricd/internal/lineproto"

// outbox holds replies that were made and not yet written, in order: `ok` to a put as a
// count, so that ten million of them take no memory, everything else as bytes. The zero
// value is empty. Not for concurrent use.
type outbox struct {
	runs []run  // first to last; none is empty
	data []byte // the bytes of all runs
	sent int    // bytes of the first run's oks that were written, less than one ok
}

// run is a number of oks followed by a number of bytes of outbox.data.
type run struct{ oks, bytes int }

const (
	okLen = len(lineproto.OK)
	// writeSize is how much is written at once where there is so much.
	writeSize = 64 << 10
	runSize   = 16 // bytes of memory a run takes
)

// okBlock is a piece of output that is all oks.
var okBlock = func() []byte {
	b := make([]byte, writeSize)
	for i := 0; i < len(b); i += okLen {
		copy(b[i:], lineproto.OK)
	}
	return b
}()

// addOKs adds n replies to puts that were stored.
func (o *outbox) addOKs(n int) {
	if n == 0 {
		return
	}
	if last := len(o.runs) - 1; last >= 0 && o.runs[last].bytes == 0 {
		o.runs[last].oks += n
		return
	}
	o.runs = append(o.runs, run{oks: n})
}

// addData counts the last n bytes of data, which the caller appended to it.
func (o *outbox) addData(n int) {
	if n == 0 {
		return
	}
	if last := len(o.runs) - 1; last >= 0 {
		o.runs[last].bytes += n
		return
	}
	o.runs = append(o.runs, run{bytes: n})
}

// addString adds a reply, or a part of one.
func (o *outbox) addString(s string) {
	o.data = append(o.data, s...)
	o.addData(len(s))
}

// cut takes the last n bytes, which must be data added last, away again.
func (o *outbox) cut(n int) {
	if n == 0 {
		return
	}
	o.data = o.data[:len(o.data)-n]
	last := &o.runs[len(o.runs)-1]
	if last.bytes -= n; last.bytes == 0 && last.oks == 0 {
		o.runs = o.runs[:len(o.runs)-1]
	}
}

// move adds everything in from and leaves it empty.
func (o *outbox) move(from *outbox) {
	const step = 4 * writeSize
	if need := len(o.data) + len(from.data); need > cap(o.data) && need > step {
		// Doubling would make twice of what a client may leave unread.
		o.data = append(make([]byte, 0, (need+step-1)/step*step), o.data...)
	}
	o.data = append(o.data, from.data...)
	for i, r := range from.runs {
		if i == 0 && from.sent > 0 {
			if len(o.runs) > 0 {
				panic("BUG: a reply that is partly written put behind another")
			}
			o.sent = from.sent
		}
		o.addOKs(r.oks)
		o.addData(r.bytes)
	}
	from.reset()
}

func (o *outbox) reset() { o.runs, o.data, o.sent = o.runs[:0], o.data[:0], 0 }

func (o *outbox) empty() bool { return len(o.runs) == 0 }

// size returns the memory that the replies take, in bytes.
func (o *outbox) size() int { return len(o.data) + len(o.runs)*runSize }

// bytes returns how many bytes there are to write.
func (o *outbox) bytes() int {
	n := len(o.data) - o.sent
	for _, r := range o.runs {
		n += r.oks * okLen
	}
	return n
}

// next returns the bytes to write next: all there are, up to writeSize unless a single run
// of data is longer. They are valid until the next call of consume; more may be added
// meanwhile. buf is memory for putting runs together; it may be returned larger.
func (o *outbox) next(buf []byte) (p, newBuf []byte) {
	first := o.runs[0]
	switch {
	case first.oks == 0 && len(o.runs) == 1:
		return o.data[:first.bytes], buf
	case first.oks >= len(okBlock)/okLen:
		return okBlock[o.sent:], buf
	case first.bytes == 0:
		return okBlock[o.sent : first.oks*okLen], buf
	}
	buf = buf[:0]
	data := o.data
	for _, r := range o.runs {
		if len(buf)+r.oks*okLen+r.bytes > writeSize && len(buf) > 0 {
			break
		}
		if r.oks*okLen > writeSize {
			break
		}
		buf = append(buf, okBlock[:r.oks*okLen]...)
		buf = append(buf, data[:r.bytes]...)
		data = data[r.bytes:]
	}
	return buf[o.sent:], buf
}

// consume takes away the first n bytes: they were written.
func (o *outbox) consume(n int) {
	n += o.sent
	o.sent = 0
	done, data := 0, 0
	for n > 0 {
		r := &o.runs[done]
		oks := min(r.oks, n/okLen)
		r.oks -= oks
		n -= oks * okLen
		if r.oks > 0 { // n is less than one ok
			o.sent = n
			break
		}
		b := min(r.bytes, n)
		r.bytes -= b
		data += b
		n -= b
		if r.bytes > 0 {
			break
		}
		done++
	}
	o.data = shift(o.data, data)
	o.runs = shift(o.runs, done)
}

// shift returns s without its first n elements, and with all its memory if none are left.
func shift[T any](s []T, n int) []T {
	if n == len(s) {
		return s[:0]
	}
	return s[n:]
}
