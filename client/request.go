package client

import (
	"bytes"
	"fmt"
	"time"

	"metricd/internal/lineproto"
)

// putTime returns t in the seconds of a put.
func putTime(t time.Time) (int64, error) {
	sec := t.Unix()
	if sec < -lineproto.MaxTimestamp || sec > lineproto.MaxTimestamp {
		return 0, fmt.Errorf("%w: time %d, want within ±%d seconds", ErrInvalid, sec, int64(lineproto.MaxTimestamp))
	}
	return sec, nil
}

// checkKey says whether key can be put and got: whatever else it held would be read by the
// server as another request, or as two.
func checkKey(key string, maxLine int) error {
	if n := len(key); n > maxLine {
		return fmt.Errorf("%w: key of %d bytes, want at most %d", ErrInvalid, n, maxLine)
	}
	if !lineproto.ValidKey([]byte(key)) {
		return fmt.Errorf("%w: key %.80q, want one token of UTF-8 without control characters, other than *", ErrInvalid, key)
	}
	return nil
}

// checkLine says whether line, without its line end, is a put as far as its command goes,
// so that the server sends one reply to it, and no rows.
func checkLine(line []byte, maxLine int) error {
	if len(line) > maxLine {
		return fmt.Errorf("%w: a line of %d bytes, want at most %d", ErrInvalid, len(line), maxLine)
	}
	if bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("%w: %.80q: more than one line", ErrInvalid, line)
	}
	if bytes.HasPrefix(line, []byte("put ")) {
		return nil
	}
	if fields := bytes.FieldsFunc(line, isSpace); len(fields) == 0 || string(fields[0]) != "put" {
		return fmt.Errorf("%w: %.80q: not a put", ErrInvalid, line)
	}
	return nil
}

// blank says whether the server would pass over line without a reply.
func blank(line []byte) bool {
	return len(bytes.Trim(bytes.TrimSuffix(line, []byte("\r")), " \t")) == 0
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' }
