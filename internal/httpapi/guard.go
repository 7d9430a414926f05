package httpapi

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard returns what lets requests through to h. A web page must not get at a server on the machine, or in the network, of who looks at it: not by a
// request of its own, nor by a name of its own that a DNS server lets stand for this machine. authenticated says whether whoever gets here showed who he is.
func (s *Server) guard(h http.Handler, authenticated func() bool) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &apiError{http.StatusForbidden, "bad_data", "a web page of another origin may not write here"})
	}))
	same := origin.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isLoopback(r) && !s.knownHost(r) && !authenticated() {
			writeError(w, &apiError{http.StatusMisdirectedRequest, "bad_data", "Host " + r.Host + " is no address of this server: use its IP address, or localhost; " +
				"--http-host makes a name known"})
			return
		}
		mayRead := s.allowOrigin(w, r)
		switch preflight := isPreflight(r); {
		case preflight && mayRead:
			h := w.Header()
			h.Set("Access-Control-Allow-Methods", "GET, HEAD")
			h.Set("Access-Control-Allow-Headers", "Accept, Accept-Encoding, Authorization, Content-Type")
			h.Set("Access-Control-Max-Age", "600") // seconds
			w.WriteHeader(http.StatusNoContent)
		case preflight, !mayRead && strings.HasPrefix(r.URL.Path, "/api/") && isForeign(r):
			writeError(w, &apiError{http.StatusForbidden, "bad_data", "a web page of another origin may not ask here; --http-cors-origin lets it read"})
		default:
			same.ServeHTTP(w, r)
		}
	})
}

// allowOrigin says whether a page of another origin is to read this, or asks ahead for that, and may; then it tells the browser.
func (s *Server) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	if len(s.cfg.Origins) == 0 {
		return false
	}
	w.Header().Add("Vary", "Origin")
	origin, method := r.Header.Get("Origin"), r.Method
	if isPreflight(r) {
		method = r.Header.Get("Access-Control-Request-Method")
	}
	if origin == "" || method != http.MethodGet && method != http.MethodHead || strings.HasPrefix(r.URL.Path, "/api/v1/admin/") {
		return false
	}
	for _, allowed := range s.cfg.Origins {
		if allowed == origin || allowed == "*" {
			w.Header().Set("Access-Control-Allow-Origin", allowed)
			return true
		}
	}
	return false
}

// isPreflight says whether r is a browser's question whether a page may send a request.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// isForeign says whether a page of another origin makes a browser ask. Old ones only say which page it is; it is the same rule as that of
// http.CrossOriginProtection.
func isForeign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		origin := r.Header.Get("Origin")
		u, err := url.Parse(origin)
		return origin != "" && (err != nil || u.Host != r.Host)
	}
	return true
}

// knownHost says whether no DNS server of a stranger had a say in what the Host of r, with or without a port, stands for. HTTP/1.0 may leave it out: no
// browser does.
func (s *Server) knownHost(r *http.Request) bool {
	host := r.Host
	if host == "" {
		return !r.ProtoAtLeast(1, 1)
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost") ||
		slices.ContainsFunc(s.cfg.Hosts, func(known string) bool { return strings.EqualFold(host, known) })
}

// isLoopback says whether a request came to an address that is reached from this machine only. A Unix socket is none: no browser speaks to it.
func isLoopback(r *http.Request) bool {
	tcp, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// CheckHost says what is wrong with one of Config.Hosts.
func CheckHost(host string) error {
	if host == "" || strings.ContainsAny(host, ":/[] ") {
		return errors.New("want a name without a port, such as metrics.example")
	}
	return nil
}

// CheckOrigin says what is wrong with one of Config.Origins: it is as browsers send it, or * for every web site.
func CheckOrigin(origin string) error {
	u, err := url.Parse(origin)
	if origin != "*" && (err != nil || u.Scheme == "" || u.Host == "" || strings.Contains(u.Host, "*") || origin != strings.ToLower(u.Scheme+"://"+u.Host)) {
		return errors.New("want an origin as browsers send it, such as https://grafana.example or http://localhost:3000, or * for every web site")
	}
	return nil
}
