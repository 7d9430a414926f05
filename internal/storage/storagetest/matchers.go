package storagetest

import (
	"strconv"

	"metricd/internal/storage"
)

func matcherChecks() []check {
	return []check{
		{"Table", matcherTable},
		{"Escaped", matchEscaped},
		{"Ranges", matchInRange},
		{"ManyValues", matchManyValues},
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
