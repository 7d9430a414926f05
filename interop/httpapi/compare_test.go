package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// answer is what an API answers.
type answer struct {
	status int
	body   string
}

// request asks one of the two for a line of testdata/requests.txt: a method, a path, and parameters that go where the
// method has them.
func (r request) ask(t *testing.T, path string, do func(*http.Request) answer) answer {
	t.Helper()
	target, body := path+r.path, io.Reader(http.NoBody)
	if r.method == http.MethodGet {
		target += "?" + r.params
	} else {
		body = strings.NewReader(r.params)
	}
	req, err := http.NewRequestWithContext(t.Context(), r.method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if r.method != http.MethodGet {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return do(req)
}

// request is a request to both.
type request struct{ method, path, params string }

// requests reads the file: METHOD path name=value name=value …, values with %20 for a space.
func requests(t *testing.T) (all []request) {
	t.Helper()
	text, err := os.ReadFile("testdata/requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		form := url.Values{}
		for _, param := range fields[2:] {
			name, value, _ := strings.Cut(param, "=")
			form.Add(name, strings.ReplaceAll(value, "%20", " "))
		}
		all = append(all, request{fields[0], fields[1], form.Encode()})
	}
	return all
}

// TestSameAnswers: the same requests over the same samples are answered by the same status and bytes, in the order of the file.
func TestSameAnswers(t *testing.T) {
	api, address := theirs(t), ours(t)
	all := requests(t)
	if len(all) < 100 {
		t.Errorf("%d requests only", len(all))
	}
	for _, r := range all {
		want := r.ask(t, "", func(req *http.Request) answer {
			w := httptest.NewRecorder()
			api.ServeHTTP(w, req)
			return answer{w.Code, w.Body.String()}
		})
		got := r.ask(t, address+"/api/v1", func(req *http.Request) answer {
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return answer{res.StatusCode, string(body)}
		})
		if got.status != want.status || !same(t, got.body, want.body) {
			t.Errorf("%s %s %s: got %d\n%s\nPrometheus: %d\n%s", r.method, r.path, r.params, got.status, got.body, want.status, want.body)
		}
	}
}

// same compares bytes; but Prometheus gives warnings in no order, and in statistics the time that things took differs.
func same(t *testing.T, got, want string) bool {
	t.Helper()
	if got == want {
		return true
	}
	a, b := decode(t, got), decode(t, want)
	loose := len(b.Warnings) > 1 || len(b.Infos) > 1
	for _, d := range []*decoded{a, b} {
		slices.Sort(d.Warnings)
		slices.Sort(d.Infos)
		if data, ok := d.Data.(map[string]any); ok && data["stats"] != nil {
			loose = true
			delete(data["stats"].(map[string]any), "timings")
		}
	}
	return loose && reflect.DeepEqual(a, b)
}

type decoded struct {
	Status, ErrorType, Error string
	Data                     any
	Warnings, Infos          []string
}

func decode(t *testing.T, body string) *decoded {
	t.Helper()
	d := &decoded{}
	if err := json.Unmarshal([]byte(body), d); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return d
}
