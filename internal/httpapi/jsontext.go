package httpapi

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// The functions here append JSON as Prometheus' HTTP API prints it (its web/api/v1/json_codec.go and util/jsonutil).

// appendString appends s as a string that is printed as it is but for what JSON forbids: names and values of the labels of series. Bytes that
// are not UTF-8, which Prometheus never has, are U+FFFD.
func appendString(dst []byte, s string) []byte { return appendEscaped(dst, s, false) }

// appendText appends s as a string in which <, >, &, U+2028 and U+2029 are escaped, too: all other texts.
func appendText(dst []byte, s string) []byte { return appendEscaped(dst, s, true) }

func appendEscaped(dst []byte, s string, html bool) []byte {
	dst = append(dst, '"')
	start := 0 // of what is not appended yet
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			i++
			if b >= ' ' && b != '"' && b != '\\' && (!html || b != '<' && b != '>' && b != '&') {
				continue
			}
			dst = append(dst, s[start:i-1]...)
			dst = appendEscape(dst, b)
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + size
		case html && (r == '\u2028' || r == '\u2029'):
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, hexDigits[r&0xf])
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

const hexDigits = "0123456789abcdef"

// appendEscape appends the escape of a byte of ASCII.
func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&0xf])
}

// appendTexts appends a list of texts, [] for none.
func appendTexts(dst []byte, texts []string) []byte {
	dst = append(dst, '[')
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, text)
	}
	return append(dst, ']')
}

// appendTime appends a time in ms as a number of seconds, with three decimals if it is no whole number.
func appendTime(dst []byte, ms int64) []byte {
	u := uint64(ms)
	if ms < 0 {
		dst = append(dst, '-')
		u = -u
	}
	dst = strconv.AppendUint(dst, u/1000, 10)
	if f := u % 1000; f != 0 {
		dst = append(dst, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
	}
	return dst
}

// wholeLimit: below it a float64 without a fraction is printed as the integer it is.
const wholeLimit = 1 << 53

// appendValue appends the value of a sample, a string: the shortest decimal that is this float64, with an exponent below 1e-6
// and from 1e21 on; NaN, +Inf, -Inf.
func appendValue(dst []byte, v float64) []byte {
	dst = append(dst, '"')
	abs := math.Abs(v)
	switch n := int64(v); {
	case abs < wholeLimit && float64(n) == v && (n != 0 || !math.Signbit(v)):
		dst = strconv.AppendInt(dst, n, 10)
	case abs != 0 && (abs < 1e-6 || abs >= 1e21):
		dst = strconv.AppendFloat(dst, v, 'e', -1, 64)
	default:
		dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
	return append(dst, '"')
}
