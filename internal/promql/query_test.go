package promql

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// text returns a value on lines, without what depends on the order of a Vector.
func text(v Value) string { return strings.ReplaceAll(v.String(), "\n", " | ") }

func at(seconds int64) time.Time { return time.Unix(seconds, 0) }

// fill makes the series that the queries below are about: at 0 s, 15 s, … 585 s.
func fill(t *testing.T, store storage.Store) {
	put(t, store, "palm.cpu", 0, 15_000, count(0, 40)...)
	put(t, store, "cpu;host=b;core=1", 0, 15_000, count(100, 40)...)
	put(t, store, "cpu;core=0;host=a", 0, 15_000, count(200, 40)...)
	put(t, store, ";host=a;only=tags", 0, 15_000, count(300, 40)...)
	put(t, store, "lines;text=a%0Ab", 0, 15_000, 7)
	put(t, store, "gone", 0, 15_000, 1, 2, math.Float64frombits(value.StaleNaN))
}

func TestInstant(t *testing.T) {
	tests := []struct {
		expr string
		at   int64
		want string
	}{
		{`palm.cpu`, 20, `{__name__="palm.cpu"} => 1 @[20000]`},
		{`{"palm.cpu"}`, 20, `{__name__="palm.cpu"} => 1 @[20000]`},
		{`increase(palm.cpu[1m])`, 300, `{} => 4 @[300000]`},
		{`cpu{host="b"}`, 585, `{__name__="cpu", core="1", host="b"} => 139 @[585000]`},
		{`cpu{host=~"b|c",core!=""}`, 585, `{__name__="cpu", core="1", host="b"} => 139 @[585000]`},
		{`cpu{host!~"b.*"}`, 585, `{__name__="cpu", core="0", host="a"} => 239 @[585000]`},
		{`sum(cpu)`, 0, `{} => 300 @[0]`},
		{`{only="tags"}`, 0, `{host="a", only="tags"} => 300 @[0]`},
		{`lines{text=~"a.b"}`, 0, `{__name__="lines", text="a` + "\\n" + `b"} => 7 @[0]`},
		{`palm.cpu`, 584 + 301, ``},
		{`palm.cpu offset 1m`, 60, `{__name__="palm.cpu"} => 0 @[60000]`},
		{`palm.cpu offset -1m`, 0, `{__name__="palm.cpu"} => 4 @[0]`},
		{`palm.cpu @ 30`, 500, `{__name__="palm.cpu"} => 2 @[500000]`},
		{`count_over_time(palm.cpu[5m:])`, 585, `{} => 5 @[585000]`}, // a step of a minute
		{`gone`, 15, `{__name__="gone"} => 2 @[15000]`},
		{`gone`, 30, ``},
		{`gone[1m]`, 30, `{__name__="gone"} => | 1 @[0] | 2 @[15000]`},
		{`absent(nothing{a="b"})`, 1, `{a="b"} => 1 @[1000]`},
		{`1+1`, 1, `scalar: 2 @[1000]`},
		{`"x"`, 1, `x`},
	}
	stores(t, func(t *testing.T, store storage.Store) {
		fill(t, store)
		e := New(store, Options{})
		for _, tt := range tests {
			r, err := e.Instant(t.Context(), tt.expr, at(tt.at), QueryOptions{})
			if err != nil {
				t.Errorf("%s: %v", tt.expr, err)
				continue
			}
			if got := text(r.Value); got != tt.want {
				t.Errorf("%s at %d: got %s, want %s", tt.expr, tt.at, got, tt.want)
			}
			r.Close()
		}
	})
}

func TestRange(t *testing.T) {
	stores(t, func(t *testing.T, store storage.Store) {
		fill(t, store)
		e := New(store, Options{})
		for _, tt := range []struct{ expr, want string }{
			{`cpu`, `{__name__="cpu", core="0", host="a"} => | 204 @[60000] | 208 @[120000] | {__name__="cpu", core="1", host="b"} => | 104 @[60000] | 108 @[120000]`},
			{`increase(palm.cpu[30s])`, `{} => | 2 @[60000] | 2 @[120000]`},
			{`scalar(palm.cpu)`, `{} => | 4 @[60000] | 8 @[120000]`},
		} {
			r, err := e.Range(t.Context(), tt.expr, at(60), at(179), time.Minute, QueryOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := text(r.Value); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
			}
			r.Close()
		}
	})
}

// TestBits: every value comes through with its bits, but for stale markers, which are not samples to PromQL.
func TestBits(t *testing.T) {
	values := []float64{
		0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.Float64frombits(1), math.MaxFloat64,
		math.Float64frombits(0x7ff8000000000001), math.Float64frombits(0xfff8000000000000), math.Float64frombits(0x7ff0000000000003),
	}
	stores(t, func(t *testing.T, store storage.Store) {
		put(t, store, "x", -4000, 1000, values...)
		r, err := New(store, Options{}).Instant(t.Context(), "x[1m]", at(10), QueryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m := r.Value.(Matrix)
		if len(m) != 1 || len(m[0].Floats) != len(values) {
			t.Fatalf("got %s, want %d samples", m, len(values))
		}
		for i, p := range m[0].Floats {
			if want := int64(i)*1000 - 4000; p.T != want || math.Float64bits(p.F) != math.Float64bits(values[i]) {
				t.Errorf("sample %d: got %x at %d, want %x at %d", i, math.Float64bits(p.F), p.T, math.Float64bits(values[i]), want)
			}
		}
	})
}

func TestQueryOptions(t *testing.T) {
	stores(t, func(t *testing.T, store storage.Store) {
		fill(t, store)
		e := New(store, Options{})
		r, err := e.Instant(t.Context(), "palm.cpu", at(595), QueryOptions{LookbackDelta: 5 * time.Second})
		if err != nil || text(r.Value) != "" || r.Stats != nil {
			t.Errorf("with a lookback of 5s: %v, %v", r, err)
		}
		r, err = e.Range(t.Context(), "cpu", at(0), at(60), time.Minute, QueryOptions{Limit: 1, StepStats: true})
		if err != nil {
			t.Fatal(err)
		}
		if m := r.Value.(Matrix); len(m) != 1 || len(r.Warnings) != 1 || r.Warnings[0] != truncated {
			t.Errorf("with a limit of 1: %s, warnings %q", m, r.Warnings)
		}
		samples := r.Stats.Builtin().Samples
		if samples.TotalQueryableSamples != 4 || len(samples.TotalQueryableSamplesPerStep) != 2 {
			t.Errorf("stats: %+v", samples)
		}
		r.Close()
		r.Close()
		r, err = e.Range(t.Context(), "rate(cpu[1m])", at(0), at(60), time.Minute, QueryOptions{Limit: 5, Stats: true})
		if err != nil {
			t.Fatal(err)
		}
		if samples := r.Stats.Builtin().Samples; samples.TotalQueryableSamplesPerStep != nil || samples.TotalQueryableSamples == 0 {
			t.Errorf("stats: %+v", samples)
		}
		if len(r.Warnings) != 0 || len(r.Infos) != 1 || !strings.Contains(r.Infos[0], "might not be a counter") {
			t.Errorf("warnings %q, infos %q", r.Warnings, r.Infos)
		}
	})
}

// TestVersion: the version that is told to clients is that of the module.
func TestVersion(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(PrometheusVersion, "%d.%d.%d", &major, &minor, &patch); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("\tgithub.com/prometheus/prometheus v0.%d%02d.%d\n", major, minor, patch)
	if !strings.Contains(string(mod), want) {
		t.Errorf("PrometheusVersion is %s, and go.mod has no line %q", PrometheusVersion, want)
	}
}

// TestBounds: what is selected is what the expression needs, no more.
func TestBounds(t *testing.T) {
	store := &hooked{Store: open(t, tsdb.Options{})}
	fill(t, store)
	e := New(store, Options{})
	var got []storage.Query
	store.onSelect = func(_ context.Context, q storage.Query) { got = append(got, q) }
	r, err := e.Range(t.Context(), `rate(palm.cpu[1m]) + on() gone offset 10s`, at(100), at(200), time.Minute, QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	want := [][2]int64{{100_000 - 59_999, 200_000}, {100_000 - 10_000 - 299_999, 200_000 - 10_000}}
	if len(got) != len(want) {
		t.Fatalf("%d times selected", len(got))
	}
	for i, q := range got {
		if q.Mint != want[i][0] || q.Maxt != want[i][1] {
			t.Errorf("selected %d to %d, want %d to %d", q.Mint, q.Maxt, want[i][0], want[i][1])
		}
	}
}
