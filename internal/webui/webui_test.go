package webui

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// page serves the page without anything around it.
func page() http.Handler {
	mux := http.NewServeMux()
	Mount(func(pattern string, serve http.HandlerFunc) { mux.Handle(pattern, serve) }, func(r *http.Request) bool { return r.Header.Get("Accept-Encoding") == "gzip" })
	return mux
}

// get sends a request with headers: names and values in turn.
func get(h http.Handler, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, answer *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestIndex(t *testing.T) {
	h := page()
	plain, packed := get(h, "GET", "/"), get(h, "GET", "/", "Accept-Encoding", "gzip")
	text := body(t, plain)
	z, err := gzip.NewReader(bytes.NewReader(body(t, packed)))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, text) {
		t.Errorf("gzip: %v, other bytes: %q", err, unpacked)
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
		t.Errorf("both encodings have the ETag %s", plain.Header.Get("ETag"))
	}
	for _, answer := range []*http.Response{plain, packed} {
		etag := answer.Header.Get("ETag")
		again := get(h, "GET", "/", "Accept-Encoding", answer.Header.Get("Content-Encoding"), "If-None-Match", `"other", W/`+etag)
		if again.StatusCode != http.StatusNotModified || len(body(t, again)) != 0 || again.Header.Get("ETag") != etag {
			t.Errorf("If-None-Match with %s: got %s", etag, again.Status)
		}
		if changed := get(h, "GET", "/", "If-None-Match", `"other"`); changed.StatusCode != http.StatusOK {
			t.Errorf("If-None-Match with another: got %s", changed.Status)
		}
		if c := answer.Header.Get("Cache-Control"); c != "no-cache" {
			t.Errorf("Cache-Control: %s", c)
		}
	}
}

// TestHeaders: the policy is on all that a browser may show.
func TestHeaders(t *testing.T) {
	h := page()
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff",
	}
	for _, path := range []string{"/", "/assets/none.js"} {
		answer := get(h, "GET", path)
		for name, value := range want {
			if got := answer.Header.Get(name); got != value {
				t.Errorf("%s: %s: %s", path, name, got)
			}
		}
	}
}

// TestAssets: all that index.html names is there, of the right type, and kept for ever.
func TestAssets(t *testing.T) {
	h := page()
	index := string(body(t, get(h, "GET", "/")))
	named := regexp.MustCompile(`(?:src|href)="\./(assets/[^"]+)"`).FindAllStringSubmatch(index, -1)
	if len(named) < 2 {
		t.Fatalf("index.html names %d files", len(named))
	}
	for _, name := range named {
		answer := get(h, "GET", "/"+name[1])
		kind := answer.Header.Get("Content-Type")
		if answer.StatusCode != 200 || !strings.Contains(answer.Header.Get("Cache-Control"), "immutable") ||
			!strings.HasPrefix(kind, "text/javascript") && !strings.HasPrefix(kind, "text/css") {
			t.Errorf("%s: %s %v", name[1], answer.Status, answer.Header)
		}
	}
}

func TestMethods(t *testing.T) {
	h := page()
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"HEAD", "/", 200},
		{"POST", "/", 405},
		{"DELETE", "/assets/none.js", 405},
		{"GET", "/assets/none.js", 404},
		{"GET", "/assets/", 404},
		{"GET", "/index.html", 404},
		{"GET", "/assets/..%2findex.html", 404},
	} {
		answer := get(h, tt.method, tt.path)
		if answer.StatusCode != tt.status {
			t.Errorf("%s %s: got %s", tt.method, tt.path, answer.Status)
		}
		if b := body(t, answer); tt.method == "HEAD" && len(b) != 0 {
			t.Errorf("HEAD has a body of %d bytes", len(b))
		}
	}
}
