package graphite

import (
	"math"
	"time"

	"metricd/internal/decimal"
	"metricd/internal/lineproto"
	"metricd/internal/storage"
)

// kind is what a line is.
type kind uint8

const (
	blank   kind = iota // nothing
	sample              // a sample
	skipped             // a sample whose value is nan
	wrong               // anything else
)

// parse reads a line without its \n. The key of the row is a part of the line. why says what is wrong with a wrong one.
func parse(line []byte, maxKey int, now func() time.Time) (row storage.Row, is kind, why string) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	path, line := cutToken(line)
	value, line := cutToken(line)
	stamp, line := cutToken(line)
	more, _ := cutToken(line)
	switch {
	case len(path) == 0:
		return row, blank, ""
	case len(stamp) == 0 || len(more) > 0:
		return row, wrong, "want: path value timestamp"
	case len(path) > maxKey:
		return row, wrong, "the path is too long"
	case !lineproto.ValidKey(path):
		return row, wrong, "the path is not UTF-8, or has control characters, or is *"
	}
	v, ok := decimal.Parse(value)
	if !ok {
		return row, wrong, "the value is no number"
	}
	t, isNow, ok := parseTime(stamp)
	switch {
	case !ok:
		return row, wrong, "the timestamp is no number of seconds, or out of range"
	case math.IsNaN(v):
		return row, skipped, ""
	case isNow:
		t = now().UnixMilli()
	}
	return storage.Row{Key: path, T: t, V: v}, sample, ""
}

// cutToken returns the first token of line and what follows it.
func cutToken(line []byte) (token, rest []byte) {
	i := 0
	for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	start := i
	for i < len(line) && line[i] != ' ' && line[i] != '\t' {
		i++
	}
	return line[start:i], line[i:]
}

// parseTime reads a timestamp, a decimal number of seconds since the Unix epoch with an optional fraction and exponent, as
// milliseconds. It reads digits, not a float64: 1503319740.123 is millisecond 123. What is finer is rounded down, that is,
// into the past. now says that it stands for the present: carbon looks at the whole seconds, cut towards zero, and takes -1 so.
func parseTime(b []byte) (ms int64, now, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	digits, exp, finer, b := readDigits(b)
	if b == nil {
		return 0, false, false
	}
	if len(b) > 0 {
		e, ok := readExponent(b)
		if !ok {
			return 0, false, false
		}
		exp += e
	}
	for exp += 3; exp > 0 && digits > 0; exp-- {
		if digits > storage.MaxTime/10 {
			return 0, false, false
		}
		digits *= 10
	}
	for ; exp < 0 && digits > 0; exp++ {
		finer = finer || digits%10 > 0
		digits /= 10
	}
	if digits > storage.MaxTime {
		return 0, false, false
	}
	if !negative {
		return digits, false, true
	}
	now = 1000 <= digits && digits < 2000
	if finer && digits < storage.MaxTime {
		digits++
	}
	return -digits, now, true
}

// readDigits reads digits with at most one point among them, as digits·10^exp; finer says that there are others than zeros behind
// those. rest is what follows, nil if b does not begin with a number.
func readDigits(b []byte) (digits int64, exp int, finer bool, rest []byte) {
	const most = math.MaxInt64/10 - 1
	i, point, any := 0, false, false
	for ; i < len(b); i++ {
		c := b[i]
		if c == '.' && !point {
			point = true
			continue
		}
		d := c - '0'
		if d > 9 {
			break
		}
		any = true
		switch {
		case digits <= most:
			digits = digits*10 + int64(d)
			if point {
				exp--
			}
		default:
			finer = finer || d > 0
			if !point {
				exp++
			}
		}
	}
	if !any {
		return 0, 0, false, nil
	}
	return digits, exp, finer, b[i:len(b):len(b)]
}

// readExponent reads e and an integer. One beyond ±most, which is more than there are digits in a line, is as good as that.
func readExponent(b []byte) (exp int, ok bool) {
	const most = 1 << 40
	if b[0] != 'e' && b[0] != 'E' {
		return 0, false
	}
	b = b[1:]
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		exp = min(exp*10+int(d), most)
	}
	if negative {
		exp = -exp
	}
	return exp, len(b) > 0
}
