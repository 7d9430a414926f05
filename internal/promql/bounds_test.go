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
	for expr, want := range map[string]bool{"1+1": false, "1+x": true, "x[5m]": true} {
		if got, err := e.Selects(expr); err != nil || got != want {
			t.Errorf("%s: %v, %v", expr, got, err)
		}
	}
}
