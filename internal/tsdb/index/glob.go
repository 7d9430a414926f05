package index

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// glob is an expression of literals with .* and .+ between them.
type glob struct {
	texts []string // the literals
	// gaps[i] is what comes before texts[i], and the last of them what comes behind the last text: nothing (-1), at least so
	// many bytes (0 or 1).
	gaps []int
}

// newTest returns a function that says what match says, and is faster where it can be.
func newTest(re *syntax.Regexp, match func(string) bool) func(string) bool {
	subs := re.Sub[1 : len(re.Sub)-1] // between the anchors
	for len(subs) == 1 && (subs[0].Op == syntax.OpCapture || subs[0].Op == syntax.OpConcat) {
		subs = subs[0].Sub
	}
	if g, ok := newGlob(subs); ok {
		return g.match
	}
	must := ""
	for i, sub := range subs {
		if text, ok := literal(sub); ok && i > 0 && len(text) > len(must) {
			must = text
		}
	}
	suffix := ""
	if len(subs) > 0 {
		suffix, _ = literal(subs[len(subs)-1])
	}
	if must == "" {
		return match
	}
	return func(s string) bool { return strings.HasSuffix(s, suffix) && strings.Contains(s, must) && match(s) }
}

// literal returns the only text that re matches, if it is a literal.
func literal(re *syntax.Regexp) (string, bool) {
	if re.Op != syntax.OpLiteral || re.Flags&syntax.FoldCase != 0 || slices.Contains(re.Rune, unicode.ReplacementChar) {
		return "", false
	}
	return string(re.Rune), true
}

// newGlob makes a glob of a concatenation, if it is one.
func newGlob(subs []*syntax.Regexp) (g glob, ok bool) {
	gap := -1
	for _, sub := range subs {
		if text, ok := literal(sub); ok {
			g.texts, g.gaps = append(g.texts, text), append(g.gaps, gap)
			gap = -1
			continue
		}
		switch {
		case len(sub.Sub) != 1 || sub.Sub[0].Op != syntax.OpAnyChar:
			return g, false
		case sub.Op == syntax.OpStar:
			gap = max(gap, 0)
		case sub.Op == syntax.OpPlus && gap < 1:
			gap = 1
		default: // two characters at least, of any number of bytes
			return g, false
		}
	}
	g.gaps = append(g.gaps, gap)
	return g, len(g.texts) > 0
}

// match says whether all of s matches. Each text may be taken where it comes first: that leaves most for the others.
// (A literal begins where a character does, so a gap holds whole ones.)
func (g *glob) match(s string) bool {
	last := len(g.texts) - 1
	for i, text := range g.texts {
		gap := g.gaps[i]
		if i == last && g.gaps[last+1] < 0 {
			rest, ok := strings.CutSuffix(s, text)
			return ok && (gap < 0 && rest == "" || gap >= 0 && len(rest) >= gap)
		}
		if gap < 0 {
			if !strings.HasPrefix(s, text) {
				return false
			}
			s = s[len(text):]
			continue
		}
		if len(s) < gap {
			return false
		}
		at := strings.Index(s[gap:], text)
		if at < 0 {
			return false
		}
		s = s[gap+at+len(text):]
	}
	return len(s) >= g.gaps[last+1]
}
