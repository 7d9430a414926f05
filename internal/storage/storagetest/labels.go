package storagetest

import (
	"context"
	"slices"
	"strconv"

	"metricd/internal/storage"
)

func labelChecks() []check {
	return []check{
		{"Names", labelNames},
		{"Values", labelValues},
		{"Unescaped", labelsUnescaped},
		{"AfterDelete", labelsAfterDelete},
		{"Many", manyLabelValues},
	}
}

func (f *fixture) wantNames(q storage.Query, want ...string) {
	f.Helper()
	got, err := f.store.LabelNames(context.Background(), q)
	if err != nil || !slices.Equal(got, want) {
		f.Fatalf("LabelNames(%s) = %q, %v, want %q", queryText(q), got, err, want)
	}
}

func (f *fixture) wantValues(name string, q storage.Query, want ...string) {
	f.Helper()
	got, err := f.store.LabelValues(context.Background(), name, q)
	if err != nil || !slices.Equal(got, want) {
		f.Fatalf("LabelValues(%q, %s) = %q, %v, want %q", name, queryText(q), got, err, want)
	}
}

func labelNames(f *fixture) {
	f.put("cpu;host=b;zone=z 1=1", "cpu;host=a;core=1 2=1", "up 3=1", ";a=1 4=1")
	const name = storage.MetricName
	f.wantNames(always(), name, "a", "core", "host", "zone")
	f.step()
	f.wantNames(always(), name, "a", "core", "host", "zone")
	f.wantNames(where(name+"=cpu"), name, "core", "host", "zone")
	f.wantNames(where("host=a"), name, "core", "host")
	f.wantNames(where("host="), name, "a")
	f.wantNames(between(3, 3), name)
	f.wantNames(between(4, 9), "a")
	f.wantNames(during(where("host!="), 1, 1), name, "host", "zone")
	f.wantNames(byKey("cpu;zone=z;host=b"), name, "host", "zone")
	f.wantNames(byKey("none"))
	f.wantNames(where("host=none"))
}

func labelValues(f *fixture) {
	f.put("cpu;host=b;zone=z 1=1", "cpu;host=a;core=1 2=1", "mem;host=b 3=1", "up 4=1", ";host=c 5=1")
	const name = storage.MetricName
	f.wantValues("host", always(), "a", "b", "c")
	f.step()
	f.wantValues("host", always(), "a", "b", "c")
	f.wantValues(name, always(), "cpu", "mem", "up")
	f.wantValues("core", always(), "1")
	f.wantValues("none", always())
	f.wantValues("", always())
	f.wantValues("host", where(name+"=cpu"), "a", "b")
	f.wantValues("host", where("host!=b"), "a", "c")
	f.wantValues("host", where("host="))
	f.wantValues("host", where("host=~a|b", name+"=~m.*"), "b")
	f.wantValues("host", between(2, 3), "a", "b")
	f.wantValues("host", between(4, 4))
	f.wantValues(name, between(5, 5))
	f.wantValues(name, byKey("cpu;core=1;host=a"), "cpu")
}

func labelsUnescaped(f *fixture) {
	f.put("a%20b;x%3Dy=%3b 1=1", "é;ü=ß 1=1", "a;B=1 1=1")
	const name = storage.MetricName
	f.wantNames(always(), "B", name, "x=y", "ü")
	f.wantValues("x=y", always(), ";")
	f.wantValues("ü", always(), "ß")
	f.wantValues(name, always(), "a", "a b", "é")
}

// labelsAfterDelete: names and values live as long as the last series that has them.
func labelsAfterDelete(f *fixture) {
	f.put("a;x=1;y=1 1=1 2=1", "b;x=2 1=1", "c;x=1 5=1")
	const name = storage.MetricName
	f.delete(during(where("x=1"), 1, 1))
	f.wantNames(always(), name, "x", "y")
	f.delete(during(where("x=1"), 2, 2))
	f.wantNames(always(), name, "x")
	f.wantValues("x", always(), "1", "2")
	f.wantValues("y", always())
	f.delete(byKey("c;x=1"))
	f.wantValues("x", always(), "2")
	f.wantValues(name, always(), "b")
	f.step()
	f.wantValues(name, always(), "b")
	f.put("a;y=3 1=1")
	f.wantValues("y", always(), "3")
	f.wantNames(where("y!="), name, "y")
}

func manyLabelValues(f *fixture) {
	const n = 3000
	rows := make([]row, n)
	want := make([]string, n)
	for i := range rows {
		want[i] = strconv.Itoa(i)
		rows[i] = row{"m;i=" + want[i] + ";all=1", int64(i), 1}
	}
	f.append(rows...)
	slices.Sort(want)
	f.wantValues("i", always(), want...)
	f.wantValues("all", always(), "1")
	f.wantValues("i", between(10, 12), "10", "11", "12")
}
