package httpapi

import (
	"io"
	"net/http"

	"metricd/internal/storage"
)

func (s *Server) healthy(w *reply, _ *http.Request) error {
	_, err := io.WriteString(w, "metricd is healthy\n")
	return err
}

// ready looks up a range that is empty: a store that does not work says so, and others have next to nothing to do.
func (s *Server) ready(w *reply, r *http.Request) error {
	set := s.cfg.Store.Select(r.Context(), storage.Query{Key: "_", Mint: 1, Maxt: 0})
	defer set.Close()
	set.Next()
	if err := set.Err(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "metricd is ready\n")
	return err
}
