package influx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"metricd/internal/ingest/body"
)

const (
	// bufferSize is how much is read at once.
	bufferSize = 64 << 10
	// maxEntry is the size of the longest entry, in bytes. InfluxDB's strings hold 64 KiB.
	maxEntry = 1 << 20
	// maxReread is how many bytes of a body may be read a second time. Lines can be made each of which, read by itself, is an entry up to
	// the end of the body; then what is beyond this is dropped.
	maxReread = 16 << 20
	// shortEntry is the size, in bytes, up to which entries are decoded at once; the rest in turn (Handler.long), as fields in memory are up to
	// ten times as large as in an entry.
	shortEntry = 16 << 10
	// maxShared is how many bytes all requests together may hold of their bodies beside bufferSize each: long entries, that is.
	maxShared = 64 << 20
)

// entries cuts a body into entries of the line protocol. An entry is a line, or several, where a string holds line ends. It is for one goroutine; the
// zero value with r, and left, is ready.
type entries struct {
	r      io.Reader
	left   int64         // bytes that may still be read
	shared *atomic.Int64 // bytes of maxShared that are taken by all; nil: this one takes none

	taken      int64  // by this one; release gives it back
	buf        []byte // owned; buf[start:end] was read and is not returned yet
	start, end int
	eof        bool
	scan       scan  // of buf[start:end]
	line       int64 // of start, from 0
	read       int64 // bytes
	reread     int64 // bytes
	last       struct {
		start int // of the entry that was returned last
		line  int64
	}
}

var (
	errCrowded = &body.Error{Status: http.StatusServiceUnavailable, Text: "too many long lines at once"}
	errLarge   = errors.New("the body is too large")
	errLong    = fmt.Errorf("it is longer than %d bytes", maxEntry)
)

// next returns the next entry without its line end, and the number of its first line, from 1. The entry is valid until the call after. errLong is about one entry:
// go on. Other errors end the body, io.EOF in order.
func (e *entries) next() (entry []byte, line int64, err error) {
	for {
		b := e.buf[e.start:e.end]
		n := e.scan.entry(b)
		if n < 0 && e.eof {
			n = len(b)
			if i := bytes.IndexByte(b, '\n'); e.scan.quoted && i >= 0 && e.mayReread(n-i) { // a string without an end: the lines behind it are lines
				n = i
			}
		}
		switch {
		case n == 0 && e.eof && len(b) == 0:
			return nil, 0, io.EOF
		case n >= 0:
			line = e.line + 1
			e.take(n)
			return b[:n:n], line, nil
		case len(b) >= maxEntry:
			line = e.line + 1
			if err := e.skip(); err != nil {
				return nil, line, err
			}
			return nil, line, errLong
		}
		if err := e.more(); err != nil {
			return nil, 0, err
		}
	}
}

// take moves behind an entry of n bytes and its line end.
func (e *entries) take(n int) {
	e.last.start, e.last.line = e.start, e.line
	e.line += int64(bytes.Count(e.buf[e.start:e.start+n], newline))
	if e.start += n; e.start < e.end {
		e.start++
		e.line++
	}
	e.scan = scan{}
}

var newline = []byte("\n")

// again goes back behind the first line of the entry that next has just returned, which has several, unless too much was read again.
func (e *entries) again(entry []byte) {
	first := bytes.IndexByte(entry, '\n') + 1
	if !e.mayReread(len(entry) - first) {
		return
	}
	e.start, e.line = e.last.start+first, e.last.line+1
	e.scan = scan{}
}

// mayReread says whether n bytes may be read again, and counts them.
func (e *entries) mayReread(n int) bool {
	e.reread += int64(n)
	return e.reread <= maxReread
}

// skip moves behind an entry that is too long.
func (e *entries) skip() error {
	for {
		e.line += int64(bytes.Count(e.buf[e.start:e.end], newline))
		e.start, e.scan.at = e.end, 0
		if err := e.more(); err != nil {
			return err
		}
		b := e.buf[e.start:e.end]
		if n := e.scan.entry(b); n >= 0 || e.eof && len(b) == 0 {
			e.take(max(n, 0))
			return nil
		}
	}
}

// more reads more.
func (e *entries) more() error {
	if e.start > 0 {
		e.end = copy(e.buf, e.buf[e.start:e.end])
		e.start = 0
	}
	if e.end == len(e.buf) {
		if err := e.grow(); err != nil {
			return err
		}
	}
	n, err := e.r.Read(e.buf[e.end:])
	e.end += n
	e.read += int64(n)
	if e.left -= int64(n); e.left < 0 {
		return errLarge
	}
	if err == io.EOF {
		e.eof = true
		return nil
	}
	return err
}

// grow makes room in buf, twice as much.
func (e *entries) grow() error {
	size := max(bufferSize, 2*len(e.buf))
	if more := int64(size-bufferSize) - e.taken; more > 0 && e.shared != nil {
		if e.shared.Add(more) > maxShared {
			e.shared.Add(-more)
			return errCrowded
		}
		e.taken += more
	}
	larger := make([]byte, size)
	copy(larger, e.buf[:e.end])
	e.buf = larger
	return nil
}

// release makes e ready for another body. It keeps no more than bufferSize, and gives back what is shared.
func (e *entries) release() {
	buf := e.buf
	if len(buf) > bufferSize {
		buf = nil
	}
	if e.shared != nil {
		e.shared.Add(-e.taken)
	}
	*e = entries{buf: buf}
}

// scan finds the end of an entry: the first line end that is not in a string. It knows just enough of the syntax to be right about every
// correct entry:
//
//	measurement,tag=value field=1,text="two\n lines, a \" and a \\" 1556813561098000000
//	                     ^ the first space without a backslash before it: strings may follow
//	                                   ^ a quote behind a = opens one
//
// A scan is of bytes that become more: at is where it goes on.
type scan struct {
	at      int
	fields  bool // the space has come
	quoted  bool // in a string
	equals  bool // the byte before is a = that was not escaped
	escape  bool // the byte before is a backslash; in strings, one that escapes
	comment bool // the line is a comment
	begun   bool // something other than spaces has come
}

// entry returns the length of the entry at the start of b, or -1 if b does not hold its end.
func (s *scan) entry(b []byte) int {
	if s.at == 0 && !s.begun {
		if n := bytes.IndexByte(b, '\n'); n >= 0 && bytes.IndexByte(b[:n], '"') < 0 {
			return n
		}
	}
	for ; s.at < len(b); s.at++ {
		c := b[s.at]
		if s.quoted {
			s.quoted = c != '"' || s.escape
			s.escape = c == '\\' && !s.escape
			continue
		}
		switch {
		case c == '\n':
			return s.at
		case c == '"':
			s.quoted = s.fields && s.equals && !s.comment
		case c == ' ' && s.begun && !s.escape:
			s.fields = true
		}
		s.comment = s.comment || c == '#' && !s.begun
		s.begun = s.begun || c != ' '
		s.equals = c == '=' && !s.escape
		s.escape = c == '\\'
	}
	return -1
}
