package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"metricd/internal/backup"
	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

const jsonType = "application/json"

// putBoardText puts a board and returns the status and its ETag.
func (s *served) putBoardText(name, text string, header ...string) (int, string) {
	s.t.Helper()
	status, _, answer := s.do("PUT", "/api/page/boards/"+name, strings.NewReader(text), append([]string{"Content-Type", jsonType}, header...)...)
	return status, answer.Header.Get("ETag")
}

// TestBoards makes, reads, replaces, lists and deletes boards, also after a restart.
func TestBoards(t *testing.T) {
	dir := t.TempDir()
	clock := func() time.Time { return time.UnixMilli(1150864247005) }
	db, err := tsdb.Open(tsdb.Options{Dir: dir, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, Config{Store: db})
	if _, text, _ := s.do("GET", "/api/page/boards", nil); text != `{"boards":[]}`+"\n" {
		t.Errorf("empty: %s", text)
	}
	status, first := s.putBoardText("My%20%2F%20board", `{"a": 1}`, "If-None-Match", "*")
	if status != 201 || first == "" {
		t.Fatalf("made: %d, %s", status, first)
	}
	status, second := s.putBoardText("My%20%2F%20board", `{"a": 2}`, "If-Match", first)
	if status != 204 || second == first || second == "" {
		t.Fatalf("replaced: %d, %s after %s", status, second, first)
	}
	if status, third := s.putBoardText("My%20%2F%20board", `[3]`, "If-Match", "W/"+second); status != 204 {
		t.Fatalf("by the ETag that a proxy made weak: %d", status)
	} else {
		second = third
	}
	_, other := s.putBoardText("a", `null`, "If-None-Match", "*")
	if err := errors.Join(s.stop(), db.Close()); err != nil {
		t.Fatal(err)
	}

	s = serve(t, Config{Store: open(t, tsdb.Options{Dir: dir})})
	status, text, answer := s.do("GET", "/api/page/boards/My%20%2F%20board", nil)
	h := answer.Header
	if status != 200 || text != "[3]" || h.Get("ETag") != second || h.Get("Content-Type") != jsonType || h.Get("Cache-Control") != "no-cache" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("read: %d %s %v", status, text, h)
	}
	if status, text, _ := s.do("HEAD", "/api/page/boards/a", nil); status != 200 || text != "" {
		t.Errorf("HEAD: %d %s", status, text)
	}
	if status, text, answer := s.do("GET", "/api/page/boards/a", nil, "If-None-Match", `"x", `+other); status != 304 || text != "" || answer.Header.Get("ETag") != other {
		t.Errorf("not modified: %d %s", status, text)
	}
	want := fmt.Sprintf(`{"boards":[{"name":"My / board","etag":%q,"size":3,"modified":1150864247005},{"name":"a","etag":%q,"size":4,"modified":1150864247005}]}`+"\n", second, other)
	if _, text, _ := s.do("GET", "/api/page/boards", nil); text != want {
		t.Errorf("got %s want %s", text, want)
	}
	if status, _, _ := s.do("DELETE", "/api/page/boards/a", nil, "If-Match", other); status != 204 {
		t.Errorf("deleted: %d", status)
	}
	if status, _, _ := s.do("GET", "/api/page/boards/a", nil); status != 404 {
		t.Errorf("deleted, it is %d", status)
	}
}

// TestBoardRefusals: whatever is refused says why and changes nothing.
func TestBoardRefusals(t *testing.T) {
	store := memory(t)
	s := serve(t, Config{Store: store})
	_, old := s.putBoardText("a", `1`, "If-None-Match", "*")
	_, tag := s.putBoardText("a", `2`, "If-Match", old)
	large := `"` + strings.Repeat("x", storage.MaxDocument) + `"`
	for _, tt := range []struct {
		method, name, body string
		header             []string
		status             int
		want               string
	}{
		{"GET", "b", "", nil, 404, `no such document: \"b\"`},
		{"GET", strings.Repeat("b", 81), "", nil, 400, "it has 81 bytes, and 80 is the most"},
		{"GET", "%00", "", nil, 400, "has a control character"},
		{"PUT", "a", "3", nil, 428, "want If-Match with the ETag of the board that was read, or for a new board If-None-Match: *"},
		{"PUT", "a", "3", []string{"If-Match", "*"}, 428, "want If-Match"},
		{"PUT", "a", "3", []string{"If-Match", old}, 412, `\"a\" was changed since`},
		{"PUT", "a", "3", []string{"If-None-Match", "*"}, 412, `there is a \"a\" already`},
		{"PUT", "b", "3", []string{"If-Match", old}, 412, `there is no \"b\" any more`},
		{"PUT", "a", "3", []string{"If-Match", "1"}, 400, "want If-Match"},
		{"PUT", "a", "3", []string{"If-Match", old + ", " + tag}, 400, "want If-Match"},
		{"PUT", "a", "3", []string{"If-Match", tag, "If-None-Match", "*"}, 400, "want If-Match"},
		{"PUT", "a", "3", []string{"If-None-Match", tag}, 400, "want If-Match"},
		{"PUT", "%0a", "3", []string{"If-None-Match", "*"}, 400, "has a control character"},
		{"PUT", "a", "3", []string{"If-Match", tag, "Content-Type", "text/plain"}, 415, `Content-Type \"text/plain\"`},
		{"PUT", "a", "3", []string{"If-Match", tag, "Content-Type", ""}, 415, "want application/json"},
		{"PUT", "a", "{", []string{"If-Match", tag}, 400, "no JSON, of 1 bytes"},
		{"PUT", "a", "", []string{"If-Match", tag}, 400, "no JSON, of 0 bytes"},
		{"PUT", "a", "\"\xff\"", []string{"If-Match", tag}, 400, "no JSON"},
		{"PUT", "a", large, []string{"If-Match", tag}, 413, "1048576 bytes is the most"},
		{"DELETE", "a", "", nil, 428, "want If-Match with the ETag of the board that was read\""},
		{"DELETE", "a", "", []string{"If-None-Match", "*"}, 400, "want If-Match"},
		{"DELETE", "a", "", []string{"If-Match", "*"}, 428, "want If-Match"},
		{"DELETE", "a", "", []string{"If-Match", old}, 412, "was changed since"},
		{"DELETE", "b", "", []string{"If-Match", old}, 404, "no such document"},
		{"POST", "a", "3", []string{"If-Match", tag}, 405, "Method Not Allowed"},
		{"PUT", "a", "3", []string{"If-Match", tag, "Origin", "https://evil.example"}, 403, "another origin"},
	} {
		header := append([]string{"Content-Type", jsonType}, tt.header...)
		status, text, answer := s.do(tt.method, "/api/page/boards/"+tt.name, strings.NewReader(tt.body), header...)
		if status != tt.status || !strings.Contains(text, tt.want) || status != 405 && answer.Header.Get("Content-Type") != jsonType {
			t.Errorf("%s %s %q %v: got %d %s", tt.method, tt.name, tt.body[:min(9, len(tt.body))], tt.header, status, text)
		}
	}
	// The same, of a length that is not told.
	status, text, _ := s.do("PUT", "/api/page/boards/a", io.MultiReader(strings.NewReader(large)), "Content-Type", jsonType, "If-Match", tag)
	if status != 413 {
		t.Errorf("too large, in chunks: %d %s", status, text)
	}
	if status, text, answer := s.do("GET", "/api/page/boards/a", nil); status != 200 || text != "2" || answer.Header.Get("ETag") != tag {
		t.Errorf("it became %d %s", status, text)
	}
	if status, newTag := s.putBoardText("a", large[1:len(large)-2]+`"`, "If-Match", tag); status != 400 || newTag != "" {
		t.Errorf("as large as may be, but no JSON: %d", status)
	}
	if status, _ := s.putBoardText("a", large[:storage.MaxDocument-1]+`"`, "If-Match", tag); status != 204 {
		t.Errorf("as large as may be: %d", status)
	}
}

// TestBoardWriters: of many that saw the same board exactly one wins.
func TestBoardWriters(t *testing.T) {
	s := serve(t, Config{Store: memory(t)})
	var writers sync.WaitGroup
	var made, lost atomic.Int32
	for i := range 8 {
		writers.Go(func() {
			r, err := http.NewRequest("PUT", "http://"+s.addr+"/api/page/boards/a", strings.NewReader(fmt.Sprint(i)))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", jsonType)
			r.Header.Set("If-None-Match", "*")
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			answer.Body.Close()
			switch answer.StatusCode {
			case 201:
				made.Add(1)
			case 412:
				lost.Add(1)
			}
		})
	}
	writers.Wait()
	if made.Load() != 1 || lost.Load() != 7 {
		t.Errorf("%d made it, %d were told to be late", made.Load(), lost.Load())
	}
}

// failingDocuments is a store whose documents all fail; of the one that is asked for the version is known.
type failingDocuments struct {
	storage.Store
	err error
}

func (f failingDocuments) ListDocuments(context.Context) ([]storage.DocumentInfo, error) {
	return nil, f.err
}

func (f failingDocuments) GetDocument(context.Context, string) (storage.DocumentInfo, []byte, error) {
	return storage.DocumentInfo{Version: 42, Err: f.err}, nil, f.err
}

func (f failingDocuments) PutDocument(context.Context, string, []byte, storage.Version) (storage.Version, error) {
	return 0, f.err
}

func (f failingDocuments) DeleteDocument(context.Context, string, storage.Version) error {
	return f.err
}

// TestBoardFailures: why the store does not do it is told, with its status.
func TestBoardFailures(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
	}{
		{fmt.Errorf("disk is full: %w", storage.ErrReadOnly), 503},
		{storage.ErrFailed, 503},
		{storage.ErrClosed, 503},
		{storage.ErrDocumentLimit, 507},
		{storage.ErrMemoryLimit, 507},
		{errors.New("input/output error"), 500},
	} {
		s := serve(t, Config{Store: failingDocuments{memory(t), tt.err}})
		for _, method := range []string{"PUT", "DELETE", "GET"} {
			header := []string{"Content-Type", jsonType, "If-Match", `"0000000000000001"`}
			status, text, answer := s.do(method, "/api/page/boards/a", strings.NewReader("1"), header...)
			if status != tt.status || !strings.Contains(text, tt.err.Error()) || (answer.Header.Get("Retry-After") != "") != (status == 503) {
				t.Errorf("%v: %s: %d %s", tt.err, method, status, text)
			}
			if tag := answer.Header.Get("ETag"); (tag == `"000000000000002a"`) != (method == "GET") {
				t.Errorf("%v: %s: ETag %s, which is what helps to replace it", tt.err, method, tag)
			}
		}
		if status, text, _ := s.do("GET", "/api/page/boards", nil); status < 500 || !strings.Contains(text, tt.err.Error()) {
			t.Errorf("%v: list: %d %s", tt.err, status, text)
		}
	}
	s := serve(t, Config{Store: struct{ storage.Store }{memory(t)}})
	if status, text, _ := s.do("GET", "/api/page/boards", nil); status != 501 || !strings.Contains(text, "keeps no boards") {
		t.Errorf("without documents: %d %s", status, text)
	}
}

// TestBoardsInBackup: a backup has them, and what is made of it too.
func TestBoardsInBackup(t *testing.T) {
	store, _ := onDisk(t)
	s := serve(t, Config{Store: store})
	_, tag := s.putBoardText("a", `{"kept":true}`, "If-None-Match", "*")
	_, text, _ := s.do("GET", "/api/v1/admin/backup", nil)
	dir := t.TempDir()
	if _, err := backup.Unpack(bytes.NewReader([]byte(text)), dir+"/backup"); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(dir+"/backup", dir+"/data", func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	s = serve(t, Config{Store: open(t, tsdb.Options{Dir: dir + "/data"})})
	if status, text, answer := s.do("GET", "/api/page/boards/a", nil); status != 200 || text != `{"kept":true}` || answer.Header.Get("ETag") != tag {
		t.Errorf("restored: %d %s %v, want ETag %s", status, text, answer.Header, tag)
	}
}
