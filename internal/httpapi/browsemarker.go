package httpapi

import (
	"encoding/base64"
	"encoding/binary"
)

// browseMarker says behind what an answer of browse goes on. Its text is the base64 (RFC 4648, for URLs, without padding) of
//
//	0      1                 1             1 to 11
//	+------+-----------+     +------+------------------+------+
//	| 't'  | segment   |     | 's'  | id, uvarint      | name |
//	+------+-----------+     +------+------------------+------+
//
// for a level of the tree and for a list of series.
type browseMarker struct {
	list bool
	name string // of a series, or a segment
	id   uint64 // of a list
}

func (m browseMarker) text() string {
	b := []byte{'t'}
	if m.list {
		b = binary.AppendUvarint([]byte{'s'}, m.id)
	}
	return base64.RawURLEncoding.EncodeToString(append(b, m.name...))
}

// parseMarker reads what text gave.
func parseMarker(text string) (m browseMarker, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 {
		return m, false
	}
	switch kind, rest := b[0], b[1:]; kind {
	case 't':
		return browseMarker{name: string(rest)}, true
	case 's':
		id, n := binary.Uvarint(rest)
		if n <= 0 {
			return m, false
		}
		return browseMarker{true, string(rest[n:]), id}, true
	}
	return m, false
}
