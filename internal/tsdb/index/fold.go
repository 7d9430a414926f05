package index

import (
	"strings"
	"unicode/utf8"
)

// word is a text that is looked for in lower case.
type word struct {
	text  string
	ascii bool
}

func newWord(text string) word {
	text = strings.ToLower(text)
	return word{text, isASCII(text)}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// within says whether the word is in the lower case of text.
func (w word) within(text string) bool {
	if !w.ascii || !isASCII(text) {
		return strings.Contains(strings.ToLower(text), w.text)
	}
	if w.text == "" {
		return true
	}
	for i := 0; i+len(w.text) <= len(text); i++ {
		if lower(text[i]) == w.text[0] && equalFold(text[i:i+len(w.text)], w.text) {
			return true
		}
	}
	return false
}

// equalFold says whether the lower case of an ASCII text is another of the same length.
func equalFold(text, low string) bool {
	for i := range len(low) {
		if lower(text[i]) != low[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// across returns, for each '=' of the word that a label's own can be, what of it is to end the label's name and to begin its value.
func (w word) across(name string) (values []string) {
	name = strings.ToLower(name)
	for i := range len(w.text) {
		if w.text[i] == '=' && strings.HasSuffix(name, w.text[:i]) {
			values = append(values, w.text[i+1:])
		}
	}
	return values
}
