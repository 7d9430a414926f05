package lineproto

import (
	"bytes"
	"errors"
	"fmt"

	"metricd/internal/decimal"
)

// ReplyKind is what a part of a reply is.
type ReplyKind uint8

// The parts of a reply, in the order in which they come: ReplyOK, rows, ReplyEnd; or
// ReplyError alone, which includes its empty line.
const (
	ReplyIncomplete ReplyKind = iota // there is no whole part yet: read more
	ReplyOK                          // the status line ok
	ReplyRow                         // Key, Value and Time are set
	ReplyEnd                         // the empty line
	ReplyError                       // Reason is set
)

// Part is one part of a reply.
type Part struct {
	Kind   ReplyKind
	Key    []byte  // refers to the parsed buffer
	Value  float64 // any NaN reads as the one NaN
	Time   int64   // Unix seconds
	Reason []byte  // why the server refused; refers to the parsed buffer
}

// ErrReply is wrapped by every error about bytes that are not a reply.
var ErrReply = errors.New("not a reply of the line protocol")

// ReplyParser parses the replies that come over one connection. The zero value is ready;
// not for concurrent use.
type ReplyParser struct {
	inRows bool // the status line ok has been read
}

// Next parses the part of a reply at the start of buf and returns how many bytes it
// took: 0 with part.Kind ReplyIncomplete if buf ends too early. An error means that the
// peer does not speak the protocol; the connection is of no use any more.
func (p *ReplyParser) Next(buf []byte, part *Part) (n int, err error) {
	part.Kind = ReplyIncomplete
	end := bytes.IndexByte(buf, '\n')
	if end < 0 {
		return 0, nil
	}
	line := buf[:end]
	switch {
	case p.inRows && end == 0:
		part.Kind = ReplyEnd
		p.inRows = false
	case p.inRows:
		if err := parseRow(line, part); err != nil {
			return 0, err
		}
	case string(line) == "ok":
		part.Kind = ReplyOK
		p.inRows = true
	case string(line) == "error":
		return errorReply(buf, part)
	default:
		return 0, fmt.Errorf("%w: status line %.80q, want ok or error", ErrReply, line)
	}
	return end + 1, nil
}

// errorReply parses buf, which begins with `error\n`: one line with the reason and an
// empty line follow.
func errorReply(buf []byte, part *Part) (n int, err error) {
	const head = len("error\n")
	end := bytes.IndexByte(buf[head:], '\n')
	if end < 0 || head+end+1 == len(buf) {
		return 0, nil
	}
	n = head + end + 2
	if buf[n-1] != '\n' {
		return 0, fmt.Errorf("%w: an error reply with more than one line: %.80q", ErrReply, buf)
	}
	part.Kind, part.Reason = ReplyError, buf[head:head+end]
	return n, nil
}

// parseRow parses `key value timestamp`.
func parseRow(line []byte, part *Part) error {
	key, rest, ok1 := bytes.Cut(line, []byte(" "))
	value, time, ok2 := bytes.Cut(rest, []byte(" "))
	v, ok3 := decimal.Parse(value)
	t, ok4 := ParseTime(time)
	if !ok1 || !ok2 || !ok3 || !ok4 || len(key) == 0 {
		return fmt.Errorf("%w: row %.80q, want key value timestamp", ErrReply, line)
	}
	part.Kind, part.Key, part.Value, part.Time = ReplyRow, key, v, t
	return nil
}
