package influx

import (
	"io"
	"net/http"
	"strings"

	"metricd/internal/ingest/body"
)

// maxQuery bounds the body of a query, in bytes.
const maxQuery = 64 << 10

// database is the one that is shown: whatever name a client writes to, it is kept together.
const database = "metricd"

// result is the answer to one statement; InfluxDB's documentation of /query has its form.
type result struct {
	ID     int      `json:"statement_id"`
	Series []series `json:"series,omitempty"`
}

type series struct {
	Name    string     `json:"name"`
	Columns []string   `json:"columns"`
	Values  [][]string `json:"values"`
}

// query answers statements of InfluxQL as writers send them before they write: CREATE DATABASE name, to which all is there already, and
// SHOW DATABASES.
func (h *Handler) query(w http.ResponseWriter, r *http.Request) {
	src := &source{r: http.MaxBytesReader(w, r.Body, maxQuery)}
	r.Body = io.NopCloser(src) // the server closes its own
	if err := r.ParseForm(); err != nil {
		if src.err != nil {
			err = src.blame(err)
		} else {
			err = badRequest("cannot read the form: %v", err)
		}
		writeFailure(w, version1, body.AsError(err))
		return
	}
	var results []result
	for _, s := range statements(r.Form.Get("q")) {
		words := strings.Fields(strings.ToUpper(s))
		res := result{ID: len(results)}
		switch {
		case len(words) == 0:
			continue
		case len(words) >= 3 && words[0] == "CREATE" && words[1] == "DATABASE" && r.Method != http.MethodGet:
		case len(words) == 2 && words[0] == "SHOW" && words[1] == "DATABASES":
			res.Series = []series{{"databases", []string{"name"}, [][]string{{database}}}}
		default:
			writeFailure(w, version1, &body.Error{Status: http.StatusBadRequest, Text: "error parsing query: only CREATE DATABASE (by POST) and SHOW DATABASES are known here; " +
				"to read samples ask in PromQL at /api/v1/query"})
			return
		}
		results = append(results, res)
	}
	if len(results) == 0 {
		writeFailure(w, version1, &body.Error{Status: http.StatusBadRequest, Text: `missing required parameter "q"`})
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Results []result `json:"results"`
	}{results})
}

// statements cuts q at the semicolons that are not in quotes.
func statements(q string) (all []string) {
	var quote byte
	start := 0
	for i := 0; i < len(q); i++ {
		switch c := q[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ';':
			all = append(all, q[start:i])
			start = i + 1
		}
	}
	return append(all, q[start:])
}
