package httpapi

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// browsed is what a page reads of an answer of browse.
type browsed struct {
	Children []struct {
		Name, Path    string
		Metric, Below int
		Series        []browsedSeries
	}
	Series []browsedSeries
	Total  int
	After  string
}

type browsedSeries struct {
	Key         string
	Labels      map[string]string
	First, Last *int64
	Value       string
	Points      [][2]any
}

// page asks for a page.
func (s *served) page(path string, q url.Values) (b browsed) {
	s.t.Helper()
	status, text, _ := s.do("GET", path+"?"+q.Encode(), nil)
	var body struct {
		Status string
		Data   browsed
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil || status != 200 || body.Status != "success" {
		s.t.Fatalf("%s: %d, %v\n%s", q.Encode(), status, err, text)
	}
	return body.Data
}

// eachStore runs a test over a store in memory, one on disk, and one on disk that was closed and opened again.
func eachStore(t *testing.T, fill func(*testing.T, storage.Store), test func(*testing.T, storage.Store)) {
	t.Run("memory", func(t *testing.T) {
		store := open(t, tsdb.Options{})
		fill(t, store)
		test(t, store)
	})
	t.Run("disk", func(t *testing.T) {
		store, _ := onDisk(t)
		fill(t, store)
		test(t, store)
	})
	t.Run("reopened", func(t *testing.T) {
		store, dir := onDisk(t)
		fill(t, store)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		test(t, open(t, tsdb.Options{Dir: dir}))
	})
}

var staleMark = math.Float64frombits(storage.StaleNaN)

// fillTree adds what TestBrowse shows.
func fillTree(t *testing.T, store storage.Store) {
	add(t, store, "host.cpu", 1000, 1, 2000, 2, 3000, staleMark)
	add(t, store, "host.cpu.user;host=A", -5, 0.5)
	add(t, store, "host.cpu.user;host=b", 0, 1)
	add(t, store, "host.cpu-x", 7, 1)
	add(t, store, "up;job=x", 1_000_000_000_000, 1, 1_000_000_000_001, staleMark)
	add(t, store, "gone", 5, staleMark)
	add(t, store, ".odd", 1, 1)
	add(t, store, ";host=alone", 1, 1)
	add(t, store, "<b>", 1, math.Inf(1))
	for i := range 6 {
		add(t, store, fmt.Sprintf("many;i=%d", i), 1, 1)
	}
}

// TestBrowse: levels of the tree and lists, to the byte.
func TestBrowse(t *testing.T) {
	const cpu = `{"key":"host.cpu","labels":{"__name__":"host.cpu"},"first":1000,"last":2000,"value":"2","points":[[1000,"1"],[2000,"2"]]}`
	const userA = `{"key":"host.cpu.user;host=A","labels":{"__name__":"host.cpu.user","host":"A"},"first":-5,"last":-5,"value":"0.5","points":[[-5,"0.5"]]}`
	const userB = `{"key":"host.cpu.user;host=b","labels":{"__name__":"host.cpu.user","host":"b"},"first":0,"last":0,"value":"1","points":[[0,"1"]]}`
	const alone = `{"key":";host=alone","labels":{"host":"alone"},"first":1,"last":1,"value":"1","points":[[1,"1"]]}`
	const gone = `{"key":"gone","labels":{"__name__":"gone"},"points":[]}`
	const up = `{"key":"up;job=x","labels":{"__name__":"up","job":"x"},"first":1000000000000,"last":1000000000000,"value":"1","points":[[1000000000000,"1"]]}`
	eachStore(t, fillTree, func(t *testing.T, store storage.Store) {
		s := serve(t, Config{Store: store})
		for _, tt := range []struct{ query, want string }{
			{"", `{"children":[{"name":"","path":"","metric":1,"below":1,"series":[` + alone + `]},` +
				`{"name":"\u003cb\u003e","path":"\u003cb\u003e","metric":1,"below":0,"series":[{"key":"\u003cb\u003e","labels":{"__name__":"<b>"},"first":1,"last":1,"value":"+Inf","points":[[1,"+Inf"]]}]},` +
				`{"name":"gone","path":"gone","metric":1,"below":0,"series":[` + gone + `]},` +
				`{"name":"host","path":"host","metric":0,"below":4},` +
				`{"name":"many","path":"many","metric":6,"below":0},` +
				`{"name":"up","path":"up","metric":1,"below":0,"series":[` + up + `]}]}`},
			{"prefix=host.&limit=1", `{"children":[{"name":"cpu","path":"host.cpu","metric":1,"below":2,"series":[` + cpu + `]}],"after":"dGNwdQ"}`},
			{"prefix=host.cpu.&limit=2", `{"children":[{"name":"user","path":"host.cpu.user","metric":2,"below":0,"series":[` + userA + `,` + userB + `]}]}`},
			{"prefix=host.cpu.&limit=1", `{"children":[{"name":"user","path":"host.cpu.user","metric":2,"below":0}]}`},
			{"prefix=none.", `{"children":[]}`},
			{"match=USER+host%3Da", `{"series":[` + userA + `],"total":1}`},
			{"match=st%3DB", `{"series":[` + userB + `],"total":1}`},
			{"match=job", `{"series":[` + up + `],"total":1}`},
			{"match=host&prefix=host.cpu.", `{"series":[` + userA + `,` + userB + `],"total":2}`},
			{"match=alone", `{"series":[` + alone + `],"total":1}`},
			{"match=nothing+user", `{"series":[],"total":0}`},
			{"name=host.cpu", `{"series":[` + cpu + `],"total":1}`},
			{"name=", `{"series":[` + alone + `],"total":1}`},
			{"name=&match=alone", `{"series":[` + alone + `],"total":1}`},
			{"name=host", `{"series":[],"total":0}`},
			{"name=host.cpu.user&limit=1", `{"series":[` + userA + `],"total":2,"after":"cwJob3N0LmNwdS51c2Vy"}`},
			{"name=host.cpu.user&limit=1&after=cwJob3N0LmNwdS51c2Vy", `{"series":[` + userB + `],"total":2}`},
		} {
			status, text, _ := s.do("GET", "/api/page/browse?"+tt.query, nil)
			if want := `{"status":"success","data":` + tt.want + `}`; status != 200 || text != want {
				t.Errorf("%s: got %d\n%s, want\n%s", tt.query, status, text, want)
			}
		}
		for _, tt := range []struct{ query, want string }{
			{"match[]=up", `{"series":1,"mint":1000000000000,"maxt":1000000000000}`},
			{"match[]=gone", `{"series":1}`},
			{"match[]=none", `{"series":0}`},
			{`match[]={__name__=~%22host.*%22}&match[]=gone`, `{"series":5,"mint":-5,"maxt":2000}`},
		} {
			status, text, _ := s.do("GET", "/api/page/extent?"+tt.query, nil)
			if want := `{"status":"success","data":` + tt.want + `}`; status != 200 || text != want {
				t.Errorf("%s: got %d\n%s, want\n%s", tt.query, status, text, want)
			}
		}
	})
}

func TestBrowseErrors(t *testing.T) {
	s := serve(t, Config{Store: memory(t)})
	for _, tt := range []struct{ path, want string }{
		{"browse?limit=0", "want a number from 1 to 1000"},
		{"browse?limit=1001", "want a number from 1 to 1000"},
		{"browse?limit=x", "want a number from 1 to 1000"},
		{"browse?after=%21", "want what an answer to this request had"},
		{"browse?after=cwJo", "want what an answer to this request had"}, // of a list
		{"browse?match=x&after=dGNwdQ", "want what an answer to this request had"},
		{"browse?name=a&prefix=b", "want a prefix or a name, not both"},
		{"browse?match=" + strings.Repeat("x", maxMatch+1), "must not be longer than 256 bytes"},
		{"browse?match=a+b+c+d+e+f+g+h+i", "must not have more than 8 words"},
		{"browse?filter=x", "want any of prefix, name, match, limit, after"},
		{"extent", "no match[] parameter provided"},
		{"extent?match[]={", "parse error"},
		{"extent?match[]=x&start=1", "want any of match[]"},
	} {
		status, text, _ := s.do("GET", "/api/page/"+tt.path, nil)
		if status != 400 || !strings.Contains(text, tt.want) {
			t.Errorf("%s: got %d %s, want 400 with %q", tt.path, status, text, tt.want)
		}
	}
	if status, _, _ := s.do("GET", "/api/page/browse", nil, "Sec-Fetch-Site", "cross-site"); status != 403 {
		t.Errorf("a page of another origin: got %d", status)
	}
}

// TestBrowsePages: pages of any size have each child and each series once, in order, while series are added.
func TestBrowsePages(t *testing.T) {
	store := open(t, tsdb.Options{})
	s := serve(t, Config{Store: store})
	var names, keys []string
	for i := range 40 {
		name := fmt.Sprintf("n%02d", i)
		names = append(names, name)
		for _, key := range []string{name + ".a;x=1", name + "-b"} {
			add(t, store, key, 1, 1)
			keys = append(keys, key)
		}
		names = append(names, name+"-b")
	}
	for _, limit := range []string{"1", "7", "1000"} {
		for _, match := range []string{"", "N"} {
			seen := make(map[string]int)
			var order []string
			for after, round := "", 0; round == 0 || after != ""; round++ {
				q := url.Values{"limit": {limit}}
				if match != "" {
					q.Set("match", match)
				}
				if after != "" {
					q.Set("after", after)
				}
				b := s.page("/api/page/browse", q)
				for _, c := range b.Children {
					seen[c.Path]++
					order = append(order, c.Path)
				}
				for _, one := range b.Series {
					seen[one.Key]++
					order = append(order, one.Labels["__name__"])
				}
				if round < 40 {
					add(t, store, fmt.Sprintf("n%02d.a.%s%s%d", round*17%40, limit, match, round), 1, 1)
					add(t, store, fmt.Sprintf("n%02d", round*13%40), 1, 1)
				}
				after = b.After
			}
			want := names
			if match != "" {
				want = keys
			}
			for _, text := range want {
				if seen[text] != 1 {
					t.Errorf("limit %s, match %q: %s is there %d times", limit, match, text, seen[text])
				}
			}
			if !slices.IsSorted(order) {
				t.Errorf("limit %s, match %q: not in order: %q", limit, match, order)
			}
		}
	}
}

// TestSparkline: the points are samples, the first of each stretch and the newest; samples that a delete took away, and marks of staleness, are none.
func TestSparkline(t *testing.T) {
	fill := func(t *testing.T, store storage.Store) {
		var samples []float64
		for i := range 20_000 {
			samples = append(samples, float64(i*1000), float64(i))
		}
		add(t, store, "long", samples...)
		q := storage.Query{Key: "long", Mint: 15_000_000, Maxt: storage.MaxTime}
		if err := store.Delete(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		add(t, store, "long", 30_000_000, staleMark)
	}
	eachStore(t, fill, func(t *testing.T, store storage.Store) {
		s := serve(t, Config{Store: store})
		b := s.page("/api/page/browse", url.Values{"name": {"long"}})
		if len(b.Series) != 1 || *b.Series[0].First != 0 || *b.Series[0].Last != 14_999_000 || b.Series[0].Value != "14999" {
			t.Fatalf("got %+v", b.Series)
		}
		points := b.Series[0].Points
		if len(points) != stretches+1 {
			t.Fatalf("got %d points", len(points))
		}
		for i, p := range points {
			at := p[0].(float64)
			if p[1] != fmt.Sprint(int(at)/1000) || i > 0 && at <= points[i-1][0].(float64) {
				t.Errorf("point %d: got %v", i, p)
			}
		}
	})
}

// FuzzMarker: what parseMarker takes, text gives again; and the other way around.
func FuzzMarker(f *testing.F) {
	f.Add("dGNwdQ", "cpu", uint64(7), true)
	f.Add("cwJo", "\xff", uint64(math.MaxUint64), false)
	f.Add("c_____________w", "", uint64(0), true)
	f.Fuzz(func(t *testing.T, text, name string, id uint64, list bool) {
		if m, ok := parseMarker(text); ok {
			if again, ok := parseMarker(m.text()); !ok || again != m {
				t.Fatalf("%q is %+v, and that %+v", text, m, again)
			}
		}
		m := browseMarker{name: name}
		if list {
			m = browseMarker{true, name, id}
		}
		if again, ok := parseMarker(m.text()); !ok || again != m {
			t.Fatalf("%+v is %q, and that %+v", m, m.text(), again)
		}
	})
}
