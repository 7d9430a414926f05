package index

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"metricd/internal/storage"
)

// feed adds keys to an index, as series with ids 10, 20 and so on and their ids as Refs.
func feed(t testing.TB, x *Index, keys []string) {
	t.Helper()
	err := x.Update(context.Background(), uint64(len(keys))*10, len(keys), func(after uint64, buf []Series) []Series {
		for i := int(after) / 10; i < len(keys) && len(buf) < cap(buf); i++ {
			id := uint64(i+1) * 10
			buf = append(buf, Series{id, storage.Ref(id), keys[i]})
		}
		return buf
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mustSelect(t interface{ Fatal(...any) }, sel func(context.Context, []storage.Matcher) (*Postings, error), ms []storage.Matcher) *Postings {
	p, err := sel(context.Background(), ms)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// found reads all of a Select, and tries Rest as owners do.
func found(p *Postings, keys []string) (got []string) {
	for ref, ok := p.Next(); ok; ref, ok = p.Next() {
		if key := keys[ref/10-1]; storage.MatchAll(p.Rest(), storage.ParseKey(key)) {
			got = append(got, key)
		}
	}
	return got
}

func scan(ms []storage.Matcher, keys []string) (want []string) {
	for _, key := range keys {
		if storage.MatchAll(ms, storage.ParseKey(key)) {
			want = append(want, key)
		}
	}
	return want
}

// TestSelectAgainstScan compares random matchers over random series, which come in several Updates with queries in between.
func TestSelectAgainstScan(t *testing.T) {
	names := []string{storage.MetricName, "host", "core", "none"}
	value := rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "ab", "abc", "host_01", "host_02", "x.y", "é", "a\xff"}), rapid.StringMatching(`[ab]{1,3}`))
	expr := rapid.OneOf(
		rapid.SampledFrom([]string{"", "a", "a|b", "a.*", ".*b", ".+", ".*", "a.+", "host_0[12]", "host_.+", "(?i)A.*", "a|", "b?", "[ab]+", ".*b.*", "é|a.", "nothing"}),
		rapid.StringMatching(`[ab]{1,2}(\.\*|\.\+|)[ab]?`),
	)
	rapid.Check(t, func(t *rapid.T) {
		x := &Index{}
		var keys []string
		for range rapid.IntRange(1, 4).Draw(t, "updates") {
			for range rapid.IntRange(0, 60).Draw(t, "series") {
				ls, _ := storage.NewLabels(
					storage.Label{Name: storage.MetricName, Value: value.Draw(t, "name")},
					storage.Label{Name: "host", Value: rapid.OneOf(value, rapid.Just("")).Draw(t, "host")},
					storage.Label{Name: "core", Value: rapid.OneOf(rapid.Just(""), rapid.SampledFrom([]string{"1", "2"})).Draw(t, "core")},
				)
				keys = append(keys, string(storage.AppendKey(nil, ls))) // some come twice: as after a series ended
			}
			var pb testing.B
			feed(&pb, x, keys)
			for range 5 {
				var ms []storage.Matcher
				for range rapid.IntRange(0, 4).Draw(t, "matchers") {
					typ := storage.MatchType(rapid.IntRange(0, 3).Draw(t, "type"))
					gen := value
					if typ >= storage.MatchRegexp {
						gen = expr
					}
					m, err := storage.NewMatcher(rapid.SampledFrom(names).Draw(t, "label"), typ, rapid.OneOf(gen, rapid.Just("")).Draw(t, "value"))
					if err == nil {
						ms = append(ms, m)
					}
				}
				compare(t, x, keys, ms)
			}
		}
	})
}

func compare(t *rapid.T, x *Index, keys []string, ms []storage.Matcher) {
	want := scan(ms, keys)
	for _, p := range []*Postings{mustSelect(t, x.Select, ms), mustSelect(t, x.SelectAll, ms)} {
		if got := found(p, keys); !slices.Equal(got, want) {
			t.Fatalf("%v: got %q, want %q", ms, got, want)
		}
		if id := p.LastID(); id != uint64(len(keys))*10 {
			t.Fatalf("last id %d of %d series", id, len(keys))
		}
	}
	name := "host"
	var own, others []storage.Matcher
	for _, m := range ms {
		if m.Name == name {
			own = append(own, m)
		} else {
			others = append(others, m)
		}
	}
	values := map[string]int{}
	names := map[string]int{}
	for _, key := range want {
		ls := storage.ParseKey(key)
		if v := ls.Get(name); v != "" {
			values[v]++
		}
		for _, l := range ls {
			names[l.Name]++
		}
	}
	last := ""
	kept := x.VisitValues(context.Background(), name, own, mustSelect(t, x.SelectAll, others).Places(), func(v string, refs *Refs) (keep, more bool) {
		if v <= last {
			t.Fatalf("value %q after %q", v, last)
		}
		last = v
		if n := count(refs); n != values[v] {
			t.Fatalf("%v: value %q has %d series, want %d", ms, v, n, values[v])
		}
		return values[v] > 0, true
	})
	if want := slices.Sorted(maps.Keys(values)); !slices.Equal(kept, want) {
		t.Fatalf("%v: values %q, want %q", ms, kept, want)
	}
	x.VisitNames(mustSelect(t, x.SelectAll, ms).Places(), func(n string, refs *Refs) bool {
		if got := count(refs); got != names[n] {
			t.Fatalf("%v: label %q has %d series, want %d", ms, n, got, names[n])
		}
		return true
	})
}

func count(refs *Refs) (n int) {
	for _, ok := refs.Next(); ok; _, ok = refs.Next() {
		n++
	}
	return n
}

// TestRest: what few series are left to be tried on is not looked up among a hundred thousand values.
func TestRest(t *testing.T) {
	keys := hosts(20_000, 2)
	x := &Index{}
	feed(t, x, keys)
	ms := []storage.Matcher{
		mustMatcher(t, "host", storage.MatchRegexp, ".*1[0-9]+7.*"),
		mustMatcher(t, "rack", storage.MatchEqual, "r7"),
		mustMatcher(t, "zone", storage.MatchNotEqual, ""),
		mustMatcher(t, "core", storage.MatchRegexp, "1|2"),
	}
	p := mustSelect(t, x.Select, ms)
	if len(p.Rest()) != 2 {
		t.Errorf("rest %v", p.Rest())
	}
	if got, want := found(p, keys), scan(ms, keys); !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestStays: what Select returned is the same while series are added, and when the index begins anew.
func TestStays(t *testing.T) {
	keys := hosts(1000, 3)
	ms := []storage.Matcher{mustMatcher(t, "core", storage.MatchEqual, "1"), mustMatcher(t, "zone", storage.MatchRegexp, "z[0-2]|z1[0-9]*")}
	for n := 1; n < len(keys); n += 131 {
		x := &Index{}
		feed(t, x, keys[:n])
		p := mustSelect(t, x.Select, ms)
		feed(t, x, keys)
		for range 3 { // the owner has none of these any more
			err := x.Update(t.Context(), 1<<21, 0, func(after uint64, buf []Series) []Series {
				if after < 1<<20 {
					for i := range uint64(1000) {
						buf = append(buf, Series{1<<20 + i, 1, "x;y=" + strconv.Itoa(int(i))})
					}
				}
				return buf
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got, want := found(p, keys), scan(ms, keys[:n]); !slices.Equal(got, want) {
			t.Fatalf("%d series: got %q, want %q", n, got, want)
		}
	}
}

// TestBeginsAnew: series that come and go don't make it grow for ever.
func TestBeginsAnew(t *testing.T) {
	const live = 1000
	x := &Index{}
	var most int64
	for round := range uint64(50) {
		first := round*live + 1
		err := x.Update(t.Context(), first+live-1, live, func(after uint64, buf []Series) []Series {
			for id := max(after+1, first); id < first+live && len(buf) < cap(buf); id++ {
				buf = append(buf, Series{id, storage.Ref(id), fmt.Sprintf("m;i=%d", id)})
			}
			return buf
		})
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, x.Bytes())
	}
	if _, n := x.State(); n > 3*live+deadSlack || most > 1<<20 {
		t.Errorf("%d series, %d bytes at most, for %d that live", n, most, live)
	}
}

// TestUpdateEnds: with a done context it stops, and goes on later.
func TestUpdateEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	x := &Index{}
	err := x.Update(ctx, 9, 2, func(after uint64, buf []Series) []Series {
		cancel()
		return append(buf, Series{after + 1, 1, "a"})
	})
	if id, n := x.State(); err == nil || id != 1 || n != 1 {
		t.Errorf("got %v, id %d, %d series", err, id, n)
	}
}

// hosts returns n keys with five tags, cores of them for each host.
func hosts(n, cores int) []string {
	keys := make([]string, n)
	for i := range keys {
		h := i / cores
		keys[i] = fmt.Sprintf("cpu.usage;core=%d;env=%s;host=host_%05d;rack=r%d;zone=z%d", i%cores, []string{"prod", "dev"}[h%2], h, h%1000, h%20)
	}
	return keys
}

// TestSelectEnds: with a done context an expression is not tried on all values, and what was not tried is tried later.
func TestSelectEnds(t *testing.T) {
	keys := hosts(20_000, 1)
	x := &Index{}
	feed(t, x, keys)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ms := []storage.Matcher{mustMatcher(t, "host", storage.MatchRegexp, ".*[0-9]{2}9[0-4]*")}
	if _, err := x.Select(ctx, ms); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if got, want := found(mustSelect(t, x.Select, ms), keys), scan(ms, keys); !slices.Equal(got, want) || len(got) == 0 {
		t.Fatalf("%d series, want %d", len(got), len(want))
	}
}
