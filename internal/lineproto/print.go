package lineproto

import (
	"strconv"

	"metricd/internal/decimal"
)

// Replies that are always the same bytes.
const (
	// OK answers a put that was stored, and a get that found nothing.
	OK = "ok\n\n"
	// WrongCommand answers every malformed request.
	WrongCommand = "error\nwrong command\n\n"
	// TooManyConnections is said unasked, as an error reply, to a connection over the
	// limit, which is then closed.
	TooManyConnections = "too many connections"
	// GetHead begins the reply to a get; rows and GetTail follow.
	GetHead = "ok\n"
	// GetTail is the empty line that ends a reply. A reply without it is incomplete.
	GetTail = "\n"
)

// AppendError appends a reply that says why the server can't do what was asked. Line
// ends and other control characters in reason become spaces: it must stay one line.
func AppendError(dst []byte, reason string) []byte {
	dst = append(dst, "error\n"...)
	for i := 0; i < len(reason); i++ {
		c := reason[i]
		if c < ' ' {
			c = ' '
		}
		dst = append(dst, c)
	}
	if reason == "" { // an empty line would end the reply too early
		dst = append(dst, "unknown"...)
	}
	return append(dst, "\n\n"...)
}

// AppendRow appends one row of a get's reply, `key value timestamp\n`; t is in Unix seconds.
func AppendRow(dst []byte, key string, v float64, t int64) []byte {
	return new(TimePrinter).AppendRow(dst, key, v, t)
}

// AppendPut appends the request `put key value timestamp\n`; t is in Unix seconds. The
// key must be one that can be put.
func AppendPut(dst []byte, key string, v float64, t int64) []byte {
	dst = append(dst, "put "...)
	return AppendRow(dst, key, v, t)
}

// AppendGet appends the request `get key\n`; the key "*" asks for everything.
func AppendGet(dst []byte, key string) []byte {
	dst = append(dst, "get "...)
	dst = append(dst, key...)
	return append(dst, '\n')
}

// TimePrinter prints timestamps, alone or in whole lines. It remembers all but the last four digits of the one
// before, since neighbours in a reply share them. The zero value is ready; not for
// concurrent use.
type TimePrinter struct {
	high int64 // t / 10,000 of the text; 0: none
	text [20]byte
	n    int // length of text
}

// AppendRow appends what the function AppendRow does.
func (p *TimePrinter) AppendRow(dst []byte, key string, v float64, t int64) []byte {
	dst = append(dst, key...)
	dst = append(dst, ' ')
	dst = decimal.Append(dst, v)
	dst = append(dst, ' ')
	dst = p.Append(dst, t)
	return append(dst, '\n')
}

// AppendPut appends what the function AppendPut does.
func (p *TimePrinter) AppendPut(dst []byte, key string, v float64, t int64) []byte {
	return p.AppendRow(append(dst, "put "...), key, v, t)
}

// Append appends t, in Unix seconds, to dst.
func (p *TimePrinter) Append(dst []byte, t int64) []byte {
	if t < 10_000 {
		return strconv.AppendInt(dst, t, 10)
	}
	high := t / 10_000
	if high != p.high {
		p.high = high
		p.n = len(strconv.AppendInt(p.text[:0], high, 10))
	}
	low := uint32(t - high*10_000)
	dst = append(dst, p.text[:p.n]...)
	a, b := low/100, low%100
	return append(dst, byte('0'+a/10), byte('0'+a%10), byte('0'+b/10), byte('0'+b%10))
}
