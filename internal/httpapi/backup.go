package httpapi

import (
	"net/http"

	"metricd/internal/backup"
	"metricd/internal/storage"
)

// backup answers with the stream of package backup: all that was stored when the request came, and maybe some of what came
// since. Writers go on. 501 if the store keeps nothing in files, 503 while
// there is another backup.
func (s *Server) backup(w *reply, r *http.Request) error {
	store, ok := s.cfg.Store.(storage.Snapshotter)
	if !ok {
		return storage.ErrNoFiles
	}
	h := w.Header()
	h.Set("Content-Type", "application/x-tar")
	if r.Method == http.MethodHead {
		return nil
	}
	if !s.copying.TryLock() {
		return &apiError{http.StatusServiceUnavailable, "unavailable", "another backup is under way: try again when it is done"}
	}
	defer s.copying.Unlock()
	snapshot, err := store.Snapshot(r.Context())
	if err != nil {
		return err
	}
	defer func() {
		if err := snapshot.Close(); err != nil {
			s.log.Warn("a copy made for a backup could not be removed; a restart does that", "err", err)
		}
	}()
	_, err = backup.Write(w, snapshot, s.cfg.Now())
	return err
}
