package httpapi

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"metricd/internal/storage"
)

// paths returns the method and a path of each route that is mounted.
func paths(t *testing.T, s *Server) [][2]string {
	t.Helper()
	var all [][2]string
	for _, pattern := range s.mux.patterns {
		method, path, ok := strings.Cut(pattern, " ")
		if !ok {
			method, path = "", pattern
		}
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + "x" + after
		}
		for _, m := range strings.Fields(strings.ReplaceAll(method, "GET", "GET HEAD")) {
			all = append(all, [2]string{m, path})
		}
	}
	if len(all) < 8 {
		t.Fatalf("routes: %v", all)
	}
	return all
}

// came returns a request as one that came through a listener at local.
func came(method, path, local string, header ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader("put evil 1 1\n"))
	r.Host = "127.0.0.1:8889"
	r.Header.Set("If-Match", `"0000000000000001"`) // for what wants it
	addr, _ := net.ResolveTCPAddr("tcp", local)
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return r
}

// untouched is a store that takes note of what would change it.
type untouched struct {
	storage.Store
	t *testing.T
}

func (u *untouched) Appender() storage.Appender {
	u.t.Error("something is about to be stored")
	return u.Store.Appender()
}

func (u *untouched) Delete(ctx context.Context, q storage.Query) error {
	if q.Mint <= q.Maxt {
		u.t.Errorf("%+v is about to be deleted", q)
	}
	return u.Store.Delete(ctx, q)
}

func (u *untouched) ListDocuments(ctx context.Context) ([]storage.DocumentInfo, error) {
	return u.Store.(storage.Documents).ListDocuments(ctx)
}

func (u *untouched) GetDocument(ctx context.Context, name string) (storage.DocumentInfo, []byte, error) {
	return u.Store.(storage.Documents).GetDocument(ctx, name)
}

func (u *untouched) PutDocument(_ context.Context, name string, _ []byte, _ storage.Version) (storage.Version, error) {
	u.t.Errorf("board %s is about to be put", name)
	return 0, storage.ErrVersion
}

func (u *untouched) DeleteDocument(_ context.Context, name string, _ storage.Version) error {
	u.t.Errorf("board %s is about to be deleted", name)
	return storage.ErrVersion
}

// TestGuardRoutes asks for every route as strangers do, and for those that read as friends do: nothing is stored or deleted by any of it.
func TestGuardRoutes(t *testing.T) {
	const evil, here = "http://evil.example", "127.0.0.1:8889"
	s := New(Config{
		Store: &untouched{memory(t), t}, Hosts: []string{"metrics.example"}, Origins: []string{"https://grafana.example"},
	})
	h := s.guard(&s.mux, s.authenticates)
	refused := map[int]bool{403: true}
	for _, tt := range []struct {
		what   string
		local  string
		header []string
		api    map[int]bool // what reads below /api/ are answered; nil: not one of 403 and 421
		other  map[int]bool // other reads
		write  map[int]bool // nil: not asked
	}{
		{"a page of another site", here, []string{"Sec-Fetch-Site", "cross-site"}, refused, nil, refused},
		{"a page of a sister site", here, []string{"Sec-Fetch-Site", "same-site", "Origin", "http://b.evil.example"}, refused, nil, refused},
		{"another site, in an old browser", here, []string{"Origin", evil}, refused, nil, refused},
		{"another site, of another machine", "192.0.2.1:8889", []string{"Origin", evil, "Host", "192.0.2.1:8889"}, refused, nil, refused},
		{"another port of this machine", here, []string{"Origin", "http://127.0.0.1:3000"}, refused, nil, refused},
		{"a file, or a sandboxed frame", here, []string{"Origin", "null"}, refused, nil, refused},
		{"no origin at all", here, []string{"Origin", "%zz"}, refused, nil, refused},
		{"a name made to point here", here, []string{"Host", "evil.example:8889", "Origin", "http://evil.example:8889"}, map[int]bool{421: true}, map[int]bool{421: true}, map[int]bool{421: true}},
		{"the same, as browsers say now", here, []string{"Host", "evil.example", "Sec-Fetch-Site", "same-origin"}, map[int]bool{421: true}, map[int]bool{421: true}, map[int]bool{421: true}},
		{"that name on IPv6", "[::1]:8889", []string{"Host", "evil.example"}, map[int]bool{421: true}, map[int]bool{421: true}, map[int]bool{421: true}},
		{"a site that may read", here, []string{"Origin", "https://grafana.example", "Sec-Fetch-Site", "cross-site"}, nil, nil, refused},
		{"nearly that site", here, []string{"Origin", "https://grafana.example.evil.example"}, refused, nil, refused},
		{"curl", here, nil, nil, nil, nil},
		{"our own page", here, []string{"Origin", "http://127.0.0.1:8889", "Sec-Fetch-Site", "same-origin"}, nil, nil, nil},
		{"our own page, in an old browser", here, []string{"Origin", "http://127.0.0.1:8889"}, nil, nil, nil},
		{"an address typed by hand", here, []string{"Sec-Fetch-Site", "none"}, nil, nil, nil},
		{"a known name", here, []string{"Host", "Metrics.Example:8889"}, nil, nil, nil},
		{"any name, from elsewhere", "192.0.2.1:8889", []string{"Host", "whatever.example"}, nil, nil, nil},
	} {
		for _, route := range paths(t, s) {
			method, path := route[0], route[1]
			reads := method == "GET" || method == "HEAD"
			want := tt.write
			switch {
			case reads && strings.HasPrefix(path, "/api/v1/admin/") && tt.what == "a site that may read":
				want = refused
			case reads && strings.HasPrefix(path, "/api/"):
				want = tt.api
			case reads:
				want = tt.other
			case want == nil:
				continue
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, came(method, path, tt.local, tt.header...))
			guarded := w.Code == 403 || w.Code == 421
			if want == nil && guarded || want != nil && !want[w.Code] {
				t.Errorf("%s: %s %s: got %d %s", tt.what, method, path, w.Code, w.Body)
			}
			if guarded && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: %s %s: no JSON: %s", tt.what, method, path, w.Body)
			}
			allowed := w.Header().Get("Access-Control-Allow-Origin")
			if (allowed == "https://grafana.example") != (reads && !guarded && tt.what == "a site that may read") || w.Header().Get("Vary") == "" && w.Code != 421 {
				t.Errorf("%s: %s %s: allows %q, %v", tt.what, method, path, allowed, w.Header())
			}
		}
	}
}

// TestPreflight: browsers ask ahead whether a page may send a request.
func TestPreflight(t *testing.T) {
	const grafana = "https://grafana.example"
	for _, tt := range []struct {
		origins              []string
		path, origin, method string
		status               int
		allowed              string
	}{
		{[]string{grafana, "http://localhost:3000"}, "/api/v1/export", grafana, "GET", 204, grafana},
		{[]string{grafana, "http://localhost:3000"}, "/api/v1/export", "http://localhost:3000", "HEAD", 204, "http://localhost:3000"},
		{[]string{"*"}, "/api/v1/export", "null", "GET", 204, "*"},
		{[]string{"*"}, "/api/v1/import", grafana, "POST", 403, ""},
		{[]string{"*"}, "/api/v1/export", grafana, "PUT", 403, ""},
		{[]string{"*"}, "/api/v1/admin/backup", grafana, "GET", 403, ""},
		{[]string{grafana}, "/api/v1/export", "https://evil.example", "GET", 403, ""},
		{nil, "/api/v1/export", grafana, "GET", 403, ""},
		{nil, "/write", grafana, "POST", 403, ""},
	} {
		s := New(Config{Store: &untouched{memory(t), t}, Origins: tt.origins})
		w := httptest.NewRecorder()
		s.guard(&s.mux, s.authenticates).ServeHTTP(w, came("OPTIONS", tt.path, "127.0.0.1:8889", "Origin", tt.origin, "Access-Control-Request-Method", tt.method))
		if w.Code != tt.status || w.Header().Get("Access-Control-Allow-Origin") != tt.allowed || (w.Header().Get("Access-Control-Allow-Methods") == "GET, HEAD") != (tt.status == 204) {
			t.Errorf("%+v: got %d %v", tt, w.Code, w.Header())
		}
	}
}

func TestCheckNames(t *testing.T) {
	for origin, ok := range map[string]bool{
		"*": true, "https://grafana.example": true, "http://localhost:3000": true, "http://[::1]:3000": true,
		"": false, "grafana.example": false, "https://grafana.example/": false, "https://Grafana.example": false, "https://u@grafana.example": false, "https://*.example": false, "https://a b": false,
	} {
		if err := CheckOrigin(origin); (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
	for host, ok := range map[string]bool{"metrics.example": true, "": false, "a:1": false, "[::1]": false, "http://a": false, "a b": false} {
		if err := CheckHost(host); (err == nil) != ok {
			t.Errorf("host %q: %v", host, err)
		}
	}
}
