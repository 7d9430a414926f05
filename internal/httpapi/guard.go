package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard returns the handler of all requests. loopback: the listener is for this machine only.
func (s *Server) guard(loopback bool) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &apiError{http.StatusForbidden, "bad_data", "a web page of another origin may not write here"})
	}))
	same := origin.Handler(s.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if loopback && !localHost(r.Host) {
			writeError(w, &apiError{http.StatusMisdirectedRequest, "bad_data", "Host " + r.Host + " is no address of this server: use its IP address, or localhost"})
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

// isLoopback says whether addr is reached from this machine only.
func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
