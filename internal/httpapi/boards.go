package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"metricd/internal/storage"
)

// Boards are documents of the store (storage.Documents) in JSON. The server doesn't look into them; what they say is the page's. A version is an ETag, and who changes a
// board has to say which one he saw, so that nobody overwrites what he never read.
//
//	GET    /api/page/boards         {"boards":[{"name":…,"etag":…,"size":bytes,"modified":ms,"error":…}]}, by name; error only of one that can't be read
//	GET    /api/page/boards/{name}  the board, with its ETag; 304 with If-None-Match; 404
//	PUT    /api/page/boards/{name}  makes it (If-None-Match: *), 201, or replaces it (If-Match: ETAG), 204; both with the new ETag
//	DELETE /api/page/boards/{name}  deletes it (If-Match: ETAG), 204; 404
//
// Both changes are durable when they are answered. 400: no name of a document, no JSON, or no ETag of ours; 412: someone else was faster; 413: above a MiB; 415: no
// Content-Type: application/json; 428: neither of the two headers, or If-Match: *, which would overwrite anything; 501: the store keeps none; 503: the disk is full;
// 507: there are as many as may be. A board that can't be read is 500 with its ETag, by which it can be replaced or deleted.
func (s *Server) mountBoards() {
	const one = "/api/page/boards/{name}"
	for pattern, f := range map[string]func(storage.Documents, *reply, *http.Request) error{
		"GET /api/page/boards": s.listBoards,
		"GET " + one:           s.getBoard,
		"PUT " + one:           s.putBoard,
		"DELETE " + one:        s.deleteBoard,
	} {
		s.mux.Handle(pattern, s.answer(s.inTurn(func(w *reply, r *http.Request) error {
			docs, ok := s.cfg.Store.(storage.Documents)
			if !ok {
				return &apiError{http.StatusNotImplemented, "execution", "this store keeps no boards"}
			}
			return f(docs, w, r)
		})))
	}
}

// listedBoard is a board in the list.
type listedBoard struct {
	Name     string `json:"name"`
	ETag     string `json:"etag"`
	Size     int64  `json:"size"`            // bytes
	Modified int64  `json:"modified"`        // ms since the Unix epoch
	Error    string `json:"error,omitempty"` // why it can't be read
}

func (s *Server) listBoards(docs storage.Documents, w *reply, r *http.Request) error {
	all, err := docs.ListDocuments(r.Context())
	if err != nil {
		return err
	}
	boards := make([]listedBoard, len(all))
	for i, d := range all {
		boards[i] = listedBoard{d.Name, etagOf(d.Version), d.Size, d.Modified, ""}
		if d.Err != nil {
			boards[i].Error = d.Err.Error()
		}
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, map[string]any{"boards": boards})
	return nil
}

func (s *Server) getBoard(docs storage.Documents, w *reply, r *http.Request) error {
	info, data, err := docs.GetDocument(r.Context(), r.PathValue("name"))
	h := w.Header()
	if info.Version != 0 {
		h.Set("ETag", etagOf(info.Version))
	}
	if err != nil {
		return boardError(err)
	}
	h.Set("Cache-Control", "no-cache") // ask each time whether it has changed
	if namesVersion(r.Header.Get("If-None-Match"), info.Version) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	release, err := s.held.hold(smallResult + 1) // all that a board may have, whatever this one has
	if err != nil {
		return err
	}
	defer release()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, err = w.Write(data)
	return err
}

func (s *Server) putBoard(docs storage.Documents, w *reply, r *http.Request) error {
	expected, err := expectedVersion(r, true)
	if err != nil {
		return err
	}
	data, err := s.readBoard(w, r)
	if err != nil {
		return err
	}
	version, err := docs.PutDocument(r.Context(), r.PathValue("name"), data, expected)
	if err != nil {
		return boardError(err)
	}
	w.Header().Set("ETag", etagOf(version))
	if expected == 0 {
		w.WriteHeader(http.StatusCreated)
	} else {
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

func (s *Server) deleteBoard(docs storage.Documents, w *reply, r *http.Request) error {
	expected, err := expectedVersion(r, false)
	if err != nil {
		return err
	}
	if err := docs.DeleteDocument(r.Context(), r.PathValue("name"), expected); err != nil {
		return boardError(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readBoard returns the body, which has to be JSON.
func (s *Server) readBoard(w *reply, r *http.Request) ([]byte, error) {
	if typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || typ != "application/json" {
		return nil, &apiError{http.StatusUnsupportedMediaType, "bad_data", fmt.Sprintf("Content-Type %q: want application/json", r.Header.Get("Content-Type"))}
	}
	if r.ContentLength > storage.MaxDocument {
		return nil, errBoardSize
	}
	release, err := s.held.hold(smallResult + 1)
	if err != nil {
		return nil, err
	}
	defer release()
	b := s.newBody(w, r)
	defer b.Close()
	data, err := io.ReadAll(io.LimitReader(b, storage.MaxDocument+1))
	switch {
	case errors.Is(err, errStopping):
		return nil, err
	case err != nil:
		return nil, badRequest("the body: %v", err)
	case len(data) > storage.MaxDocument:
		return nil, errBoardSize
	case !json.Valid(data) || !utf8.Valid(data):
		return nil, badRequest("the body is no JSON, of %d bytes", len(data))
	}
	return data, nil
}

var errBoardSize = boardError(fmt.Errorf("%w: %d bytes is the most", storage.ErrDocumentSize, storage.MaxDocument))

// etagOf returns the entity tag of a version.
func etagOf(v storage.Version) string { return fmt.Sprintf(`"%016x"`, uint64(v)) }

// parseETag reads what etagOf gave. A weak one (W/) is as good: proxies make them of ours when they compress, and a version is never of another content.
func parseETag(tag string) (storage.Version, bool) {
	tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
	v, err := strconv.ParseUint(strings.Trim(tag, `"`), 16, 64)
	return storage.Version(v), err == nil && v != 0 && tag == etagOf(storage.Version(v))
}

// namesVersion says whether v is in the list of an If-None-Match, of which only our tags count.
func namesVersion(list string, v storage.Version) bool {
	for tag := range strings.SplitSeq(list, ",") {
		if has, ok := parseETag(tag); ok && has == v || strings.TrimSpace(tag) == "*" {
			return true
		}
	}
	return false
}

// expectedVersion returns the version that a request is to change; 0, where that may be, if there must be none.
func expectedVersion(r *http.Request, mayMake bool) (storage.Version, error) {
	match, none := strings.Join(r.Header.Values("If-Match"), ","), strings.Join(r.Header.Values("If-None-Match"), ",")
	want := "want If-Match with the ETag of the board that was read"
	if mayMake {
		want += ", or for a new board If-None-Match: *"
	}
	switch {
	case match == "" && none == "" || match == "*" && none == "":
		return 0, &apiError{http.StatusPreconditionRequired, "bad_data", want}
	case mayMake && match == "" && none == "*":
		return 0, nil
	}
	version, ok := parseETag(match)
	if !ok || none != "" {
		return 0, badRequest("If-Match %q, If-None-Match %q: %s", match, none, want)
	}
	return version, nil
}

// boardError returns an error of storage.Documents with the status of its answer.
func boardError(err error) error {
	for _, e := range []struct {
		is     error
		status int
		kind   string
	}{
		{storage.ErrNoDocument, http.StatusNotFound, "not_found"},
		{storage.ErrVersion, http.StatusPreconditionFailed, "conflict"},
		{storage.ErrDocumentName, http.StatusBadRequest, "bad_data"},
		{storage.ErrDocumentSize, http.StatusRequestEntityTooLarge, "bad_data"},
		{storage.ErrDocumentLimit, http.StatusInsufficientStorage, "execution"},
		{storage.ErrMemoryLimit, http.StatusInsufficientStorage, "execution"},
	} {
		if errors.Is(err, e.is) {
			return &apiError{e.status, e.kind, err.Error()}
		}
	}
	return err
}
