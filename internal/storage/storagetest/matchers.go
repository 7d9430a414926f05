package storagetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"metricd/internal/storage"
)

func matcherChecks() []check {
	return []check{
		{"Table", matcherTable},
		{"Escaped", matchEscaped},
		{"Ranges", matchInRange},
		{"ManyValues", matchManyValues},
		{"AgainstScan", matchAgainstScan},
		{"NewSeries", matchNewSeries},
	}
}

// matcherTable: the series are numbered by their values, and each query names the numbers
// that it gives.
func matcherTable(f *fixture) {
	keys := []string{"cpu;host=a;core=1", "cpu;host=a;core=2", "cpu;host=b;core=1", "mem;host=a", "mem;host=b", "up", ";host=a", "cpu;host=ab", "cpu;Host=a"}
	lines := make([]string, len(keys))
	for i, k := range keys {
		lines[i] = k + " 1=" + strconv.Itoa(i)
	}
	f.put(lines...)
	const name = storage.MetricName
	tests := []struct {
		query []string
		want  []int
	}{
		{nil, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
		{[]string{name + "=cpu"}, []int{0, 1, 2, 7, 8}},
		{[]string{name + "="}, []int{6}},
		{[]string{name + "!="}, []int{0, 1, 2, 3, 4, 5, 7, 8}},
		{[]string{"host=a"}, []int{0, 1, 3, 6}},
		{[]string{"host!=a"}, []int{2, 4, 5, 7, 8}},
		{[]string{"host="}, []int{5, 8}},
		{[]string{"host!="}, []int{0, 1, 2, 3, 4, 6, 7}},
		{[]string{"core="}, []int{3, 4, 5, 6, 7, 8}},
		{[]string{"core!=1"}, []int{1, 3, 4, 5, 6, 7, 8}},
		{[]string{"host=~a"}, []int{0, 1, 3, 6}},
		{[]string{"host=~a|b"}, []int{0, 1, 2, 3, 4, 6}},
		{[]string{"host=~a.*"}, []int{0, 1, 3, 6, 7}},
		{[]string{"host=~.*"}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
		{[]string{"host=~.+"}, []int{0, 1, 2, 3, 4, 6, 7}},
		{[]string{"host=~b?"}, []int{2, 4, 5, 8}},
		{[]string{"host=~a|"}, []int{0, 1, 3, 5, 6, 8}},
		{[]string{"host=~"}, []int{5, 8}},
		{[]string{"host=~(?i)A"}, []int{0, 1, 3, 6}},
		{[]string{"host=~[bc]"}, []int{2, 4}},
		{[]string{"host!~a"}, []int{2, 4, 5, 7, 8}},
		{[]string{"host!~a|b"}, []int{5, 7, 8}},
		{[]string{"host!~a.*"}, []int{2, 4, 5, 8}},
		{[]string{"host!~.*"}, nil},
		{[]string{"host!~.+"}, []int{5, 8}},
		{[]string{"host!~"}, []int{0, 1, 2, 3, 4, 6, 7}},
		{[]string{"none="}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
		{[]string{"none!="}, nil},
		{[]string{"none=x"}, nil},
		{[]string{"none!=x"}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
		{[]string{"none!~x"}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
		{[]string{"host=a", "core=1"}, []int{0}},
		{[]string{"host=a", "core="}, []int{3, 6}},
		{[]string{name + "=cpu", "host=~a|b", "core!=2"}, []int{0, 2}},
		{[]string{"host!=a", "host!=b"}, []int{5, 7, 8}},
		{[]string{"host=a", "host=b"}, nil},
		{[]string{"host=~a.*", "host!~.*b"}, []int{0, 1, 3, 6}},
		{[]string{name + "=~cpu|mem", "core!~1|2", "host!="}, []int{3, 4, 7}},
		{[]string{name + "=host"}, nil},
	}
	f.step()
	for _, tt := range tests {
		var want []string
		for _, i := range tt.want {
			want = append(want, lines[i])
		}
		f.compare("", where(tt.query...), want)
	}
	f.want(where("Host=a"), lines[8])
}

// matchEscaped: matchers see labels, not their spelling.
func matchEscaped(f *fixture) {
	f.put("a%20b; 1=1", "c;p=/x%20y%3Bz 1=2", "a%20b 1=3", "c;n=1%0A2 1=4")
	f.want(where(storage.MetricName+"=a b"), "a%20b; 1=1")
	f.want(where(storage.MetricName+"=a%20b"), "a%20b 1=3")
	f.want(where("p=/x y;z"), "c;p=/x%20y%3Bz 1=2")
	f.want(where("n=~1.2"), "c;n=1%0A2 1=4")
	f.want(where(storage.MetricName+"=~a.+b"), "a%20b; 1=1", "a%20b 1=3")
}

func matchInRange(f *fixture) {
	f.put("a;h=1 1=1 5=1", "b;h=1 3=1", "c;h=2 1=1 3=1")
	f.want(during(where("h=1"), 2, 4), "b;h=1 3=1")
	f.want(during(where("h=~.+"), 1, 1), "a;h=1 1=1", "c;h=2 1=1")
	f.want(during(where("h!=1"), 4, 9))
}

// matchManyValues: a label with hundreds of values, beside one with two.
func matchManyValues(f *fixture) {
	const n = 600
	lines := make([]string, n)
	for i := range lines {
		lines[i] = "m;i=" + strconv.Itoa(i) + ";p=" + strconv.Itoa(i%2) + " 1=1"
	}
	f.put(lines...)
	f.want(where("i=599"), lines[599])
	f.want(where("i=~59.", "p=1"), lines[591], lines[593], lines[595], lines[597], lines[599])
	f.want(where("i=~7|300|nothing"), lines[7], lines[300])
	f.want(where("i!~..|..."), lines[:10]...)
	f.want(where("i=~..?", "i!~.", "p!=0", "i!=99", "i!~[1-8]."), lines[91], lines[93], lines[95], lines[97])
	f.want(where("i=599", "p=0"))
}

// scanned are conditions that engines may answer in quite different ways. Each is tried on all series, and with each other one.
var scanned = []string{
	"host=host_0042", "host!=host_0042", "host=", "host!=", "none=", "none!=",
	"host=~host_00[0-9]{2}", "host=~host_00[0-9]+", "host=~host_01.*", "host!~host_01.*", "host=~host_1.+1", "host=~.*7", "host=~.*_0.*3.*",
	"host=~host_0001|host_0500|nothing", "host!~host_0001|host_0500|nothing", "host=~(?i)HOST_00.7", "host=~|host_0003", "host!~|host_00.*",
	"host=~.*", "host=~.+", "host!~.*", "host!~.+", "host=~^host_0003$", "host=~(host|none)_0(1|2)0[0-3]", "host=~h.*t_.*0", "host=~[^h].*",
	"rack=r7", "rack!=r7", "rack=~r[1-3]", "rack=~r1|r2|", "zone=~a|b", "zone=b", "zone!~a",
	storage.MetricName + "=cpu", storage.MetricName + "=~c.*|m.*", storage.MetricName + "!=cpu",
}

func matchAgainstScan(f *fixture) {
	const n = 800
	keys := make([]string, n)
	rows := make([]row, n)
	for i := range keys {
		keys[i] = []string{"cpu", "mem", "disk"}[i%3]
		if h := i * 7 % n; i%5 > 0 {
			keys[i] += fmt.Sprintf(";host=host_%04d;rack=r%d", h, h%20)
		}
		keys[i] += ";n=" + strconv.Itoa(i)
		if i%2 > 0 {
			keys[i] += ";zone=" + string(rune('a'+i%4))
		}
		rows[i] = row{keys[i], 1, 1}
	}
	f.append(rows...)
	f.step()
	for i, one := range scanned {
		for _, other := range scanned[i:] {
			q := where(one, other)
			var want []string
			for _, k := range keys {
				if storage.MatchAll(q.Matchers, storage.ParseKey(k)) {
					want = append(want, k+" 1=1")
				}
			}
			f.compare("", q, want)
		}
	}
}

// matchNewSeries: series that come between queries, and while one is read, which may show them or not.
func matchNewSeries(f *fixture) {
	var lines []string
	for i := range 30 {
		for j := range 40 {
			lines = append(lines, fmt.Sprintf("m;i=%d;j=%d 1=%d", i, j, i))
		}
		f.put(lines[i*40:]...)
		f.compare("", where("i="+strconv.Itoa(i)), lines[i*40:])
		f.compare("", where("i=~.*", "j=39", "i!~1."), every(lines, 39, 40, func(i int) bool { return i < 10 || i > 19 }))
	}
	set := f.store.Select(f.Context(), where("j=~.+"))
	defer set.Close()
	var got []string
	for len(got) < len(lines) && set.Next() {
		f.put(fmt.Sprintf("new;j=%d 1=1", len(got)%7), fmt.Sprintf("m;i=0;j=%d 1=0", len(got)%40))
		if key := set.At().Key(); !strings.HasPrefix(key, "new") {
			got = append(got, key)
		}
	}
	if set.Err() != nil {
		f.Fatalf("%v", set.Err())
	}
	var want []string
	for _, line := range lines {
		key, _, _ := strings.Cut(line, " ")
		want = append(want, key)
	}
	if f.engine.Without.Order {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		f.Fatalf("while series came: got %s, want %s", brief(got), brief(want))
	}
}

// every returns each step-th of lines from first on, counted, for which keep says yes.
func every(lines []string, first, step int, keep func(i int) bool) (kept []string) {
	for i := 0; first+i*step < len(lines); i++ {
		if keep(i) {
			kept = append(kept, lines[first+i*step])
		}
	}
	return kept
}
