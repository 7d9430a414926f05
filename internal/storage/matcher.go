package storage

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// MatchType is how a Matcher compares.
type MatchType uint8

// The four ways to compare, as PromQL has them.
const (
	MatchEqual     MatchType = iota // =
	MatchNotEqual                   // !=
	MatchRegexp                     // =~
	MatchNotRegexp                  // !~
)

// String returns the operator: =, !=, =~ or !~.
func (t MatchType) String() string {
	switch t {
	case MatchEqual:
		return "="
	case MatchNotEqual:
		return "!="
	case MatchRegexp:
		return "=~"
	case MatchNotRegexp:
		return "!~"
	}
	return fmt.Sprintf("MatchType(%d)", uint8(t))
}

// Matcher is a condition on one label. An absent label has the empty string as its
// value, so `x=""` matches series without x. Immutable, safe for concurrent use; the
// zero value is not a matcher, see NewMatcher.
type Matcher struct {
	Name  string
	Type  MatchType
	Value string // a literal, or a regular expression as it was given

	re *regexp.Regexp // for the two regular types: Value, anchored at both ends
}

// NewMatcher makes a matcher. A regular expression is RE2 (package regexp), must
// match the whole value, and its dot matches newlines too, as in Prometheus.
func NewMatcher(name string, t MatchType, value string) (Matcher, error) {
	m := Matcher{Name: name, Type: t, Value: value}
	switch t {
	case MatchEqual, MatchNotEqual:
	case MatchRegexp, MatchNotRegexp:
		_, err := syntax.Parse(value, syntax.Perl) // alone: "a)|(b" must not get out of the group
		var re *regexp.Regexp
		if err == nil {
			re, err = regexp.Compile("^(?s:" + value + ")$")
		}
		if err != nil {
			return Matcher{}, fmt.Errorf("matcher %s%s%q: %w", name, t, value, err)
		}
		m.re = re
	default:
		return Matcher{}, fmt.Errorf("matcher on %s: %v is none of =, !=, =~, !~", name, t)
	}
	return m, nil
}

// Matches says whether a label with this value (empty: an absent label) matches.
func (m Matcher) Matches(value string) bool {
	switch m.Type {
	case MatchEqual:
		return value == m.Value
	case MatchNotEqual:
		return value != m.Value
	case MatchRegexp:
		return m.re.MatchString(value)
	default:
		return !m.re.MatchString(value)
	}
}

// String returns the matcher as PromQL writes it: name=~"value".
func (m Matcher) String() string { return fmt.Sprintf("%s%s%q", m.Name, m.Type, m.Value) }

// MatchAll says whether every one of ms matches ls.
func MatchAll(ms []Matcher, ls Labels) bool {
	for _, m := range ms {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}
