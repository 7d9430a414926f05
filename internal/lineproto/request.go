// Package lineproto is the text of the line protocol, both ways: requests and replies,
// read and printed. It does no I/O and keeps no more than the state of one line, so
// a server session, a client and a fuzz target drive the same code.
//
// A request is one line: `put KEY VALUE TIMESTAMP`, `get KEY` or `get *`. Tokens are
// separated by any run of spaces or tabs, leading and trailing ones are ignored, and a
// `\r` before the `\n` is dropped. A reply is a status line, rows, and an empty line.
package lineproto

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"metricd/internal/decimal"
)

// Limits of the protocol.
const (
	// MaxTimestamp is the largest Unix second that can be put; -MaxTimestamp the smallest.
	MaxTimestamp = 9_000_000_000_000_000
	// DefaultMaxLine is the length of the longest line taken, without its `\n`, in bytes.
	DefaultMaxLine = 64 << 10
	// DefaultMaxKey is the length of the longest key taken, in bytes.
	DefaultMaxKey = 4096
)

// Kind is what a line asks for.
type Kind uint8

// The kinds of lines.
const (
	Incomplete Kind = iota // there is no whole line yet: read more
	Blank                  // nothing to do and no reply: an empty line, or a part of a line that is skipped
	Put                    // Key, Value and Time are set
	Get                    // Key is set
	GetAll                 // get *
	Malformed              // anything else: the reply is WrongCommand
)

// Request is one parsed line.
type Request struct {
	Kind  Kind
	Key   []byte  // refers to the parsed buffer
	Value float64 // as decimal.Parse reads it
	Time  int64   // Unix seconds, within ±MaxTimestamp
}

// Parser parses the requests of one connection. Set the limits before the first use;
// a zero limit stands for its default. Not for concurrent use.
type Parser struct {
	MaxLine int // bytes of a line without its `\n`; longer ones are malformed
	MaxKey  int // bytes of a key; a request with a longer one is malformed

	skipping bool // the rest of a line that was too long is being dropped

	// The last timestamp, and the length of its text with the line end: many samples in a
	// row have the same. If that length is known to be 8 to 15 bytes, head and tail are the first
	// and the last eight of them, so that two comparisons tell.
	lastTime           int64
	lastLen            int
	known              bool
	lastHead, lastTail uint64
}

// Next parses the line at the start of buf into req and returns how many bytes it took.
// Where buf ends before the line does, req.Kind is Incomplete and n is 0: call again
// with the same bytes and more behind them. A line is reported as malformed, and its
// bytes are taken, as soon as it is longer than MaxLine, so a buffer of MaxLine+1 bytes is
// always enough.
func (p *Parser) Next(buf []byte, req *Request) (n int) {
	if len(buf) > 4 && binary.LittleEndian.Uint32(buf) == putSpace && !p.skipping {
		if n := p.plainPut(buf, req); n > 0 {
			return n
		}
	}
	return p.line(buf, req)
}

// putSpace is "put " as a little-endian word.
const putSpace = 'p' | 'u'<<8 | 't'<<16 | ' '<<24

// plainPut parses a put as programs send it: ASCII, single spaces, a short decimal, the
// line end right behind the timestamp. It never looks for the line end first. It
// returns 0 for everything else, which is not to say that it is malformed.
func (p *Parser) plainPut(buf []byte, req *Request) int {
	const start = 4
	end := start + tokenLen(buf[start:])
	if end == start || end-start > p.maxKey() || end+1 >= len(buf) || buf[end] != ' ' || end == start+1 && buf[start] == '*' {
		return 0
	}
	value, time, n := p.PutTail(buf[end+1:])
	if n == 0 || end+n > p.maxLine() {
		return 0
	}
	req.Kind, req.Key, req.Value, req.Time = Put, buf[start:end], value, time
	return end + 1 + n
}

// PutTail parses what follows `put KEY ` in a plain put: a short decimal, one space, digits, and the
// line end. n is its length with the line end. n is 0 for everything else, which is not to say
// that it is malformed: parse the whole line with Next. It does not know the
// length of the line.
//
// It is for those who know the beginning of the line already, because they expected
// just that key; and not while the rest of a long line is skipped.
func (p *Parser) PutTail(b []byte) (value float64, time int64, n int) {
	value, n = decimal.Scan(b)
	if n == 0 || b[n] != ' ' {
		return 0, 0, 0
	}
	n++
	b = b[n:]
	if len(b) < 16 || !p.known || binary.LittleEndian.Uint64(b) != p.lastHead || binary.LittleEndian.Uint64(b[(p.lastLen-8)&7:]) != p.lastTail {
		if !p.plainTime(b) {
			return 0, 0, 0
		}
	}
	return value, p.lastTime, n + p.lastLen
}

// plainTime reads a timestamp of at most 16 digits and the line end behind it into
// p.last….
func (p *Parser) plainTime(b []byte) bool {
	var t int64
	for i, c := range b {
		if d := c - '0'; d <= 9 {
			t = t*10 + int64(d)
			continue
		}
		end := i + 1
		if c == '\r' && end < len(b) {
			c = b[end]
			end++
		}
		if c != '\n' || i == 0 || i > 16 || t > MaxTimestamp {
			return false
		}
		p.lastTime, p.lastLen = t, end
		if p.known = 8 <= end && end < 16; p.known {
			p.lastHead = binary.LittleEndian.Uint64(b)
			p.lastTail = binary.LittleEndian.Uint64(b[end-8:])
		}
		return true
	}
	return false
}

// tokenLen returns the length of the run of printable ASCII (0x21 to 0x7e) at the start
// of b, eight bytes at a time: in each word it marks the top bits of the bytes that are
// below 0x21, above 0x7f or equal to 0x7f. Borrows spoil only marks above the
// first, which alone counts (Hacker's Delight, 6-1).
func tokenLen(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		del := w ^ 0x7f*ones
		if m := ((w-0x21*ones)&^w | (del-ones)&^del | w) & tops; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c <= ' ' || c >= 0x7f {
			break
		}
	}
	return i
}

// line parses any line.
func (p *Parser) line(buf []byte, req *Request) int {
	req.Kind = Incomplete
	end := bytes.IndexByte(buf, '\n')
	switch {
	case p.skipping && end < 0:
		if len(buf) > 0 {
			req.Kind = Blank
		}
		return len(buf)
	case p.skipping:
		p.skipping = false
		req.Kind = Blank
		return end + 1
	case end > p.maxLine():
		req.Kind = Malformed
	case end >= 0:
		p.tokens(buf[:end], req)
	case len(buf) > p.maxLine():
		req.Kind = Malformed
		p.skipping = true
		return len(buf)
	}
	return end + 1
}

// tokens parses a line without its `\n`.
func (p *Parser) tokens(line []byte, req *Request) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	command, line := cutToken(line)
	key, line := cutToken(line)
	value, line := cutToken(line)
	time, line := cutToken(line)
	more, _ := cutToken(line)
	req.Kind = Malformed
	switch {
	case len(command) == 0:
		req.Kind = Blank
	case string(command) == "get" && len(key) > 0 && len(value) == 0:
		if string(key) == "*" {
			req.Kind = GetAll
		} else if p.takesKey(key) {
			req.Kind, req.Key = Get, key
		}
	case string(command) == "put" && len(time) > 0 && len(more) == 0 && string(key) != "*" && p.takesKey(key):
		v, vok := decimal.Parse(value)
		t, tok := ParseTime(time)
		if vok && tok {
			req.Kind, req.Key, req.Value, req.Time = Put, key, v, t
		}
	}
}

// cutToken returns the first token of line and what follows it.
func cutToken(line []byte) (token, rest []byte) {
	i := 0
	for i < len(line) && isSpace(line[i]) {
		i++
	}
	start := i
	for i < len(line) && !isSpace(line[i]) {
		i++
	}
	return line[start:i], line[i:]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// takesKey says whether a token can be a key here.
func (p *Parser) takesKey(key []byte) bool { return len(key) <= p.maxKey() && textKey(key) }

// ValidKey says whether key can be put, whatever its length: one token of valid UTF-8 without control
// characters, and not "*" alone.
func ValidKey(key []byte) bool {
	return len(key) > 0 && string(key) != "*" && bytes.IndexByte(key, ' ') < 0 && textKey(key)
}

// textKey says whether key, which has no spaces, is UTF-8 without control characters.
func textKey(key []byte) bool {
	for rest := key[tokenLen(key):]; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r < ' ' || r >= 0x7f && r <= 0x9f || r == utf8.RuneError && n == 1 {
			return false
		}
		rest = rest[n:]
	}
	return true
}

// ParseTime reads a timestamp: a decimal integer with an optional sign, within
// ±MaxTimestamp. ok is false for everything else.
func ParseTime(b []byte) (t int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		if t = t*10 + int64(d); t > MaxTimestamp {
			return 0, false
		}
	}
	if negative {
		t = -t
	}
	return t, len(b) > 0
}

// Skipping says whether the next bytes belong to a line that was too long.
func (p *Parser) Skipping() bool { return p.skipping }

// Unanswered says whether rest, the bytes behind the last line when the input ended,
// is a request that was cut short: it is not carried out, and the reply is
// WrongCommand. Nothing, spaces, and the tail of a line that was too long have no reply.
func (p *Parser) Unanswered(rest []byte) bool {
	token, _ := cutToken(bytes.TrimSuffix(rest, []byte("\r")))
	return !p.skipping && len(token) > 0
}

// FromBrowser says whether line (with or without its end, or only the beginning of a line too
// long to be taken) is the request line of HTTP, or the beginning of a TLS handshake: a browser
// is speaking, and what follows may be what some web page made it say.
func FromBrowser(line []byte) bool {
	const handshake = 0x16 // RFC 8446, 5.1
	if len(line) > 0 && line[0] == handshake {
		return true
	}
	method, rest := cutToken(bytes.TrimRight(line, "\r\n"))
	target, rest := cutToken(rest)
	version, _ := cutToken(rest)
	if bytes.HasPrefix(version, []byte("HTTP/")) {
		return true
	}
	for _, c := range method {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return len(method) > 0 && (bytes.HasPrefix(target, []byte("/")) || bytes.HasPrefix(target, []byte("http")))
}

func (p *Parser) maxLine() int {
	if p.MaxLine > 0 {
		return p.MaxLine
	}
	return DefaultMaxLine
}

func (p *Parser) maxKey() int {
	if p.MaxKey > 0 {
		return p.MaxKey
	}
	return DefaultMaxKey
}
