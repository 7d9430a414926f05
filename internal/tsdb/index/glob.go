package index

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// glob is an expression of words with .* and .+ between them.
type glob struct {
	words [][]string // for each place where words are, those that may be there
	// gaps[i] is what comes before words[i], and the last of them what comes behind the last word: nothing (-1), or at least so
	// many bytes (0 or 1).
	gaps []int
}

// maxWords is how many words there may be in one place: each is looked for.
const maxWords = 16

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
	for i := 0; i < len(subs); i++ {
		if dots := subs[i]; len(dots.Sub) == 1 && dots.Sub[0].Op == syntax.OpAnyChar && dots.Op != syntax.OpQuest {
			switch {
			case dots.Op == syntax.OpStar:
				gap = max(gap, 0)
			case dots.Op == syntax.OpPlus && gap < 1:
				gap = 1
			default: // two characters at least, of any number of bytes
				return g, false
			}
			continue
		}
		words := nothing
		for ; i < len(subs) && subs[i].Op != syntax.OpStar && subs[i].Op != syntax.OpPlus; i++ {
			words = concat(words, cover(subs[i], false, false))
		}
		i--
		texts, ok := wordsOf(words)
		if !ok {
			return g, false
		}
		g.words, g.gaps = append(g.words, texts), append(g.gaps, gap)
		gap = -1
	}
	g.gaps = append(g.gaps, gap)
	return g, len(g.words) > 0
}

// wordsOf returns the texts of parts that are words, none of them empty, and few.
func wordsOf(parts []part) (texts []string, ok bool) {
	for _, p := range parts {
		if p.form != exactly || p.text == "" || len(texts) == maxWords {
			return nil, false
		}
		texts = append(texts, p.text)
	}
	return texts, len(texts) > 0
}

// match says whether all of s matches. In each place the word may be taken that ends first: that leaves most for the others.
// (A word begins where a character does, so a gap holds whole ones.)
func (g *glob) match(s string) bool {
	last := len(g.words) - 1
	for i, words := range g.words {
		gap := g.gaps[i]
		if i == last && g.gaps[last+1] < 0 {
			return endsWith(s, words, gap)
		}
		end := firstEnd(s, words, gap)
		if end < 0 {
			return false
		}
		s = s[end:]
	}
	return len(s) >= g.gaps[last+1]
}

// endsWith says whether s is a word behind a gap.
func endsWith(s string, words []string, gap int) bool {
	for _, w := range words {
		if rest, ok := strings.CutSuffix(s, w); ok && (rest == "" && gap <= 0 || rest != "" && gap >= 0) {
			return true
		}
	}
	return false
}

// firstEnd returns where the first word behind a gap ends in s, -1 if there is none.
func firstEnd(s string, words []string, gap int) int {
	end := -1
	for _, w := range words {
		at := 0
		switch {
		case gap < 0 && !strings.HasPrefix(s, w), len(s) < gap:
			continue
		case gap >= 0:
			if at = strings.Index(s[gap:], w); at < 0 {
				continue
			}
			at += gap
		}
		if at += len(w); end < 0 || at < end {
			end = at
		}
	}
	return end
}
