package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// recorded is a request of testdata/grafana.json.
type recorded struct {
	From, Method, Path, Form string
	Headers                  map[string]string
	Status                   int
	Body                     string // a regular expression of the whole body
}

// TestGrafana: what Grafana's data source for Prometheus sends is answered as it wants. Grafana itself is not run; the file says where
// the requests are from.
func TestGrafana(t *testing.T) {
	text, err := os.ReadFile("testdata/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	address := ours(t)
	for _, r := range all {
		req, err := http.NewRequestWithContext(t.Context(), r.Method, address+r.Path, strings.NewReader(r.Form))
		if err != nil {
			t.Fatal(err)
		}
		if r.Method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for name, value := range r.Headers {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != r.Status || !regexp.MustCompile("^(?s:"+r.Body+")$").Match(body) {
			t.Errorf("%s\n%s %s %s: got %d\n%s\nwant %d\n%s", r.From, r.Method, r.Path, r.Form, res.StatusCode, body, r.Status, r.Body)
		}
	}
}
