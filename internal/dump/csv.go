package dump

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"metricd/internal/decimal"
	"metricd/internal/storage"
)

// parseCSV reads a line of CSV, with its end.
func (d *Reader) parseCSV(line []byte, row *storage.Row) error {
	if len(d.prefix) > 0 && bytes.HasPrefix(line, d.prefix) {
		if t, v, ok := plainTail(line[len(d.prefix):]); ok && len(line)-1 <= d.limits.MaxLine {
			row.Key, row.Ref, row.T, row.V = d.key, d.ref, t, v
			return nil
		}
	}
	line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
	switch {
	case string(line) == Header:
		d.headed = true
		return errNoSample
	case !d.headed:
		return fmt.Errorf("line 1: %q: %w", excerpt(line), ErrHeader)
	case len(line) > d.limits.MaxLine:
		return d.tooLong()
	case len(line) == 0:
		return errNoSample
	}
	return d.record(line, row)
}

// plainTail reads `milliseconds,value` and the line end, if they are simple: digits with at most a minus before
// them, and a value that decimal.Scan takes.
func plainTail(b []byte) (t int64, v float64, ok bool) {
	i := 0
	if b[0] == '-' {
		i++
	}
	start := i
	for i < len(b) && b[i]-'0' <= 9 {
		t = t*10 + int64(b[i]-'0')
		i++
	}
	if i == start || i-start > 18 || b[i] != ',' { // the line ends in \n, so i is within it
		return 0, 0, false
	}
	if start > 0 {
		t = -t
	}
	b = b[i+1:]
	v, n := decimal.Scan(b)
	if n == 0 {
		return 0, 0, false
	}
	b = b[n:]
	return t, v, b[0] == '\n' || b[0] == '\r' && len(b) == 2
}

var errColumns = errors.New("want three columns, key,milliseconds,value")

// record reads a line without its end.
func (d *Reader) record(line []byte, row *storage.Row) error {
	raw := line
	key, rest, err := d.field(line)
	if err != nil {
		return err
	}
	prefix := raw[:len(raw)-len(rest)]
	if !bytes.HasSuffix(prefix, []byte(",")) {
		return errColumns
	}
	millis, rest, err := d.field(rest)
	if err != nil {
		return err
	}
	if rest == nil {
		return errColumns
	}
	value, rest, err := d.field(rest)
	if err != nil {
		return err
	}
	switch {
	case rest != nil:
		return errColumns
	case len(key) > d.limits.MaxKey:
		return fmt.Errorf("the key is longer than %d bytes (--max-key)", d.limits.MaxKey)
	case !storage.ValidKey(key):
		return fmt.Errorf("%w: want one word of UTF-8 without control characters, other than *", storage.ErrKey)
	}
	t, err := strconv.ParseInt(string(millis), 10, 64)
	if err != nil || t < storage.MinTime || t > storage.MaxTime {
		return fmt.Errorf("%q: want a whole number of milliseconds since 1970, at most %d", millis, storage.MaxTime)
	}
	v, err := parseValue(value)
	if err != nil {
		return err
	}
	d.setKey(row, key)
	d.prefix = append(d.prefix[:0], prefix...)
	row.T, row.V = t, v
	return nil
}

// field cuts the first field off line. rest is nil if it was the last one; else it follows the comma. The text of a quoted
// field that had doubled quotes is in d.keys.
func (d *Reader) field(line []byte) (field, rest []byte, err error) {
	if len(line) == 0 || line[0] != '"' {
		field, rest, more := bytes.Cut(line, []byte(","))
		if bytes.IndexByte(field, '"') >= 0 {
			return nil, nil, errors.New(`a field with a " has to be quoted, the " doubled`)
		}
		return field, tail(line, rest, more), nil
	}
	line = line[1:]
	start := len(d.keys)
	for {
		text, after, closed := bytes.Cut(line, []byte(`"`))
		if !closed {
			return nil, nil, errors.New("a quoted field has no end")
		}
		doubled := len(after) > 0 && after[0] == '"'
		if !doubled && start == len(d.keys) {
			field = text
		} else {
			d.keys = append(d.keys, text...)
			field = d.keys[start:]
		}
		switch {
		case doubled:
			d.keys = append(d.keys, '"')
			line = after[1:]
		case len(after) == 0:
			return field, nil, nil
		case after[0] == ',':
			return field, tail(line, after[1:], true), nil
		default:
			return nil, nil, errors.New("a quoted field is followed by neither a comma nor the end of the line")
		}
	}
}

// tail returns rest, which is not nil if there is more.
func tail(line, rest []byte, more bool) []byte {
	if !more {
		return nil
	}
	if rest == nil {
		return line[len(line):]
	}
	return rest
}

// parseValue reads the text of a value.
func parseValue(text []byte) (float64, error) {
	if v, ok := decimal.Parse(text); ok {
		return v, nil
	}
	s := string(text)
	if s == staleName {
		return math.Float64frombits(storage.StaleNaN), nil
	}
	if digits, ok := strings.CutPrefix(s, nanPrefix); ok && len(digits) == 16 {
		bits, err := strconv.ParseUint(digits, 16, 64)
		if v := math.Float64frombits(bits); err == nil && v != v {
			return v, nil
		}
	}
	return 0, fmt.Errorf("value %q: want a decimal number, inf, -inf, nan, stale, or nan: and the 16 hexadecimal digits of one", text)
}
