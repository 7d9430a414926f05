package lineserver

import (
	"bytes"

	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// outbox holds replies that were made and not yet written, in order: `ok` to a put as a
// count, so that ten million of them take no memory, everything else as bytes. An ok is held until
// the store says that its put is durable, and with it all that comes behind. The zero value is
// empty. Not for concurrent use.
//
//	runs    3 oks, 17 bytes   5 oks
//	ready   2                         the first two oks may be written, the rest waits
//	marks   1 ok: 7   5 oks: 8        for sequence 7, and 8
type outbox struct {
	runs  []run  // first to last; none is empty
	data  []byte // the bytes of all runs
	sent  int    // bytes of the first run's oks that were written, less than one ok
	ready int    // oks, from the first on, that may be written
	marks []mark // of the others, by ascending sequence
	word  *word  // what is written for an ok; nil: okWord
}

// run is a number of oks followed by a number of bytes of outbox.data.
type run struct{ oks, bytes int }

// mark says that a number of oks, next to each other but for data, are for puts up to seq.
type mark struct {
	oks int
	seq storage.Seq
}

const (
	okLen = len(lineproto.OK)
	// writeSize is how much is written at once where there is so much.
	writeSize = 64 << 10
	runSize   = 16 // bytes of memory a run takes
	markSize  = 16 // the same of a mark
)

// word is the reply to a put: ok, or what has become of it.
type word struct {
	size  int    // bytes of one
	block []byte // as many as fit in a write, one at least
}

func newWord(text string) *word {
	return &word{len(text), bytes.Repeat([]byte(text), max(1, writeSize/len(text)))}
}

var okWord = newWord(lineproto.OK)

// addOKs adds n replies to puts that were stored, durably when seq is.
func (o *outbox) addOKs(n int, seq storage.Seq) {
	if n == 0 {
		return
	}
	o.count(n)
	if last := len(o.marks) - 1; last >= 0 && o.marks[last].seq == seq {
		o.marks[last].oks += n
		return
	}
	o.marks = append(o.marks, mark{n, seq})
}

// count adds n oks to runs.
func (o *outbox) count(n int) {
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
	if len(o.runs) > 0 && from.sent+from.ready > 0 {
		panic("BUG: a reply that may be written, or is by a part, put behind another")
	}
	o.data = append(o.data, from.data...)
	for _, r := range from.runs {
		o.count(r.oks)
		o.addData(r.bytes)
		if o.word != nil { // what comes after the first that failed fails, too
			o.ready += r.oks
		}
	}
	if o.word == nil {
		o.sent += from.sent
		o.ready += from.ready
		o.marks = append(o.marks, from.marks...)
	}
	from.reset()
}

func (o *outbox) reset() {
	*o = outbox{runs: o.runs[:0], data: o.data[:0], marks: o.marks[:0]}
}

// shrink makes o empty and keeps no more memory than an idle connection may have.
func (o *outbox) shrink() {
	const most = 8
	if cap(o.data) > keepPartial || cap(o.runs) > most || cap(o.marks) > most {
		*o = outbox{}
	}
	o.reset()
}

func (o *outbox) empty() bool { return len(o.runs) == 0 }

// size returns the memory that the replies take, in bytes.
func (o *outbox) size() int { return len(o.data) + len(o.runs)*runSize + len(o.marks)*markSize }

// bytes returns how many bytes there are to write.
func (o *outbox) bytes() int {
	n := len(o.data) - o.sent
	for _, r := range o.runs {
		n += r.oks * okLen
	}
	return n
}

// held returns how many oks may not be written yet.
func (o *outbox) held() (oks int) {
	for _, m := range o.marks {
		oks += m.oks
	}
	return oks
}

// release says that all up to seq is durable.
func (o *outbox) release(seq storage.Seq) {
	n := 0
	for n < len(o.marks) && o.marks[n].seq <= seq {
		o.ready += o.marks[n].oks
		n++
	}
	o.marks = append(o.marks[:0], o.marks[n:]...)
}

// spoil says that none of the held puts will ever be durable, nor any put after them: reply is to
// be written in the place of their oks. All oks that are ready must have been written.
func (o *outbox) spoil(reply string) {
	if o.ready > 0 {
		panic("BUG: an ok to a durable put spoiled")
	}
	o.word = newWord(reply)
	o.ready = o.held()
	o.marks = o.marks[:0]
}

// text returns what is written for an ok.
func (o *outbox) text() *word {
	if o.word != nil {
		return o.word
	}
	return okWord
}

// next returns the bytes to write next: all there are that may be written, up to writeSize unless a
// single run of data or a single reply is longer. They are valid until the next call of consume; more may be added
// meanwhile. buf is memory for putting runs together; it may be returned larger. If p is empty, and o is not,
// everything waits for the first mark.
func (o *outbox) next(buf []byte) (p, newBuf []byte) {
	word := o.text()
	first, ready := o.runs[0], o.ready
	oks := min(first.oks, ready)
	switch {
	case first.oks == 0 && len(o.runs) == 1:
		return o.data[:first.bytes], buf
	case oks*word.size >= len(word.block):
		return word.block[o.sent:], buf
	case oks < first.oks || first.bytes == 0:
		return word.block[o.sent : oks*word.size], buf
	}
	buf = buf[:0]
	data := o.data
	for _, r := range o.runs {
		if len(buf)+r.oks*word.size+r.bytes > writeSize && len(buf) > 0 {
			break
		}
		if r.oks > ready || r.oks*word.size > len(word.block) {
			break
		}
		ready -= r.oks
		buf = append(buf, word.block[:r.oks*word.size]...)
		buf = append(buf, data[:r.bytes]...)
		data = data[r.bytes:]
	}
	return buf[o.sent:], buf
}

// consume takes away the first n bytes: they were written.
func (o *outbox) consume(n int) {
	size := o.text().size
	n += o.sent
	o.sent = 0
	done, data := 0, 0
	for n > 0 {
		r := &o.runs[done]
		oks := min(r.oks, n/size)
		r.oks -= oks
		o.ready -= oks
		n -= oks * size
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
