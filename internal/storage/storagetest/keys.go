package storagetest

import (
	"strings"

	"metricd/internal/storage"
)

func keyChecks() []check {
	return []check{
		{"TagOrder", tagOrder},
		{"Spellings", spellings},
		{"FirstSpelling", firstSpelling},
		{"SpellingsInBatch", spellingsInBatch},
		{"Opaque", opaqueKeys},
		{"Similar", similarKeys},
		{"Long", longKeys},
		{"SelectByKey", selectByKey},
		{"KeyWithMatchers", keyWithMatchers},
	}
}

func tagOrder(f *fixture) {
	f.put("cpu;host=a;core=1 1=1")
	f.put("cpu;core=1;host=a 2=2")
	f.put("cpu;host=a;core=1 3=3")
	f.put("cpu;core=1;host=a 1=10")
	for _, q := range []storage.Query{always(), byKey("cpu;host=a;core=1"), byKey("cpu;core=1;host=a")} {
		f.want(q, "cpu;host=a;core=1 1=10 2=2 3=3")
	}
}

// spellings: groups of keys that spell one series, each group another one.
func spellings(f *fixture) {
	groups := [][]string{
		{"palm;", "palm", "palm;"},
		{"a%20b;", "%61%20b;", "a%20%62;"},
		{"cpu;q=%3b", "cpu;q=%3B", "%63pu;q=%3B", "cpu;%71=%3b"},
		{"x;b=2;a=1;c=3", "x;a=1;b=2;c=3", "x;c=3;b=%32;a=1"},
		{";host=a;z=1", ";z=1;host=a"},
		{"%2A;", "*;"},
		{"p;v=100%", "p;v=100%25"},
	}
	var want []string
	for _, g := range groups {
		for i, key := range g {
			f.append(row{key, int64(i), float64(i)}, row{key, 99, float64(i)})
		}
		line := g[0] + " 0=0 1=1 99=1"
		if len(g) == 3 {
			line = g[0] + " 0=0 1=1 2=2 99=2"
		} else if len(g) == 4 {
			line = g[0] + " 0=0 1=1 2=2 3=3 99=3"
		}
		want = append(want, line)
		for _, key := range g {
			f.want(byKey(key), line)
		}
	}
	f.want(always(), want...)
}

// firstSpelling: Key is what was put first, for as long as the series exists.
func firstSpelling(f *fixture) {
	f.put("c;b=1;a=1 5=1")
	f.put("c;a=1;b=1 1=1 9=1")
	f.delete(during(byKey("c;a=1;b=1"), 5, 5))
	f.put("c;a=1;b=1 5=2")
	f.want(always(), "c;b=1;a=1 1=1 5=2 9=1")
	f.want(byKey("c;a=1;b=1"), "c;b=1;a=1 1=1 5=2 9=1")
}

func spellingsInBatch(f *fixture) {
	f.put("c;b=1;a=1 1=1", "c;a=1;b=1 1=2", "d; 1=1", "d 1=2", "c;%61=1;b=1 2=3")
	f.want(always(), "c;b=1;a=1 1=2 2=3", "d; 1=2")
}

// opaqueKeys: what is not of tag form is a name, to the byte.
func opaqueKeys(f *fixture) {
	keys := []string{"a;b", "a;b;", "a;b=", "a;=b", ";", ";;", "a;b=1;b=2", "a;b=2;b=1", "a;__name__=b", "a%20b", "a%2", "a%3Bb", "disk%"}
	var lines []string
	for _, k := range keys {
		lines = append(lines, k+" 1=1")
	}
	f.put(lines...)
	f.want(always(), lines...)
	for i, k := range keys {
		f.want(byKey(k), lines[i])
	}
	f.want(where(storage.MetricName+"=a;b=1;b=2"), "a;b=1;b=2 1=1")
	f.want(byKey("a%3Bb;"), "a;b 1=1") // the same name, escaped
	f.wantNames(always(), storage.MetricName)
}

// similarKeys: each is a series of its own.
func similarKeys(f *fixture) {
	lines := []string{
		"a 1=1", "aa 1=2", "A 1=3", "a. 1=4", "ä 1=5", "a\u0308 1=6", "a\u00a0 1=7", "a=1 1=8",
		"a;a=1 1=9", "a;a=1;b=1 1=10", ";a=1 1=11", "a;b=1 1=12", "a;a=b 1=13", "a;ab=1 1=14", "a;a=b1 1=15",
		"** 1=16", "\ufffd 1=17", "# 1=18", "-1 1=19", "a,b 1=20", "{} 1=21", `"a" 1=22`,
	}
	f.put(lines...)
	for _, l := range lines {
		key, _, _ := strings.Cut(l, " ")
		f.compare("", byKey(key), []string{l})
	}
	f.want(always(), lines...)
}

// longKeys: they differ in their last byte only.
func longKeys(f *fixture) {
	long := strings.Repeat("abcdefgh", 4095/8) + "abcdefg"
	many := "m"
	for i := range 40 {
		many += ";tag" + string(rune('A'+i)) + "=" + long[:90]
	}
	f.put(long+"1 1=1", long+"2 1=2", many+"1 1=3", many+"2 1=4")
	f.want(always(), long+"1 1=1", long+"2 1=2", many+"1 1=3", many+"2 1=4")
	f.want(byKey(long+"2"), long+"2 1=2")
	f.want(byKey(many+"2"), many+"2 1=4")
}

func selectByKey(f *fixture) {
	f.put("a 1=1", "a;x=1 1=2", "b 1=3")
	f.want(byKey("a"), "a 1=1")
	f.want(byKey("a;x=1"), "a;x=1 1=2")
	for _, none := range []string{"c", "a;x=2", "a;x", ";x=1", "*", "a b", "A"} {
		f.want(byKey(none))
	}
	if n := len(f.read(always())); n != 3 {
		f.Errorf("asking for keys that are not there left %d series, want 3", n)
	}
}

func keyWithMatchers(f *fixture) {
	f.put("a;x=1;y=2 1=1", "a;x=1;y=3 1=2")
	q := where("x=1", "y!=3")
	q.Key = "a;y=2;x=1"
	f.want(q, "a;x=1;y=2 1=1")
	q.Key = "a;x=1;y=3"
	f.want(q)
	f.delete(q)
	f.want(always(), "a;x=1;y=2 1=1", "a;x=1;y=3 1=2")
}
