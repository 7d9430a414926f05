package storage

import (
	"bytes"
	"testing"
)

func TestParseKey(t *testing.T) {
	name := func(v string, tags ...string) Labels {
		ls := Labels{}
		if v != "" {
			ls = append(ls, Label{MetricName, v})
		}
		for i := 0; i < len(tags); i += 2 {
			ls = append(ls, Label{tags[i], tags[i+1]})
		}
		return ls
	}
	tests := []struct {
		key       string
		want      Labels
		canonical string // empty: key itself
	}{
		{"palm.cpu", name("palm.cpu"), ""},
		{"disk.used%", name("disk.used%"), ""},
		{"disk%20used", name("disk%20used"), ""}, // verbatim outside tag form
		{"a=b", name("a=b"), ""},
		{"a\u00a0b", name("a\u00a0b"), ""},
		{"cpu;host=a;core=1", name("cpu", "core", "1", "host", "a"), "cpu;core=1;host=a"},
		{"cpu;core=1;host=a", name("cpu", "core", "1", "host", "a"), ""},
		{";host=a", name("", "host", "a"), ""},
		{"cpu;q=a=b", name("cpu", "q", "a=b"), ""},
		{"cpu;q=%3b%C3%A4", name("cpu", "q", ";ä"), "cpu;q=%3Bä"},
		{"cpu;a%3db=c", name("cpu", "a=b", "c"), "cpu;a%3Db=c"},
		{"cpu;a=100%", name("cpu", "a", "100%"), ""},
		{"cpu;a=%2541", name("cpu", "a", "%41"), ""},
		{"a%20b;", name("a b"), ""},
		{"palm;", name("palm"), "palm"},
		{"a%3Bb=c;", name("a;b=c"), ""},
		{"*;", name("*"), ""},
		{"a;__name__x=b", Labels{{MetricName, "a"}, {"__name__x", "b"}}, ""},
		// Not of tag form, so opaque.
		{";", name(";"), ""},
		{";;", name(";;"), ""},
		{"a;b", name("a;b"), ""},
		{"a;b=", name("a;b="), ""},
		{"a;=b", name("a;=b"), ""},
		{"a;b=c;", name("a;b=c;"), ""},
		{"a;b=c;b=d", name("a;b=c;b=d"), ""},
		{"a;b=c;%62=d", name("a;b=c;%62=d"), ""},
		{"a;__name__=b", name("a;__name__=b"), ""},
		{"a;%5F_name__=b", name("a;%5F_name__=b"), ""},
		{"a;b%20c", name("a;b%20c"), ""},
	}
	var memory Labels
	for _, tt := range tests {
		got := ParseKey(tt.key)
		if !got.Equal(tt.want) {
			t.Errorf("ParseKey(%q) = %q, want %q", tt.key, got, tt.want)
		}
		if memory = ParseKeyInto(memory, tt.key); !memory.Equal(tt.want) {
			t.Errorf("ParseKeyInto(%q) = %q, want %q", tt.key, memory, tt.want)
		}
		canonical := tt.canonical
		if canonical == "" {
			canonical = tt.key
		}
		if k := AppendKey(nil, got); string(k) != canonical {
			t.Errorf("AppendKey(%q) = %q, want %q", got, k, canonical)
		}
		if k := AppendCanonical(nil, []byte(tt.key)); string(k) != canonical {
			t.Errorf("AppendCanonical(%q) = %q, want %q", tt.key, k, canonical)
		}
	}
	if got := ParseKey(""); len(got) != 0 {
		t.Errorf("ParseKey of the empty text = %q, want the empty set", got)
	}
}

func TestAppendKeyEscapes(t *testing.T) {
	tests := []struct {
		labels Labels
		want   string
	}{
		{nil, ""},
		{Labels{{MetricName, "a b"}}, "a%20b;"},
		{Labels{{MetricName, "a\x00\u0085\xff"}}, "a%00%C2%85%FF;"},
		{Labels{{MetricName, "*"}}, "*;"},
		{Labels{{MetricName, "a;b=c"}}, "a%3Bb=c;"},
		{Labels{{MetricName, "a;b"}}, "a;b"},
		{Labels{{MetricName, "m"}, {"le", "+Inf"}, {"path", "/a b;c=d%20"}}, "m;le=+Inf;path=/a%20b%3Bc=d%2520"},
		{Labels{{"a=b", "="}}, ";a%3Db=="},
	}
	for _, tt := range tests {
		got := AppendKey(nil, tt.labels)
		if string(got) != tt.want {
			t.Errorf("AppendKey(%q) = %q, want %q", tt.labels, got, tt.want)
		}
		if back := ParseKey(tt.want); !back.Equal(tt.labels) {
			t.Errorf("ParseKey(%q) = %q, want %q", tt.want, back, tt.labels)
		}
	}
}

func TestValidKey(t *testing.T) {
	for key, want := range map[string]bool{
		"a": true, "palm.cpu": true, "**": true, "é;x=ü": true, "\u00a0": true, "%": true, "\ufffd": true,
		"": false, "*": false, "a b": false, "a\tb": false, "a\x00": false, "\x7f": false, "\u0080": false, "\xff": false, "a\xc3": false, "\xed\xa0\x80": false,
	} {
		if got := ValidKey([]byte(key)); got != want {
			t.Errorf("ValidKey(%q) = %v, want %v", key, got, want)
		}
	}
}

// FuzzLabels: labels -> key -> labels is the identity on every label set, and the key is
// a token that can be put.
func FuzzLabels(f *testing.F) {
	f.Add("a", "b", "c", "d", "e")
	f.Add("a b", "", "", "", "")
	f.Add("a;b=c", "", "", "", "")
	f.Add("*", "", "", "", "")
	f.Add("", "a%3D=", ";%", "\x00", "\xff")
	f.Fuzz(func(t *testing.T, name, n1, v1, n2, v2 string) {
		in := []Label{{MetricName, name}}
		for _, l := range []Label{{n1, v1}, {n2, v2}} {
			if l.Name != "" {
				in = append(in, l)
			}
		}
		ls, ok := NewLabels(in...)
		if !ok {
			t.Fatalf("NewLabels(%q) refused", in)
		}
		key := AppendKey(nil, ls)
		if got := ParseKey(string(key)); !got.Equal(ls) {
			t.Fatalf("%q is spelled %q, which reads as %q", ls, key, got)
		}
		if len(ls) > 0 && !ValidKey(key) {
			t.Fatalf("%q is spelled %q, which is not a valid key", ls, key)
		}
	})
}

// FuzzKey: every text has a reading, and all spellings of one label set have one canonical
// spelling.
func FuzzKey(f *testing.F) {
	for _, s := range []string{"a", "a;b=c", "a;b", ";", "a%20b;", "a;b=%3b", "*;", ";a=b", "a;b=c;a=d", "a;%5F_name__=x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		ls := ParseKey(string(key))
		if set, ok := NewLabels(append([]Label(nil), ls...)...); !ok || !set.Equal(ls) {
			t.Fatalf("ParseKey(%q) = %q is not a label set", key, ls)
		}
		canonical := AppendKey(nil, ls)
		if back := ParseKey(string(canonical)); !back.Equal(ls) {
			t.Fatalf("%q reads as %q, spelled %q, which reads as %q", key, ls, canonical, back)
		}
		if ValidKey(key) && !bytes.Equal(AppendCanonical(nil, key), canonical) {
			t.Fatalf("AppendCanonical(%q) = %q, want %q", key, AppendCanonical(nil, key), canonical)
		}
	})
}
