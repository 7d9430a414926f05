package httpapi

import (
	"errors"
	"io"
	"net/http"

	"metricd/internal/storage"
)

func (s *Server) healthy(w *reply, _ *http.Request) error {
	_, err := io.WriteString(w, "metricd is healthy\n")
	return err
}

// ready looks up a range that is empty, and deletes it: a store that does not work says so, and others have next to nothing to do.
//
// A store that takes no writes for now (the disk is full) is ready all the same, and the text says why it takes none: whoever
// acts on 503 takes the server away from its readers, or starts it anew, and neither makes room on the disk.
func (s *Server) ready(w *reply, r *http.Request) error {
	nothing := storage.Query{Key: "_", Mint: 1, Maxt: 0}
	set := s.cfg.Store.Select(r.Context(), nothing)
	defer set.Close()
	set.Next()
	if err := set.Err(); err != nil {
		return err
	}
	text := "metricd is ready"
	switch err := s.cfg.Store.Delete(r.Context(), nothing); {
	case errors.Is(err, storage.ErrReadOnly):
		text += ", reads only: " + err.Error()
	case err != nil:
		return err
	}
	_, err := io.WriteString(w, text+"\n")
	return err
}
