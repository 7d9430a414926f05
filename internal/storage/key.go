package storage

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// The spelling of keys. A key is one token that spells a label set:
//
//	palm.cpu                   {__name__="palm.cpu"}          plain: no ';', verbatim
//	cpu;host=a;core=1          {__name__="cpu",core="1",host="a"}      tag form
//	;host=a                    {host="a"}                     tag form without a name
//	a%20b;                     {__name__="a b"}               tag form without tags
//	a;b                        {__name__="a;b"}               opaque: has a ';' but is not of tag form
//
// Tag form is Graphite's: name;tag=value;… with tag names and values not empty, no tag
// twice, none named __name__; the name may be empty if there are tags. In it (and
// nowhere else) %XX, two hexadecimal digits of either case, is read as that byte. What
// AppendKey has to escape: what a token can't hold (bytes that are not UTF-8, ASCII white
// space, control characters), ';' everywhere, '=' in tag names, and a '%' that would be
// read as an escape. So every label set has exactly one canonical spelling, and every
// text has exactly one reading.

// ValidKey says whether key can be put: one token of valid UTF-8 without control
// characters (Unicode's Cc) or spaces, not empty, and not "*" alone. How long it may be
// is for the caller to limit.
func ValidKey(key []byte) bool {
	if len(key) == 0 || len(key) == 1 && key[0] == '*' {
		return false
	}
	for len(key) > 0 {
		r, n := utf8.DecodeRune(key)
		if !tokenRune(r, n) {
			return false
		}
		key = key[n:]
	}
	return true
}

// tokenRune says whether a token may hold a rune that was decoded from n bytes.
func tokenRune(r rune, n int) bool {
	return r > ' ' && (r < 0x7f || r > 0x9f) && !(r == utf8.RuneError && n == 1)
}

// ParseKey reads a key. It is total: every text has a reading, and the empty text is
// the empty set. The labels refer to the memory of key where nothing was escaped.
func ParseKey(key string) Labels { return ParseKeyInto(nil, key) }

// ParseKeyInto is ParseKey, and may use the memory of labels that are no longer needed.
func ParseKeyInto(memory Labels, key string) Labels {
	if key == "" {
		return nil
	}
	if ls, ok := parseTagForm(memory, key); ok {
		return ls
	}
	return append(memory[:0], Label{Name: MetricName, Value: key})
}

// parseTagForm reads key if it is of tag form.
func parseTagForm(memory Labels, key string) (Labels, bool) {
	name, rest, found := strings.Cut(key, ";")
	if !found {
		return nil, false
	}
	ls := memory[:0]
	if n := 2 + strings.Count(rest, ";"); n > cap(ls) {
		ls = make([]Label, 0, n)
	}
	if name != "" {
		ls = append(ls, Label{MetricName, unescape(name)})
	} else if rest == "" {
		return nil, false
	}
	for more := rest != ""; more; {
		var tag string
		tag, rest, more = strings.Cut(rest, ";")
		n, v, _ := strings.Cut(tag, "=")
		if n == "" || v == "" {
			return nil, false
		}
		n = unescape(n)
		if n == MetricName {
			return nil, false
		}
		ls = append(ls, Label{n, unescape(v)})
	}
	written := len(ls)
	set, _ := NewLabels(ls...) // no name is empty, and a name twice shows in the count
	return set, len(set) == written
}

// unescape replaces every %XX of s by its byte.
func unescape(s string) string {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s
	}
	var b strings.Builder
	for ; i >= 0; i = strings.IndexByte(s, '%') {
		b.WriteString(s[:i])
		if s = s[i:]; isEscape(s) {
			b.WriteByte(unhex(s[1])<<4 | unhex(s[2]))
			s = s[3:]
		} else {
			b.WriteByte('%')
			s = s[1:]
		}
	}
	b.WriteString(s)
	return b.String()
}

// isEscape says whether s begins with %XX.
func isEscape(s string) bool {
	return len(s) >= 3 && s[0] == '%' && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unhex returns the value of the hexadecimal digit c.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// AppendKey appends the canonical spelling of ls to dst: the name, then the tags sorted
// by name. ParseKey of it gives ls again. The empty set appends nothing.
func AppendKey(dst []byte, ls Labels) []byte {
	if len(ls) == 1 && ls[0].Name == MetricName && plainName(ls[0].Value) {
		return append(dst, ls[0].Value...)
	}
	tags := 0
	dst = appendEscaped(dst, ls.Get(MetricName), false)
	for _, l := range ls {
		if l.Name == MetricName {
			continue
		}
		tags++
		dst = append(dst, ';')
		dst = appendEscaped(dst, l.Name, true)
		dst = append(dst, '=')
		dst = appendEscaped(dst, l.Value, false)
	}
	if tags == 0 && len(ls) > 0 {
		dst = append(dst, ';')
	}
	return dst
}

// plainName says whether a name alone can stand verbatim as a key: it is a token, and it
// does not read as tag form. (A '*' alone could not be put.)
func plainName(name string) bool {
	for rest := name; len(rest) > 0; {
		r, n := utf8.DecodeRuneInString(rest)
		if !tokenRune(r, n) {
			return false
		}
		rest = rest[n:]
	}
	if strings.Contains(name, ";") {
		_, tagged := parseTagForm(nil, name)
		return !tagged
	}
	return name != "*"
}

// appendEscaped appends s as a part of a tag form key.
func appendEscaped(dst []byte, s string, tagName bool) []byte {
	const hex = "0123456789ABCDEF"
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		ok := tokenRune(r, n) && r != ';' && (r != '=' || !tagName) && !isEscape(s)
		for _, c := range []byte(s[:n]) {
			if ok {
				dst = append(dst, c)
			} else {
				dst = append(dst, '%', hex[c>>4], hex[c&15])
			}
		}
		s = s[n:]
	}
	return dst
}

// AppendCanonical appends the canonical spelling of the series that key spells. Two keys
// spell one series exactly if this gives the same bytes. A key without ';' is canonical
// and costs a copy; others are parsed.
func AppendCanonical(dst, key []byte) []byte {
	if bytes.IndexByte(key, ';') < 0 {
		return append(dst, key...)
	}
	return AppendKey(dst, ParseKey(string(key)))
}
