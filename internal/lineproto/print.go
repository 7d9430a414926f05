package lineproto

import (
	"encoding/binary"
	"slices"
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
	high int64    // t / 10,000 of the text; 0: none
	text [16]byte // long enough for all but the last four digits of any int64
	n    int      // length of text
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
		if top := high / 10_000; top > 0 && top == p.high/10_000 {
			binary.LittleEndian.PutUint32(p.text[p.n-4:], fourDigits(uint32(high-top*10_000)))
		} else {
			p.n = len(strconv.AppendInt(p.text[:0], high, 10))
		}
		p.high = high
	}
	const room = len(p.text) + 4
	if cap(dst)-len(dst) < room {
		dst = slices.Grow(dst, room)
	}
	b := (*[room]byte)(dst[len(dst) : len(dst)+room])
	*(*[len(p.text)]byte)(b[:]) = p.text
	low := uint32(t - high*10_000)
	binary.LittleEndian.PutUint32(b[p.n&15:], fourDigits(low))
	return dst[:len(dst)+p.n+4]
}

// fourDigits returns the text of n, below 10,000, as a little-endian word: its digits are split
// two and two, and then one and one, all at a time.
func fourDigits(n uint32) uint32 {
	hundreds := n * 5243 >> 19 // n / 100
	pairs := hundreds | (n-hundreds*100)<<16
	tens := pairs * 103 >> 10 & 0x000f000f // each / 10
	return (pairs-tens*10)<<8 | tens | 0x30303030
}
