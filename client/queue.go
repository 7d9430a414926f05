package client

import "slices"

// batchSize is the number of bytes with which a batch is full. It is what one write sends.
const batchSize = 64 << 10

// batch is a run of request lines in one piece of memory.
type batch struct {
	text    []byte // the lines, each with its line end
	lines   []line
	writing bool // a connection reads text just now: don't reuse it
	gone    bool // left the queue while it was being written
}

// line is the place of one line in a batch, which begins where the one before ends.
type line struct {
	number int64 // which call it came from, from 1
	end    int   // behind its line end
}

// start returns where line i begins.
func (b *batch) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.lines[i-1].end
}

func (b *batch) full() bool { return len(b.text) >= batchSize }

// queue holds the lines that were not answered yet, oldest first:
//
//	batches[0]                     batches[1]     batches[2]
//	|answered|  sent, unanswered            |  not sent     ← push
//	         acked                          next
//
// Only the last batch is not full, so the memory is bounded by the bytes of the lines
// plus one batch. What left is kept in free for the lines to come. The zero value is
// ready; guarded by the lock of its Writer.
type queue struct {
	batches []*batch
	free    []*batch
	acked   int                       // lines of batches[0] that were answered
	next    struct{ batch, line int } // the first line not sent; may be just behind the last of a batch
	bytes   int                       // of the lines that are not answered
	lines   int                       // that are not answered
	sent    int                       // of them, sent on the connection that is now
	pushed  int64                     // lines ever
}

// tail returns the batch to whose text the caller appends one line, and then calls push.
func (q *queue) tail() *batch {
	if n := len(q.batches); n > 0 && !q.batches[n-1].full() {
		return q.batches[n-1]
	}
	var b *batch
	if n := len(q.free); n > 0 {
		b, q.free = q.free[n-1], q.free[:n-1]
	} else {
		b = &batch{text: make([]byte, 0, batchSize+batchSize/8)}
	}
	q.batches = append(q.batches, b)
	return b
}

// push counts the line that was appended to b, the tail.
func (q *queue) push(b *batch, number int64) {
	q.bytes += len(b.text) - b.start(len(b.lines))
	b.lines = append(b.lines, line{number, len(b.text)})
	q.lines++
	q.pushed++
}

// unsent says whether there are lines to send, and whether they fill a batch.
func (q *queue) unsent() (some, full bool) {
	return q.lines > q.sent, q.lines > q.sent && q.upcoming().full()
}

// upcoming returns the batch of the first line that was not sent. There must be one.
func (q *queue) upcoming() *batch {
	if q.next.line == len(q.batches[q.next.batch].lines) {
		q.next.batch++
		q.next.line = 0
	}
	return q.batches[q.next.batch]
}

// send returns the next text to write and the batch it is in, and counts its lines as sent. Nothing changes
// the text until wrote is called. There must be a line that was not sent.
func (q *queue) send() (*batch, []byte) {
	b := q.upcoming()
	text := b.text[b.start(q.next.line):]
	q.sent += len(b.lines) - q.next.line
	q.next.line = len(b.lines)
	b.writing = true
	return b, text
}

// wrote ends the use of a text that send returned.
func (q *queue) wrote(b *batch) {
	b.writing = false
	if b.gone {
		q.recycle(b)
	}
}

// answer removes the n oldest lines, which must have been sent.
func (q *queue) answer(n int) {
	q.sent -= n
	q.lines -= n
	for n > 0 {
		b := q.batches[0]
		m := min(n, len(b.lines)-q.acked)
		q.bytes -= b.start(q.acked+m) - b.start(q.acked)
		q.acked += m
		n -= m
		if q.acked == len(b.lines) {
			q.pop()
		}
	}
}

// pop removes the first batch, whose lines are all answered.
func (q *queue) pop() {
	b := q.batches[0]
	q.batches = slices.Delete(q.batches, 0, 1)
	q.acked = 0
	if q.next.batch > 0 {
		q.next.batch--
	} else {
		q.next.line = 0
	}
	if b.writing {
		b.gone = true
	} else {
		q.recycle(b)
	}
}

// recycle keeps b for later, unless a long line made it grow.
func (q *queue) recycle(b *batch) {
	if cap(b.text) <= 2*batchSize {
		*b = batch{text: b.text[:0], lines: b.lines[:0]}
		q.free = append(q.free, b)
	}
}

// oldest returns the first line that was not answered, without its line end, and its
// number. There must be one; the slice holds until the line is answered.
func (q *queue) oldest() ([]byte, int64) {
	b := q.batches[0]
	return b.text[b.start(q.acked) : b.lines[q.acked].end-1], b.lines[q.acked].number
}

// rewind makes all lines unsent, for a new connection.
func (q *queue) rewind() {
	q.next.batch, q.next.line = 0, q.acked
	q.sent = 0
}
