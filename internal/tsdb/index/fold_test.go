package index

import (
	"strings"
	"testing"
)

// FuzzWord: a word is found where it is in the lower case of a text.
func FuzzWord(f *testing.F) {
	f.Add("host.CPU", "cpu")
	f.Add("Ünder", "ü")
	f.Add("\u212a", "k") // the sign for kelvin
	f.Add("a", "")
	f.Add("\xff", "\xfe")
	f.Fuzz(func(t *testing.T, text, sought string) {
		want := strings.Contains(strings.ToLower(text), strings.ToLower(sought))
		if got := newWord(sought).within(text); got != want {
			t.Errorf("%q within %q: got %v", sought, text, got)
		}
	})
}
