package interop

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	v1 "github.com/prometheus/prometheus/web/api/v1"

	"metricd/internal/promql"
)

// prometheusAPI returns as much of Prometheus' HTTP API as needs no storage.
func prometheusAPI() http.Handler {
	ready := func(f http.HandlerFunc) http.HandlerFunc { return f }
	api := v1.NewAPI(nil, nil, nil, nil, nil, nil, nil, func() config.Config { return config.Config{} }, nil, v1.GlobalURLOptions{},
		ready, nil, "", false, false, 0, promslog.NewNopLogger(), nil, 0, 0, 0, false, nil, nil, nil, nil, nil, nil, nil, nil,
		false, nil, false, false, false, 0, false, false, nil, nil, v1.OpenAPIOptions{},
		parser.NewParser(parser.Options{EnableUnquotedUTF8Names: true}), false, 0)
	router := route.New()
	api.Register(router)
	return router
}

// ask returns what the API says about an expression: the data, or the error.
func ask(t *testing.T, api http.Handler, path, expr string) (data json.RawMessage, err string) {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"?query="+url.QueryEscape(expr), nil))
	var answer struct {
		Data  json.RawMessage
		Error string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s %s: %v: %s", path, expr, err, w.Body)
	}
	return answer.Data, answer.Error
}

// TestParse: expressions are parsed and formatted to the bytes that Prometheus' API answers, or refused in its words.
func TestParse(t *testing.T) {
	exprs, err := promqltest.GetBuiltInExprs()
	if err != nil {
		t.Fatal(err)
	}
	exprs = append(exprs, "", "(", "x{", "palm.cpu", "a.b{c=~`d`}", "foo[1h:5m] @ end()", "x[5m", "sum(x) by", "-(1+2)^-3", "'a' 'b'", "x[5m+1s]", "1 <bool x")
	api, engine := prometheusAPI(), promql.New(nil, promql.Options{})
	parsed := 0
	for _, expr := range exprs {
		for path, ours := range map[string]func(string) (any, error){
			"/parse_query":  engine.Parse,
			"/format_query": func(expr string) (any, error) { return engine.Format(expr) },
		} {
			want, wantErr := ask(t, api, path, expr)
			tree, err := ours(expr)
			if err != nil {
				if got := `invalid parameter "query": ` + err.Error(); got != wantErr {
					t.Errorf("%s %s: error %s, want %q", path, expr, got, wantErr)
				}
				continue
			}
			parsed++
			if got, err := json.Marshal(tree); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s %s: got %s, %v, want %s", path, expr, got, err, want)
			}
		}
	}
	if parsed < len(exprs) {
		t.Errorf("only %d of %d could be parsed and formatted", parsed/2, len(exprs))
	}
}
