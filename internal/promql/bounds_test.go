package promql

import (
	"strings"
	"testing"
	"time"

	"metricd/internal/tsdb"
)

// TestTooDeep: expressions that would hold a processor for long are refused, in all that parses; what is in quotes does not count.
func TestTooDeep(t *testing.T) {
	e := New(open(t, tsdb.Options{}), Options{})
	long := `{y="1",x=~"` + strings.Repeat("a|b|", 300) + `c|d"} # ` + strings.Repeat("(", 50_000)
	for expr, want := range map[string]string{
		"1" + strings.Repeat("+1", 249):                           "",
		"1" + strings.Repeat("+1", 250):                           "nests 251 deep",
		strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300): "nests 301 deep",
		strings.Repeat("(", 40_000):                               "has 40000 bytes outside of quotes: want 32768 at most",
		long:                                                      "",
		"\"a\\\"'#\"" + strings.Repeat("(", 33_000):               "outside of quotes",
	} {
		_, parsed := e.Parse(expr)
		_, formatted := e.Format(expr)
		_, selects := e.Selects(expr)
		_, evaluated := e.Instant(t.Context(), expr, time.Unix(1, 0), QueryOptions{})
		for _, err := range []error{parsed, formatted, selects, evaluated} {
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%.20s…: %v, want %q", expr, err, want)
			}
		}
	}
	for expr, want := range map[string]string{
		"x[41d:1m]":                                 "",
		"vector(1)[100d:1ms]":                       "has more than 1000000 steps",
		"sum_over_time(vector(1)[1000s:1ms])":       "",
		"max_over_time((x[900s:1ms])[200s:1s])":     "subquery is only allowed on instant vector",
		"rate(max_over_time(x[900s:1ms])[200s:1s])": "has more than 1000000 steps",
		"vector(1)[290y:]":                          "has more than 1000000 steps",
		"vector(1)[200y:1y] + vector(1)[200y:1y]":   "",
	} {
		if _, err := e.Range(t.Context(), expr, time.Unix(0, 0), time.Unix(0, 0), time.Second, QueryOptions{}); want == "" && err != nil && strings.Contains(err.Error(), "steps") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
	if _, err := e.Range(t.Context(), "max_over_time(x[900s:1ms])", time.Unix(0, 0), time.Unix(200, 0), time.Second, QueryOptions{}); err == nil || !strings.Contains(err.Error(), "steps") {
		t.Errorf("900 s each ms, over 200 s: %v", err)
	}
	for expr, want := range map[string]bool{"1+1": false, "1+x": true, "x[5m]": true} {
		if got, err := e.Selects(expr); err != nil || got != want {
			t.Errorf("%s: %v, %v", expr, got, err)
		}
	}
}

// TestLongLabels: labels that grow with each level of a nest, or by a long text, are refused, wherever the calls are.
func TestLongLabels(t *testing.T) {
	e := New(open(t, tsdb.Options{}), Options{})
	nested := func(levels int, call string) string {
		before, after, _ := strings.Cut(call, "x")
		return strings.Repeat(before, levels) + "x" + strings.Repeat(after, levels)
	}
	for expr, fine := range map[string]bool{
		`label_join(x,"a","-","b","c","d","e","f","g")`:                       true,
		nested(9, `label_join(x,"a","","a","a")`):                             true,
		nested(10, `label_join(x,"a","","a","a")`):                            false,
		nested(22, `sum by (a) (label_join(x,"a","","a","a"))`):               false,
		nested(22, `label_replace(x,"a","$1$1","a","(.*)")`):                  false,
		nested(22, `label_replace(x,"a",("${1}${1}"),"a","(.*)")`):            false,
		nested(100, `label_replace(x,"a","$1","b","(.*)")`):                   true,
		nested(3, `label_replace(x,"a","$1-$2","b","(.*):(.*)")`):             true,
		`label_join(x,"a","` + strings.Repeat("-", 20_000) + `","b","c")`:     false,
		`label_replace(x,"a","` + strings.Repeat("-", 20_000) + `","b",".*")`: false,
	} {
		_, err := e.Instant(t.Context(), expr, time.Unix(1, 0), QueryOptions{})
		if refused := err != nil && strings.Contains(err.Error(), "make a label of more than"); refused == fine || err != nil && !refused {
			t.Errorf("%.80s…: %v", expr, err)
		}
	}
}

// TestBombs: regular expressions that would take long to compile are refused wherever they are; long ones that don't are taken.
func TestBombs(t *testing.T) {
	e := New(open(t, tsdb.Options{}), Options{})
	for _, tt := range []struct {
		pattern string
		fine    bool
	}{
		{strings.Repeat("x{1000}", 300), false},
		{"((x{100}){100}){10}", true}, // wrong otherwise
		{strings.Repeat("x{100}", 300), true},
		{strings.Repeat("host|", 10_000) + "host", true},
		{strings.Repeat("host|", 30_000) + "host", false},
		{strings.Repeat("(", 100), true}, // wrong otherwise
	} {
		selector := `x{y=~"` + tt.pattern + `"}`
		_, instant := e.Instant(t.Context(), selector, time.Unix(1, 0), QueryOptions{})
		_, replaced := e.Instant(t.Context(), `label_replace(x,"a","b","c","`+tt.pattern+`")`, time.Unix(1, 0), QueryOptions{})
		_, selectors := e.Selectors([]string{selector})
		for _, err := range []error{instant, replaced, selectors} {
			if refused := err != nil && strings.Contains(err.Error(), "too large as regular expressions"); refused == tt.fine {
				t.Errorf("%.20s…: %v", tt.pattern, err)
			}
		}
	}
	if _, err := e.Selectors([]string{`{a=~"` + strings.Repeat("x{1000}", 60) + `"}`, `{a=~"` + strings.Repeat("x{1000}", 60) + `"}`}); err == nil {
		t.Error("several are not counted together")
	}
}
