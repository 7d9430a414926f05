package influx

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"metricd/internal/ingest/body"
	"metricd/internal/storage"
)

// version is which InfluxDB a client speaks to.
type version int

const (
	version1 version = 1
	version2 version = 2
)

func badRequest(format string, args ...any) error {
	return &body.Error{Status: http.StatusBadRequest, Text: fmt.Sprintf(format, args...)}
}

// codes are version 2's names of errors.
var codes = map[int]string{
	http.StatusBadRequest:            "invalid",
	http.StatusRequestEntityTooLarge: "request too large",
	http.StatusUnsupportedMediaType:  "unsupported media type",
	http.StatusServiceUnavailable:    "unavailable",
}

// writeFailure answers with an error.
func writeFailure(w http.ResponseWriter, v version, f *body.Error) {
	if f.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", body.RetryAfter)
	}
	if v == version2 {
		writeJSON(w, f.Status, struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		}{codes[f.Status], f.Text})
		return
	}
	// Telegraf makes a database, and sends all again, whenever it reads these words. They may be the client's own, in what is wrong.
	text := strings.ReplaceAll(f.Text, "database not found", "database not_found")
	writeJSON(w, f.Status, struct {
		Error string `json:"error"`
	}{text})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n')) // its error is the client's
}

// ping says that there is a server, as those of version 1 ask.
func (h *Handler) ping(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Influxdb-Build", "metricd")
	w.Header().Set("X-Influxdb-Version", h.cfg.Version)
	w.WriteHeader(http.StatusNoContent)
}

// health says how the server is, as those of version 2 ask. It deletes an empty range: a store that does not work says so. A store that takes no
// writes for now is well, as its readers see it, and the message says so.
func (h *Handler) health(w http.ResponseWriter, r *http.Request) {
	status, is, message := http.StatusOK, "pass", "ready for queries and writes"
	switch err := h.cfg.Store.Delete(r.Context(), storage.Query{Key: "_", Mint: 1, Maxt: 0}); {
	case errors.Is(err, storage.ErrReadOnly):
		message = "ready for queries only: " + err.Error()
	case err != nil:
		status, is, message = http.StatusServiceUnavailable, "fail", err.Error()
	}
	writeJSON(w, status, struct {
		Name    string   `json:"name"`
		Message string   `json:"message"`
		Status  string   `json:"status"`
		Checks  []string `json:"checks"`
		Version string   `json:"version"`
	}{"metricd", message, is, []string{}, h.cfg.Version})
}
