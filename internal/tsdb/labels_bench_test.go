package tsdb

import (
	"fmt"
	"testing"

	"metricd/internal/storage"
)

// Figures: go test -run '^$' -bench 'Labels|Matchers|FirstQuery' ./internal/tsdb

// fillHosts puts one sample of each of n series with five tags, of which each has a host of its own.
func fillHosts(b *testing.B, db *DB, n int) {
	b.Helper()
	app := db.Appender()
	var rows []storage.Row
	for i := range n {
		key := fmt.Sprintf("cpu.usage;core=%d;env=%s;host=host_%05d;rack=r%d;zone=z%d", i%8, []string{"prod", "dev"}[i%2], i*7919%n, i%1000, i%20)
		rows = append(rows, storage.Row{Key: []byte(key), T: int64(i), V: 1})
		if len(rows) == 1000 || i == n-1 {
			if _, err := app.Append(batch(rows...)); err != nil {
				b.Fatal(err)
			}
			rows = rows[:0]
		}
	}
}

func benchMatcher(b *testing.B, name string, t storage.MatchType, value string) storage.Matcher {
	b.Helper()
	m, err := storage.NewMatcher(name, t, value)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// warm lets the index be made and sorted.
func warm(b *testing.B, db *DB) {
	b.Helper()
	if _, err := db.LabelValues(b.Context(), "host", storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLabelValues asks for all values of a label that each of 100,000 series has another one of.
func BenchmarkLabelValues(b *testing.B) {
	const n = 100_000
	db := mustOpen(b, Options{})
	defer db.Close()
	fillHosts(b, db, n)
	all := storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime}
	prod := all
	prod.Matchers = []storage.Matcher{benchMatcher(b, "env", storage.MatchEqual, "prod")}
	one := all
	one.Matchers = []storage.Matcher{benchMatcher(b, "rack", storage.MatchEqual, "r7")}
	for _, bb := range []struct {
		name string
		q    storage.Query
		want int
	}{
		{"all", all, n},
		{"in-range", storage.Query{Mint: 0, Maxt: n / 2}, n/2 + 1},
		{"of-half", prod, n / 2},
		{"of-hundred", one, n / 1000},
	} {
		b.Run(bb.name, func(b *testing.B) {
			warm(b, db)
			for b.Loop() {
				if values, err := db.LabelValues(b.Context(), "host", bb.q); err != nil || len(values) != bb.want {
					b.Fatal(len(values), err)
				}
			}
		})
	}
	if err := db.Delete(b.Context(), storage.Query{Key: "cpu.usage;core=0;env=prod;host=host_00000;rack=r0;zone=z0", Mint: storage.MinTime, Maxt: storage.MaxTime}); err != nil {
		b.Fatal(err)
	}
	b.Run("one-ended", func(b *testing.B) {
		for b.Loop() {
			if values, err := db.LabelValues(b.Context(), "host", all); err != nil || len(values) != n-1 {
				b.Fatal(len(values), err)
			}
		}
	})
}

// BenchmarkMatchers finds series among 100,000, without reading their samples.
func BenchmarkMatchers(b *testing.B) {
	db := mustOpen(b, Options{})
	defer db.Close()
	fillHosts(b, db, 100_000)
	eq, ne, re := storage.MatchEqual, storage.MatchNotEqual, storage.MatchRegexp
	for _, bb := range []struct {
		name string
		ms   []storage.Matcher
	}{
		{"equal", []storage.Matcher{benchMatcher(b, "host", eq, "host_00777")}},
		{"two-equal", []storage.Matcher{benchMatcher(b, "rack", eq, "r7"), benchMatcher(b, "zone", eq, "z7")}},
		{"equal-not", []storage.Matcher{benchMatcher(b, "rack", eq, "r7"), benchMatcher(b, "env", ne, "prod")}},
		{"class", []storage.Matcher{benchMatcher(b, "host", re, "host_00[0-9]{3}")}},
		{"prefix", []storage.Matcher{benchMatcher(b, "host", re, "host_00.*")}},
		{"contains", []storage.Matcher{benchMatcher(b, "host", re, ".*_00.*")}},
		{"suffix", []storage.Matcher{benchMatcher(b, "host", re, ".*[0-4]7")}},
		{"half", []storage.Matcher{benchMatcher(b, "env", eq, "prod")}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			warm(b, db)
			n := 0
			for b.Loop() {
				set := db.Select(b.Context(), storage.Query{Matchers: bb.ms, Mint: storage.MinTime, Maxt: storage.MaxTime})
				for n = 0; set.Next(); n++ {
				}
				if set.Err() != nil {
					b.Fatal(set.Err())
				}
				set.Close()
			}
			b.ReportMetric(float64(n), "series")
		})
	}
}

// BenchmarkFirstQuery is the first query with a matcher: it makes the index.
func BenchmarkFirstQuery(b *testing.B) {
	q := storage.Query{Matchers: []storage.Matcher{benchMatcher(b, "host", storage.MatchEqual, "host_00777")}, Mint: storage.MinTime, Maxt: storage.MaxTime}
	for b.Loop() {
		b.StopTimer()
		db := mustOpen(b, Options{})
		fillHosts(b, db, 100_000)
		b.StartTimer()
		set := db.Select(b.Context(), q)
		set.Next()
		set.Close()
		b.StopTimer()
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
