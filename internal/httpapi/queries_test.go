package httpapi

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// asked is a server with some samples; its clock says 100 seconds.
func asked(t *testing.T) (*served, storage.Store) {
	t.Helper()
	store := open(t, tsdb.Options{})
	add(t, store, "cpu;host=a", 10_000, 1, 70_000, 2, 100_000, 4)
	add(t, store, "cpu;host=b", 10_000, 0.1, 100_000, 1e21)
	add(t, store, "palm.cpu", 95_001, math.NaN(), 95_250, -0.5)
	add(t, store, `odd;tag=<a>"b"&\é`, 99_999, math.Inf(-1))
	return serve(t, Config{Store: store, Now: func() time.Time { return time.Unix(100, 0) }, Version: "v1.2.3"}), store
}

// TestQuery: the answers of query and query_range, to the byte.
func TestQuery(t *testing.T) {
	s, _ := asked(t)
	for _, tt := range []struct{ path, want string }{
		{"query?query=1%2B1", `{"resultType":"scalar","result":[100,"2"]}`},
		{"query?query=1e30&time=5.25", `{"resultType":"scalar","result":[5.25,"1000000000000000000000000000000"]}`},
		{"query?query='<a>'", `{"resultType":"string","result":[100,"\u003ca\u003e"]}`},
		{"query?query=cpu", `{"resultType":"vector","result":[{"metric":{"__name__":"cpu","host":"a"},"value":[100,"4"]},{"metric":{"__name__":"cpu","host":"b"},"value":[100,"1e+21"]}]}`},
		{"query?query=cpu&time=10.001", `{"resultType":"vector","result":[{"metric":{"__name__":"cpu","host":"a"},"value":[10.001,"1"]},{"metric":{"__name__":"cpu","host":"b"},"value":[10.001,"0.1"]}]}`},
		{"query?query=cpu&time=1970-01-01T00:01:10Z&lookback_delta=1m&limit=5", `{"resultType":"vector","result":[{"metric":{"__name__":"cpu","host":"a"},"value":[70,"2"]}]}`},
		{"query?query={%22palm.cpu%22}[1m]", `{"resultType":"matrix","result":[{"metric":{"__name__":"palm.cpu"},"values":[[95.001,"NaN"],[95.250,"-0.5"]]}]}`},
		{"query?query=odd", `{"resultType":"vector","result":[{"metric":{"__name__":"odd","tag":"<a>\"b\"&\\é"},"value":[100,"-Inf"]}]}`},
		{"query?query=none", `{"resultType":"vector","result":[]}`},
		{"query?query=cpu&limit=1", `{"resultType":"vector","result":[{"metric":{"__name__":"cpu","host":"a"},"value":[100,"4"]}]},"warnings":["results truncated due to limit"]`},
		{"query_range?query=cpu{host=%22a%22}&start=10&end=100&step=45", `{"resultType":"matrix","result":[{"metric":{"__name__":"cpu","host":"a"},"values":[[10,"1"],[55,"1"],[100,"4"]]}]}`},
		{"query_range?query=rate(palm.cpu[5m])&start=100&end=100&step=1s", `{"resultType":"matrix","result":[{"metric":{},"values":[[100,"NaN"]]}]},"infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"palm.cpu\" (1:6)"]`},
		{"query_range?query=none&start=1&end=1970-01-01T00:00:02.5Z&step=1m", `{"resultType":"matrix","result":[]}`},
		{"query_range?query=7&start=1.0004&end=2&step=0.5&unknown=x", `{"resultType":"matrix","result":[{"metric":{},"values":[[1,"7"],[1.500,"7"],[2,"7"]]}]}`},
		{"format_query?query=sum(a)+by+(b)>bool+1", `"sum by (b) (a) \u003e bool 1"`},
		{"parse_query?query=1", `{"type":"numberLiteral","val":"1"}`},
		{"query_exemplars?query=cpu&start=1&end=2", `[]`},
	} {
		want := `{"status":"success","data":` + tt.want + "}"
		if status, text, _ := s.do("GET", "/api/v1/"+tt.path, nil); status != 200 || text != want {
			t.Errorf("GET %s: got %d\n%s, want\n%s", tt.path, status, text, want)
		}
		path, form, _ := strings.Cut(tt.path, "?")
		status, text, answer := s.do("POST", "/api/v1/"+path, strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded")
		if status != 200 || text != want || answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("POST %s: got %d, %s\n%s, want\n%s", tt.path, status, answer.Header, text, want)
		}
	}
	if status, text, _ := s.do("GET", "/api/v1/query_exemplars?query=1", nil); status != 204 || text != "" {
		t.Errorf("exemplars of a number: %d %s", status, text)
	}
}

// TestQueryErrors: statuses and words of what can't be answered, to the byte.
func TestQueryErrors(t *testing.T) {
	s, _ := asked(t)
	const steps = "start=0&end=100&step="
	for _, tt := range []struct {
		path   string
		status int
		want   string // errorType, error
	}{
		{"query", 400, `"bad_data","error":"invalid parameter \"query\": unknown position: parse error: no expression found in input"`},
		{"query?query=x{", 400, `"bad_data","error":"invalid parameter \"query\": 1:3: parse error: unexpected end of input inside braces"`},
		{"query?query=1&time=yesterday", 400, `"bad_data","error":"invalid parameter \"time\": invalid time value for 'time': cannot parse \"yesterday\" to a valid timestamp"`},
		{"query?query=1&time=1e300", 400, `"bad_data","error":"invalid parameter \"time\": invalid time value for 'time': cannot parse \"1e300\" to a valid timestamp"`},
		{"query?query=1&limit=-1", 400, `"bad_data","error":"invalid parameter \"limit\": limit must be non-negative"`},
		{"query?query=1&limit=x", 400, `"bad_data","error":"invalid parameter \"limit\": strconv.Atoi: parsing \"x\": invalid syntax"`},
		{"query?query=1&timeout=0", 400, `"bad_data","error":"invalid parameter \"timeout\": timeout must be positive, got 0s"`},
		{"query?query=1&timeout=NaN", 400, `"bad_data","error":"invalid parameter \"timeout\": cannot parse \"NaN\" to a valid duration. It overflows int64"`},
		{"query?query=1&lookback_delta=x", 400, `"bad_data","error":"error parsing lookback delta duration: cannot parse \"x\" to a valid duration"`},
		{"query?query=%zz", 400, `"bad_data","error":"error parsing form values: invalid URL escape \"%zz\""`},
		{"query?query=cpu%2Bon()group_left+cpu", 422, `"execution","error":"found duplicate series for the match group {} on the right hand-side of the operation: [{__name__=\"cpu\", host=\"a\"}, {__name__=\"cpu\", host=\"b\"}];many-to-many matching not allowed: matching labels must be unique on one side"`},
		{"query_range?query=1&end=1&step=1", 400, `"bad_data","error":"invalid parameter \"start\": cannot parse \"\" to a valid timestamp"`},
		{"query_range?query=1&start=1&step=1", 400, `"bad_data","error":"invalid parameter \"end\": cannot parse \"\" to a valid timestamp"`},
		{"query_range?query=1&start=2&end=1&step=1", 400, `"bad_data","error":"invalid parameter \"end\": end timestamp must not be before start time"`},
		{"query_range?query=1&" + steps, 400, `"bad_data","error":"invalid parameter \"step\": cannot parse \"\" to a valid duration"`},
		{"query_range?query=1&" + steps + "0", 400, `"bad_data","error":"invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"`},
		{"query_range?query=1&" + steps + "0.009", 400, `"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"`},
		{"query_range?query='a'&" + steps + "1", 400, `"bad_data","error":"invalid parameter \"query\": invalid expression type \"string\" for range query, must be Scalar or instant Vector"`},
		{"query_exemplars?query=x{", 400, `"bad_data","error":"1:3: parse error: unexpected end of input inside braces"`},
		{"query_exemplars?query=x&start=2&end=1", 400, `"bad_data","error":"end timestamp must not be before start timestamp"`},
		{"format_query?query=(", 400, `"bad_data","error":"invalid parameter \"query\": 1:2: parse error: unclosed left parenthesis"`},
		{"parse_query?query=1" + strings.Repeat("%2B1", 300), 400, `"bad_data","error":"invalid parameter \"query\": the expression nests 301 deep: want 250 at most; a long a or b or c is one selector with a regular expression"`},
	} {
		status, text, _ := s.do("GET", "/api/v1/"+tt.path, nil)
		if want := `{"status":"error","errorType":` + tt.want + "}"; status != tt.status || text != want {
			t.Errorf("%s: got %d\n%s, want %d\n%s", tt.path, status, text, tt.status, want)
		}
	}
	// Which part of the engine sees first that the time is over is chance.
	status, text, _ := s.do("GET", "/api/v1/query?query=cpu&timeout=0.000000001", nil)
	if want := `{"status":"error","errorType":"timeout","error":"query timed out in `; status != 503 || !strings.HasPrefix(text, want) {
		t.Errorf("a timeout of a nanosecond: got %d\n%s, want 503\n%s…", status, text, want)
	}
}

// TestForm: what a body may be.
func TestForm(t *testing.T) {
	s, _ := asked(t)
	for _, tt := range []struct {
		name, body, kind string
		status           int
		want             string
	}{
		{"the body comes first", "query=2", "application/x-www-form-urlencoded; charset=UTF-8", 200, `"2"`},
		{"other types are ignored, as Prometheus does", "query=2", "application/json", 200, `"1"`},
		{"too large", "query=2&x=" + strings.Repeat("x", maxForm), "application/x-www-form-urlencoded", 413, "the body is too large: want 1048576 bytes at most"},
		{"broken", "query=%z", "application/x-www-form-urlencoded", 400, "error parsing form values: "},
	} {
		status, text, _ := s.do("POST", "/api/v1/query?query=1", strings.NewReader(tt.body), "Content-Type", tt.kind)
		if status != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("%s: got %d %s", tt.name, status, text)
		}
	}
}

// TestStats: statistics come when they are asked for, by step only then.
func TestStats(t *testing.T) {
	s, _ := asked(t)
	for stats, want := range map[string][]string{
		"":     {`"result":[]}}`},
		"true": {`"result":[],"stats":{"timings":{"evalTotalTime":`, `"samples":{"totalQueryableSamples":0,"samplesRead":0,`},
		"all":  {`"samples":{"totalQueryableSamplesPerStep":[[1,0],[2,0]],"totalQueryableSamples":0,`},
		"1":    {`"stats":{`, `"warnings":["value \"1\" for parameter \"stats\" is deprecated and will be rejected in the next major release, use \"true\" or \"all\""]`},
	} {
		status, text, _ := s.do("GET", "/api/v1/query_range?start=1&end=2&step=1&query=none&stats="+url.QueryEscape(stats), nil)
		for _, part := range want {
			if status != 200 || !strings.Contains(text, part) {
				t.Errorf("stats=%s: got %d %s", stats, status, text)
			}
		}
	}
}
