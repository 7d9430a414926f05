package storage

import "testing"

func TestMatcher(t *testing.T) {
	tests := []struct {
		typ     MatchType
		pattern string
		value   string
		want    bool
	}{
		{MatchEqual, "a", "a", true},
		{MatchEqual, "a", "b", false},
		{MatchEqual, "", "", true},
		{MatchNotEqual, "a", "", true},
		{MatchNotEqual, "a", "a", false},
		{MatchRegexp, "a|b", "b", true},
		{MatchRegexp, "a|b", "ab", false}, // anchored, alternation inside the anchors
		{MatchRegexp, "a.*", "a\nb", true},
		{MatchRegexp, ".*", "", true},
		{MatchRegexp, ".+", "", false},
		{MatchNotRegexp, "a.*", "abc", false},
		{MatchNotRegexp, "a.*", "", true},
	}
	for _, tt := range tests {
		m, err := NewMatcher("x", tt.typ, tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Matches(tt.value); got != tt.want {
			t.Errorf("%v matches %q = %v, want %v", m, tt.value, got, tt.want)
		}
	}
	for _, bad := range []string{"(", "a{2,1}", `\`, "a)|(b"} {
		if _, err := NewMatcher("x", MatchRegexp, bad); err == nil {
			t.Errorf("NewMatcher took the regular expression %q", bad)
		}
	}
	if _, err := NewMatcher("x", 9, "a"); err == nil {
		t.Error("NewMatcher took type 9")
	}
}

func TestMatchAll(t *testing.T) {
	eq, _ := NewMatcher("host", MatchEqual, "a")
	absent, _ := NewMatcher("core", MatchEqual, "")
	ls := Labels{{MetricName, "cpu"}, {"host", "a"}}
	if !MatchAll([]Matcher{eq, absent}, ls) || !MatchAll(nil, ls) {
		t.Error("want a match")
	}
	if MatchAll([]Matcher{eq, absent}, Labels{{"core", "1"}, {"host", "a"}}) {
		t.Error("want no match: core is there")
	}
}

func TestNewLabels(t *testing.T) {
	ls, ok := NewLabels(Label{"b", "2"}, Label{"a", "1"}, Label{"c", ""}, Label{"b", "3"})
	if want := (Labels{{"a", "1"}, {"b", "3"}}); !ok || !ls.Equal(want) {
		t.Errorf("got %q %v, want %q", ls, ok, want)
	}
	if _, ok := NewLabels(Label{"", "x"}); ok {
		t.Error("a label without a name was taken")
	}
	if got := ls.Get("b") + ls.Get("none"); got != "3" {
		t.Errorf("Get: got %q", got)
	}
}
