package promql

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzParse: any text has a tree that JSON can print and a format, or an error with a place.
func FuzzParse(f *testing.F) {
	for _, expr := range []string{
		"palm.cpu", `sum by (a, "b.c") (rate(x{y=~"z"}[5m:1m] @ end() offset -1m)) / on () group_left (d) 1e3`, "-x[5m", "(1", "'",
		"x smoothed", "x[5m+1s] offset (step())", "a and b or c unless d", "{'palm.cpu'}", "count_values('l', x) > bool 2^-NaN",
	} {
		f.Add(expr)
	}
	e := New(nil, Options{})
	f.Fuzz(func(t *testing.T, expr string) {
		tree, err := e.Parse(expr)
		if err != nil {
			var bad *Error
			if !errors.As(err, &bad) || bad.Kind != BadData || bad.Start < 0 || bad.Start > bad.End {
				t.Fatalf("%q: %d to %d: %v", expr, bad.Start, bad.End, err)
			}
			return
		}
		if _, err := json.Marshal(tree); err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		if _, err := e.Format(expr); err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
	})
}
