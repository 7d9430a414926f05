package index

import (
	"strconv"
	"strings"
	"testing"

	"metricd/internal/storage"
)

func mustMatcher(t testing.TB, name string, typ storage.MatchType, value string) storage.Matcher {
	t.Helper()
	m, err := storage.NewMatcher(name, typ, value)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParts(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"", "=''"},
		{"a", "=a"},
		{"a|b|c", "=a =b =c"},
		{"abc|abd|x", "=abc =abd =x"},
		{"(a|b)(c|d)", "=ac =ad =bc =bd"},
		{"host_0[0-3]", "=host_00 =host_01 =host_02 =host_03"},
		{"h[0-9]{2}x?", "200 parts"},
		{"disk.*", "disk*"},
		{"disk.+|mem", "disk+ =mem"},
		{"disk.*.+", "disk+"},
		{"disk.+.*", "disk+"},
		{"disk.+.+", "disk?"},
		{"disk[0-9]+", "10 parts"},
		{"disk.", "disk?"},
		{"disk.*free", "disk?"},
		{"a.*|ab|abc.*|b", "a* =b"},
		{"a.+|a|ab", "=a a+"},
		{"a.b|a.*", "a*"},
		{"a.b|ac.*|b", "a? =b"},
		{".*", "*"},
		{".+", "+"},
		{".*free", "?"},
		{"a?", "='' =a"},
		{"a?b", "=ab =b"},
		{"(?i)ab", "=AB =Ab =aB =ab"},
		{"(?i)k", "=K =k =\u212a"},
		{"^a$", "=a"},
		{"^(a|b)$", "=a =b"},
		{"^a|^b", "=a =b"},
		{"a|b$", "=a =b"},
		{"x(a$|b)c", "xa? =xbc"}, // nothing can follow a
		{"a^b", "a?"},
		{`a\bb`, "a?"},
		{"a\uFFFDb", "?"},
		{"a[^b]c", "a?"},
		{"(?-s).*", "?"},
		{`[^\x00-\x{10FFFF}]`, ""},
		{"[a-z]{4}", "676 parts"},
	}
	for _, tt := range tests {
		m := mustMatcher(t, "x", storage.MatchRegexp, tt.expr)
		p := newPattern(tt.expr, m.Matches)
		var texts []string
		for _, p := range p.parts {
			text := p.text + []string{"", "*", "+", "?"}[p.form]
			if p.form == exactly {
				if text = "=" + text; p.text == "" {
					text = "=''"
				}
			}
			texts = append(texts, text)
		}
		got := strings.Join(texts, " ")
		if n := len(texts); n > 5 {
			got = strconv.Itoa(n) + " parts"
		}
		if got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.expr, got, tt.want)
		}
	}
}

// TestManyAlternatives: a list of a thousand hosts and more stays a list.
func TestManyAlternatives(t *testing.T) {
	var words []string
	for i := range 5000 {
		words = append(words, "host-"+strconv.Itoa(i))
	}
	expr := strings.Join(words, "|")
	p := newPattern(expr, nil)
	if len(p.parts) != len(words) || p.parts[0].form != exactly {
		t.Errorf("%d parts, want %d", len(p.parts), len(words))
	}
}

// decides returns what a pattern says of a value.
func (p *pattern) decides(v string) (matched bool, times int) {
	for _, part := range p.parts {
		switch {
		case part.form == exactly && v != part.text, !strings.HasPrefix(v, part.text), part.form == longer && v == part.text:
			continue
		case part.form == perhaps && !p.test(v):
			times++
			continue
		}
		times++
		matched = true
	}
	return matched, times
}

// FuzzPattern compares patterns with package regexp.
func FuzzPattern(f *testing.F) {
	for _, expr := range []string{
		"a|b", "a.*b", ".*a.+b", "a[bc]{1,2}d?", "(?i)aB", "x(a$|b)c", "^^a|b$$", "(a|b.*)c", "a.+a", ".+aa.*", "a\uFFFD", "(ab|cd)*e",
		"a.+|a|ab", "a.b|a.+", ".*a.*.+b", "a)|(b", `a\zb|\Aa`, ".*.*x", "(a.*)(.+)", "(?i:ſ)k", "[^a]b", "", "a*", "(?-s)a.*", ".*[ab]c", "(a|ab).*(b|bb)", "a.+(?i)b.*", ".*(a|ab)(b|c).+b",
	} {
		for _, v := range []string{"", "a", "ab", "a\xffb", "aXbXb", "aa", "aaa", "K"} {
			f.Add(expr, v)
		}
	}
	f.Fuzz(func(t *testing.T, expr, v string) {
		m, err := storage.NewMatcher("x", storage.MatchRegexp, expr)
		if err != nil || len(expr) > 100 {
			return
		}
		p := newPattern(expr, m.Matches)
		got, times := p.decides(v)
		if want := m.Matches(v); got != want {
			t.Errorf("%q on %q: got %v, want %v (%v)", expr, v, got, want, p.parts)
		}
		if times > 1 {
			t.Errorf("%q on %q: in %d parts of %v", expr, v, times, p.parts)
		}
	})
}
