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
		{"Matched", labelsMatched},
		{"InRange", labelsInRange},
		{"Limit", labelsLimited},
		{"Churn", labelsChurn},
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

// labelsMatched: matchers on the label itself choose among its values, others among the series.
func labelsMatched(f *fixture) {
	const n = 300
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{"m;h=h" + strconv.Itoa(i) + ";p=" + strconv.Itoa(i%3) + ";q" + strconv.Itoa(i/100) + "=x", 1, 1}
	}
	f.append(rows...)
	f.put("m 1=1", "other;h=h1;p=9 1=1")
	f.step()
	f.wantValues("h", where("h=~h29.", "p=0"), "h291", "h294", "h297")
	f.wantValues("h", where("h=~h29.*", "h!~.*[0-6]", "h!=h298"), "h29", "h297", "h299")
	f.wantValues("h", where("h=~h(29)?"), "h29")
	f.wantValues("h", where("h=h7"), "h7")
	f.wantValues("h", where("h=h7", "p=2"))
	f.wantValues("h", where("h=none"))
	f.wantValues("h", where("h="))
	f.wantValues("h", where("h!=", storage.MetricName+"=other"), "h1")
	f.wantValues("h", where("h=~h1|none|h2", "h=~.*2"), "h2")
	f.wantValues("p", where("q0="), "0", "1", "2", "9")
	f.wantValues("p", where("q0=", "q1=", "q2="), "9")
	f.wantValues("p", where("h=~h1.?", storage.MetricName+"=m"), "0", "1", "2")
	f.wantValues("p", where("h=~h3|h6|h9"), "0")
	f.wantNames(where("p=~0|9"), storage.MetricName, "h", "p", "q0", "q1", "q2")
	f.wantNames(where("h=~h2.."), storage.MetricName, "h", "p", "q2")
	f.wantNames(where("h!~h.*"), storage.MetricName)
	f.wantNames(where("q1!=", "q2!="))
}

// labelsInRange: a name or value is there if one of its series has a sample in range, wherever that is kept.
func labelsInRange(f *fixture) {
	f.put("a;x=1 1=1 9=1", "b;x=1;y=1 5=1", "c;x=2;y=2 1=1 2=1 3=1", "d;z=1 7=1")
	f.step()
	f.put("e;x=3 4=1", "c;x=2;y=2 12=1")
	for range 2 {
		f.wantValues("x", between(1, 1), "1", "2")
		f.wantValues("x", between(4, 5), "1", "3")
		f.wantValues("x", between(6, 8))
		f.wantValues("x", between(9, 12), "1", "2")
		f.wantValues("x", during(where("y!="), 5, 12), "1", "2")
		f.wantValues("x", during(where("y="), 5, 12), "1")
		f.wantNames(between(6, 8), storage.MetricName, "z")
		f.wantNames(between(10, 12), storage.MetricName, "x", "y")
		f.wantNames(during(where("x=1"), 6, 9), storage.MetricName, "x")
		f.wantNames(between(2, 1))
		f.wantValues("x", between(2, 1))
		f.step()
	}
	f.delete(during(where("x=2"), 2, 12))
	f.wantValues("x", between(2, 12), "1", "3")
	f.wantValues("x", between(1, 1), "1", "2")
}

// labelsLimited: a limit gives the first names and values. Select and Delete don't look at it.
func labelsLimited(f *fixture) {
	var lines []string
	for i := range 40 {
		lines = append(lines, "m;i="+strconv.Itoa(i+10)+" "+strconv.Itoa(i)+"=1")
	}
	f.put(lines...)
	f.put("m;j=1;k=1 1=1")
	limited := func(n int, q storage.Query) storage.Query {
		q.Limit = n
		return q
	}
	f.step()
	f.wantValues("i", limited(3, always()), "10", "11", "12")
	f.wantValues("i", limited(2, where("i=~2.")), "20", "21")
	f.wantValues("i", limited(2, between(25, 39)), "35", "36")
	f.wantValues("i", limited(9, between(38, 39)), "48", "49")
	f.wantValues("i", limited(-1, between(38, 39)), "48", "49")
	f.wantValues("i", limited(1, byKey("m;i=22")), "22")
	f.wantNames(limited(2, always()), storage.MetricName, "i")
	f.wantNames(limited(2, where("j=1")), storage.MetricName, "j")
	f.compare("", limited(1, where("i=~1[0-2]")), lines[:3])
	f.delete(limited(1, where("i!=")))
	f.wantNames(limited(9, always()), storage.MetricName, "j", "k")
}

// labelsChurn: thousands of series come and go between questions.
func labelsChurn(f *fixture) {
	const n = 1500
	for life := range 5 {
		rows := make([]row, n)
		for i := range rows {
			rows[i] = row{"m;i=" + strconv.Itoa(life*n+i) + ";life=" + strconv.Itoa(life), int64(i), 1}
		}
		f.append(rows...)
		last := strconv.Itoa(life*n + n - 1)
		f.wantValues("life", always(), strconv.Itoa(life))
		f.wantValues("i", where("i=~.*"+last), last)
		f.compare("", where("i="+last), []string{"m;i=" + last + ";life=" + strconv.Itoa(life) + " " + strconv.Itoa(n-1) + "=1"})
		f.delete(where("i!="))
		f.wantNames(always())
		f.wantValues("life", between(0, n))
		f.compare("", where("life=~.+"), nil)
	}
}
