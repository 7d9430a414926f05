package promql

import (
	"fmt"
	"strings"
	"testing"

	"metricd/internal/storage"
)

func TestLookups(t *testing.T) {
	all := Selection{Mint: storage.MinTime, Maxt: storage.MaxTime}
	with := func(limit int, match ...string) Selection {
		sel := all
		sel.Match, sel.Limit = match, limit
		return sel
	}
	stores(t, func(t *testing.T, store storage.Store) {
		fill(t, store)
		e := New(store, Options{})
		series := func(sel Selection) (Lookup[string], error) {
			l, err := e.Series(t.Context(), sel)
			got := Lookup[string]{Warnings: l.Warnings}
			for _, ls := range l.Found {
				got.Found = append(got.Found, string(storage.AppendKey(nil, ls)))
			}
			return got, err
		}
		names := func(sel Selection) (Lookup[string], error) { return e.LabelNames(t.Context(), sel) }
		values := func(name string) func(Selection) (Lookup[string], error) {
			return func(sel Selection) (Lookup[string], error) { return e.LabelValues(t.Context(), name, sel) }
		}
		early := with(0, `{__name__!=""}`)
		early.Mint, early.Maxt = 25_000, 26_000
		for i, tt := range []struct {
			find func(Selection) (Lookup[string], error)
			sel  Selection
			want string // found, and the first words of an error
			warn bool
		}{
			{series, with(0, `cpu`), "cpu;core=1;host=b cpu;core=0;host=a", false},
			{series, with(2, `cpu`), "cpu;core=1;host=b cpu;core=0;host=a", false},
			{series, with(1, `cpu`), "cpu;core=1;host=b", true},
			{series, with(0, `gone`, `cpu`, `{host="a"}`), "cpu;core=0;host=a cpu;core=1;host=b gone ;host=a;only=tags", false},
			{series, with(3, `gone`, `cpu`, `{host="a"}`), "cpu;core=0;host=a cpu;core=1;host=b gone", true},
			{series, with(0, `nothing`), "", false},
			{series, early, "", false},
			{series, with(0), "! no match[] parameter provided", false},
			{series, with(0, `{host=~".*"}`), "! match[] must contain at least one non-empty matcher", false},
			{series, with(0, `{`), "! 1:2: parse error: unexpected end of input", false},
			{names, all, "__name__ core host only text", false},
			{names, with(2), "__name__ core", true},
			{names, with(0, `{only="tags"}`), "host only", false},
			{names, with(0, `{only="tags"}`, `lines`), "__name__ host only text", false},
			{values("host"), all, "a b", false},
			{values("host"), with(1), "a", true},
			{values("host"), with(0, `{only="tags"}`, `{core="1"}`, `cpu`), "a b", false},
			{values("nothing"), all, "", false},
			{values("__name__"), with(0, `{"palm.cpu"}`, `palm.cpu`), "palm.cpu", false},
		} {
			l, err := tt.find(tt.sel)
			got := strings.Join(l.Found, " ")
			if err != nil {
				got = fmt.Sprint("! ", err)
				if kindOf(t, err).Kind != BadData {
					t.Errorf("%d: kind %d", i, kindOf(t, err).Kind)
				}
			}
			if !strings.HasPrefix(got, tt.want) || err == nil && got != tt.want || (len(l.Warnings) > 0) != tt.warn {
				t.Errorf("%d: got %q, warnings %q, want %q", i, got, l.Warnings, tt.want)
			}
		}
	})
}

func TestFormat(t *testing.T) {
	e := New(nil, Options{})
	long := `sum by(host) (rate(a_metric_with_a_long_name{job="x"}[5m])) / sum by(host) (rate(another_metric_with_a_long_name[5m]))`
	for expr, want := range map[string]string{
		`sum( rate(palm.cpu [5m]) )by(host)`: `sum by (host) (rate(palm.cpu[5m]))`,
		long: `  sum by (host) (rate(a_metric_with_a_long_name{job="x"}[5m]))
/
  sum by (host) (rate(another_metric_with_a_long_name[5m]))`,
	} {
		if got, err := e.Format(expr); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", expr, got, err, want)
		}
	}
	for _, f := range []func() error{
		func() error { _, err := e.Format("a b"); return err },
		func() error { _, err := e.Parse("a b"); return err },
	} {
		if err := kindOf(t, f()); err.Kind != BadData || err.Start != 2 || err.End != 3 {
			t.Errorf("%+v", err)
		}
	}
}
