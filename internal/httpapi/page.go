package httpapi

import (
	"net/http"

	"metricd/internal/webui"
)

// mountPage mounts the page.
func (s *Server) mountPage() {
	webui.Mount(func(pattern string, serve http.HandlerFunc) {
		s.mux.Handle(pattern, s.answer(func(w *reply, r *http.Request) error {
			serve(w, r)
			return nil
		}))
	}, func(r *http.Request) bool { return acceptsGzip(r.Header.Values("Accept-Encoding")) })
}
