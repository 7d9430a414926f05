package index

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"metricd/internal/storage"
)

// Figures: go test -run '^$' -bench . ./internal/tsdb/index

// BenchmarkBuild adds series to an empty index; B/series is what its memory grows by, without keys.
func BenchmarkBuild(b *testing.B) {
	for _, bb := range []struct {
		name string
		keys []string
	}{
		{"tags=5/series=100000", hosts(100_000, 10)},
		{"tags=5/series=100000/host-alone", hosts(100_000, 1)},
		{"tags=0/series=1000000", plain(1_000_000)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				x := &Index{}
				feed(b, x, bb.keys)
				b.ReportMetric(float64(heap()-before)/float64(len(bb.keys)), "B/series")
				b.ReportMetric(float64(x.Bytes())/float64(len(bb.keys)), "counted-B/series")
			}
		})
	}
}

// BenchmarkFirstSort is what the first query pays that wants values in order: a million names.
func BenchmarkFirstSort(b *testing.B) {
	keys := plain(1_000_000)
	for b.Loop() {
		b.StopTimer()
		x := &Index{}
		feed(b, x, keys)
		b.StartTimer()
		x.VisitValues(b.Context(), storage.MetricName, nil, nil, func(string, *Refs) (keep, more bool) { return false, false })
	}
}

// heap returns the bytes of objects that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func plain(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("servers.host%06d.cpu.usage", (i*7919)%n)
	}
	return keys
}

func BenchmarkSelect(b *testing.B) {
	keys := hosts(100_000, 1) // a host each
	x := &Index{}
	feed(b, x, keys)
	eq, ne, re, nre := storage.MatchEqual, storage.MatchNotEqual, storage.MatchRegexp, storage.MatchNotRegexp
	for _, bb := range []struct {
		name string
		ms   []storage.Matcher
	}{
		{"equal", []storage.Matcher{mustMatcher(b, "host", eq, "host_00777")}},
		{"two-equal", []storage.Matcher{mustMatcher(b, "rack", eq, "r7"), mustMatcher(b, "env", eq, "prod")}},
		{"equal-not", []storage.Matcher{mustMatcher(b, "rack", eq, "r7"), mustMatcher(b, "env", ne, "prod")}},
		{"name-not", []storage.Matcher{mustMatcher(b, storage.MetricName, eq, "cpu.usage"), mustMatcher(b, "env", ne, "prod")}},
		{"class", []storage.Matcher{mustMatcher(b, "host", re, "host_00[0-9]{3}")}},
		{"regexp-100", []storage.Matcher{mustMatcher(b, "host", re, "host_00[0-9]+")}},
		{"prefix-10000", []storage.Matcher{mustMatcher(b, "host", re, "host_0.*")}},
		{"contains", []storage.Matcher{mustMatcher(b, "host", re, ".*_00.*")}},
		{"contains-first", []storage.Matcher{mustMatcher(b, "host", re, ".*_00.*")}},
		{"suffix-class-first", []storage.Matcher{mustMatcher(b, "host", re, ".*[0-4]7")}},
		{"suffix-class", []storage.Matcher{mustMatcher(b, "host", re, ".*[0-4]7")}},
		{"set", []storage.Matcher{mustMatcher(b, "host", re, "host_00001|host_00500|host_99999|none")}},
		{"any", []storage.Matcher{mustMatcher(b, "host", re, ".+")}},
		{"not-regexp", []storage.Matcher{mustMatcher(b, "rack", eq, "r7"), mustMatcher(b, "host", nre, "host_0.*")}},
		{"rest", []storage.Matcher{mustMatcher(b, "rack", eq, "r7"), mustMatcher(b, "host", re, ".*[0-4]7")}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				if strings.HasSuffix(bb.name, "-first") {
					x.mu.labels["host"].memory.kept = nil
				}
				n = 0
				p := mustSelect(b, x.Select, bb.ms)
				for _, ok := p.Next(); ok; _, ok = p.Next() {
					n++
				}
			}
			b.ReportMetric(float64(n), "series")
		})
	}
}

func BenchmarkValues(b *testing.B) {
	x := &Index{}
	feed(b, x, hosts(100_000, 1))
	for _, bb := range []struct {
		name   string
		own    []storage.Matcher
		others []storage.Matcher
	}{
		{"all", nil, nil},
		{"prefix", []storage.Matcher{mustMatcher(b, "host", storage.MatchRegexp, "host_00.*")}, nil},
		{"of-half", nil, []storage.Matcher{mustMatcher(b, "env", storage.MatchEqual, "dev")}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				var among *Places
				if bb.others != nil {
					among = mustSelect(b, x.SelectAll, bb.others).Places()
				}
				x.VisitValues(b.Context(), "host", bb.own, among, func(v string, refs *Refs) (keep, more bool) {
					_, ok := refs.Next()
					return ok, true
				})
			}
		})
	}
}
