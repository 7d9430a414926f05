package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard returns the handler of all requests. A web page must not get at a server on the machine, or in the network, of who looks at it: not by a
// request of its own, nor by a name of its own that a DNS server lets stand for this machine.
func (s *Server) guard() http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &apiError{http.StatusForbidden, "bad_data", "a web page of another origin may not write here"})
	}))
	same := origin.Handler(s.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noHost := r.Host == "" && !r.ProtoAtLeast(1, 1) // browsers always say which
		if isLoopback(r) && !localHost(r.Host) && !noHost {
			writeError(w, &apiError{http.StatusMisdirectedRequest, "bad_data", "Host " + r.Host + " is no address of this server: use its IP address, or localhost"})
			return
		}
		site := r.Header.Get("Sec-Fetch-Site")
		if strings.HasPrefix(r.URL.Path, "/api/") && (site == "cross-site" || site == "same-site") {
			writeError(w, &apiError{http.StatusForbidden, "bad_data", "a web page of another origin may not ask here"})
			return
		}
		same.ServeHTTP(w, r)
	})
}

// localHost says whether no DNS server had a say in what host, with or without a port, stands for.
func localHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

// isLoopback says whether a request came to an address that is reached from this machine only.
func isLoopback(r *http.Request) bool {
	tcp, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
