package httpapi

import (
	"strings"
	"testing"
)

// TestLookups: the answers of series, labels and label values, to the byte.
func TestLookups(t *testing.T) {
	s, store := asked(t)
	add(t, store, "bad;tag=\xff", 1, 1)
	const cut = `],"warnings":["results truncated due to limit"]}`
	for _, tt := range []struct {
		path   string
		status int
		want   string // behind the status
	}{
		{"series?match[]=cpu", 200, `"data":[{"__name__":"cpu","host":"a"},{"__name__":"cpu","host":"b"}]}`},
		{"series?match[]=cpu&limit=1", 200, `"data":[{"__name__":"cpu","host":"a"}` + cut},
		{"series?match[]={host=%22b%22}&match[]={__name__=~%22palm.*|cpu%22}", 200, `"data":[{"__name__":"cpu","host":"a"},{"__name__":"cpu","host":"b"},{"__name__":"palm.cpu"}]}`},
		{"series?match[]=cpu&start=70&end=70", 200, `"data":[{"__name__":"cpu","host":"a"}]}`},
		{"series?match[]=cpu&start=2000", 200, `"data":[]}`},
		{"series?match[]=odd", 200, `"data":[{"__name__":"odd","tag":"<a>\"b\"&\\é"}]}`},
		{"series?match[]=bad", 200, `"data":[{"__name__":"bad","tag":"\ufffd"}]}`},
		{"series", 400, `"errorType":"bad_data","error":"no match[] parameter provided"}`},
		{"series?match[]={}", 400, `"errorType":"bad_data","error":"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"}`},
		{"series?match[]=x&start=x", 400, `"errorType":"bad_data","error":"invalid parameter \"start\": invalid time value for 'start': cannot parse \"x\" to a valid timestamp"}`},
		{"labels", 200, `"data":["__name__","host","tag"]}`},
		{"labels?match[]=cpu&limit=1", 200, `"data":["__name__"` + cut},
		{"labels?match[]=palm.cpu&match[]=cpu", 200, `"data":["__name__","host"]}`},
		{"labels?match[]=none", 200, `"data":[]}`},
		{"labels?match[]={", 400, `"errorType":"bad_data","error":"1:2: parse error: unexpected end of input inside braces"}`},
		{"labels?limit=-1", 400, `"errorType":"bad_data","error":"invalid parameter \"limit\": limit must be non-negative"}`},
		{"label/__name__/values", 200, `"data":["bad","cpu","odd","palm.cpu"]}`},
		{"label/host/values?match[]=cpu&start=50&end=80", 200, `"data":["a"]}`},
		{"label/U______name____/values?match[]={__name__=~%22[bc].*%22}&match[]=odd&limit=2", 200, `"data":["bad","cpu"` + cut},
		{"label/U__tag/values?match[]=odd", 200, `"data":["\u003ca\u003e\"b\"\u0026\\é"]}`},
		{"label/no%20such/values", 200, `"data":[]}`},
		{"label/%FF/values", 400, `"errorType":"bad_data","error":"invalid label name: \"\\xff\""}`},
	} {
		status, text, _ := s.do("GET", "/api/v1/"+tt.path, nil)
		want := `{"status":"success",` + tt.want
		if tt.status != 200 {
			want = `{"status":"error",` + tt.want
		}
		if status != tt.status || text != want {
			t.Errorf("%s: got %d\n%s, want %d\n%s", tt.path, status, text, tt.status, want)
		}
		path, form, _ := strings.Cut(tt.path, "?")
		status, posted, _ := s.do("POST", "/api/v1/"+path, strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(path, "label/") {
			if status != 405 {
				t.Errorf("POST %s: got %d", path, status)
			}
		} else if status != tt.status || posted != want {
			t.Errorf("POST %s: got %d\n%s, want\n%s", tt.path, status, posted, want)
		}
	}
}

// TestExportSelectors: an export takes selectors beside keys, and no series is there twice.
func TestExportSelectors(t *testing.T) {
	s, _ := asked(t)
	const head = "key,milliseconds,value\n"
	a, b := "cpu;host=a,70000,2.0\n", "cpu;host=b,10000,0.1\ncpu;host=b,100000,1e+21\n"
	for _, tt := range []struct {
		query  string
		status int
		want   string
	}{
		{`match[]=cpu{host="a"}&start=70&end=70`, 200, head + a},
		{`match[]={__name__="cpu"}&match[]=cpu;host=b&start=70&end=70`, 200, head + a},
		{`match[]=cpu;host=b&match[]={host=~".+"}&match[]=cpu{host="b"}`, 200, head + b + "cpu;host=a,10000,1.0\n" + a + "cpu;host=a,100000,4.0\n"},
		{`match[]={"palm.cpu"}&start=95.25`, 200, head + "palm.cpu,95250,-0.5\n"},
		{`match[]=cpu{host="z"}`, 200, head},
		{`match[]=cpu{host=}`, 400, `match[] \"cpu{host=}\": 1:10: parse error: unexpected \"}\" in label matching, expected string; a key with a brace is the selector {__name__=\"…\"}`},
		{`match[]={}`, 400, "match[] must contain at least one non-empty matcher"},
	} {
		r := strings.NewReplacer(";", "%3B", `"`, "%22", "+", "%2B")
		status, text, _ := s.do("GET", "/api/v1/export?"+r.Replace(tt.query), nil)
		if status != tt.status || status == 200 && text != tt.want || !strings.Contains(text, tt.want) {
			t.Errorf("%s: got %d\n%s", tt.query, status, text)
		}
	}
}
