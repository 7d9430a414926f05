package index

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// A regular expression is read once a query, to find which values it can match without trying it on all of them.
// Its language is covered by parts, which the values sorted by text turn into a few look-ups and ranges:
//
//	a|b|c          a  b  c                 exactly
//	host_0[0-3]    host_00 … host_03       exactly
//	disk.*         disk…                   beginning: all of the range match
//	disk.+|mem     disk…  mem              longer, exactly
//	disk[0-9]+     disk…                   perhaps: each of the range is tested
//	.*free         …                       perhaps, all values, tested by a glob and not by the expression
//
// The ideas are those of Prometheus' FastRegexMatcher (sets, prefixes, what a match has to contain); one rule for
// concatenations and one for alternations make all of these.

// form says which texts a part stands for.
type form uint8

const (
	exactly   form = iota // its text
	beginning             // all that begin with its text
	longer                // all that begin with its text, but not that text
	perhaps               // some that begin with its text
)

// part is a set of texts.
type part struct {
	text string
	form form
}

// maxParts is how many parts a concatenation may have, unless it has as many as the expression itself. To look up a
// value takes as long as to try an expression on it.
const maxParts = 1024

// pattern says which values match.
type pattern struct {
	expr  string            // the expression, if parts of form perhaps came of one
	parts []part            // by text; no text is of two of them
	test  func(string) bool // decides on texts of a part of form perhaps
}

var (
	nothing  = []part{{"", exactly}}
	anything = []part{{"", beginning}}
	some     = []part{{"", longer}}
	unknown  = []part{{"", perhaps}}
)

// newPattern reads a regular expression as storage.NewMatcher does. match is that whole expression.
func newPattern(expr string, match func(string) bool) pattern {
	p := pattern{expr, unknown, match}
	re, err := syntax.Parse("^(?s:"+expr+")$", syntax.Perl)
	if err != nil {
		return p
	}
	re = re.Simplify()
	if !anchored(re) {
		return p
	}
	p.parts = disjoint(cover(re, true, true))
	if slices.ContainsFunc(p.parts, func(p part) bool { return p.form == perhaps }) {
		p.test = newTest(re, match)
	}
	return p
}

// anchored says whether re is a concatenation that begins and ends where the text does.
func anchored(re *syntax.Regexp) bool {
	n := len(re.Sub)
	return re.Op == syntax.OpConcat && n >= 2 && re.Sub[0].Op == syntax.OpBeginText && re.Sub[n-1].Op == syntax.OpEndText
}

// cover returns parts that have all texts which re matches. Those of the forms exactly, beginning and longer have no
// other texts. first says that re is where the whole text begins, and last that it is where that ends.
func cover(re *syntax.Regexp, first, last bool) []part {
	switch re.Op {
	case syntax.OpNoMatch:
		return nil
	case syntax.OpEmptyMatch:
		return nothing
	case syntax.OpBeginText:
		if first {
			return nothing
		}
	case syntax.OpEndText:
		if last {
			return nothing
		}
	case syntax.OpLiteral:
		return coverLiteral(re)
	case syntax.OpCharClass:
		return coverClass(re.Rune)
	case syntax.OpCapture:
		return cover(re.Sub[0], first, last)
	case syntax.OpStar:
		if re.Sub[0].Op == syntax.OpAnyChar {
			return anything
		}
	case syntax.OpPlus:
		if re.Sub[0].Op == syntax.OpAnyChar {
			return some
		}
		return concat(cover(re.Sub[0], false, false), unknown)
	case syntax.OpQuest:
		return append(slices.Clone(nothing), cover(re.Sub[0], false, false)...)
	case syntax.OpAlternate:
		var all []part
		for _, sub := range re.Sub {
			all = append(all, cover(sub, first, last)...)
		}
		return all
	case syntax.OpConcat:
		return coverConcat(re.Sub, first, last)
	}
	return unknown
}

func coverConcat(subs []*syntax.Regexp, first, last bool) []part {
	end := len(subs) - 1 // from here on subs are where the text ends
	for end > 0 && subs[end].Op == syntax.OpEndText {
		end--
	}
	all := nothing
	for i, sub := range subs {
		all = concat(all, cover(sub, first, last && i >= end))
		first = first && sub.Op == syntax.OpBeginText
	}
	return all
}

// concat returns parts that have every text of a followed by every text of b.
func concat(a, b []part) []part {
	words := 0
	for _, p := range a {
		if p.form == exactly {
			words++
		}
	}
	if words*len(b) > max(maxParts, len(a), len(b)) {
		b = unknown
	}
	one := part{"", perhaps} // what b is, if it is one
	if len(b) == 1 {
		one = b[0]
	}
	all := make([]part, 0, len(a)+words*len(b))
	for _, p := range a {
		switch {
		case p.form == exactly:
			for _, q := range b {
				all = append(all, part{p.text + q.text, q.form})
			}
			continue
		case one == nothing[0] || one == anything[0]:
		case one == some[0] && p.form == beginning:
			p.form = longer
		default:
			p.form = perhaps
		}
		all = append(all, p)
	}
	return all
}

// coverLiteral returns the text of a literal, or all its spellings if case does not matter.
func coverLiteral(re *syntax.Regexp) []part {
	if slices.Contains(re.Rune, unicode.ReplacementChar) {
		return unknown // it matches bytes that are not UTF-8
	}
	if re.Flags&syntax.FoldCase == 0 {
		return []part{{string(re.Rune), exactly}}
	}
	all := nothing
	for _, r := range re.Rune {
		spellings := []part{{string(r), exactly}}
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			spellings = append(spellings, part{string(f), exactly})
		}
		all = concat(all, spellings)
	}
	return all
}

// coverClass returns the characters of a class, which is given as pairs of the first and the last of a range.
func coverClass(pairs []rune) (all []part) {
	for i := 0; i < len(pairs); i += 2 {
		lo, hi := pairs[i], pairs[i+1]
		if len(all)+int(hi-lo) >= maxParts || lo <= unicode.ReplacementChar && unicode.ReplacementChar <= hi {
			return unknown
		}
		for r := lo; r <= hi; r++ {
			all = append(all, part{string(r), exactly})
		}
	}
	return all
}

// disjoint sorts parts and drops what is in others.
func disjoint(parts []part) []part {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.form, b.form))
	})
	var kept []part
	for _, p := range parts {
		if n := len(kept); n > 0 {
			last := kept[n-1]
			if last == p || last.form != exactly && strings.HasPrefix(p.text, last.text) {
				if last.form == longer && p == (part{last.text, perhaps}) {
					kept[n-1] = p
				}
				continue
			}
			if last == (part{p.text, exactly}) && p.form != longer {
				kept = kept[:n-1]
			}
		}
		kept = append(kept, p)
	}
	return kept
}
