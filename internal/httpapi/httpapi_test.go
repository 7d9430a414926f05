package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"metricd/internal/backup"
	"metricd/internal/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served is a Server that a test runs.
type served struct {
	t      *testing.T
	addr   string
	server *Server
	stop   func() error // stops it and waits; again: the same
}

// serve runs a Server until the end of the test.
func serve(t *testing.T, cfg Config) *served {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := New(cfg)
	go func() { ended <- server.Serve(ctx, ln) }()
	var result error
	s := &served{t: t, addr: ln.Addr().String(), server: server}
	stopped := false
	s.stop = func() error {
		cancel()
		if !stopped {
			stopped, result = true, <-ended
		}
		return result
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// do sends a request and returns its answer, whole.
func (s *served) do(method, path string, body io.Reader, header ...string) (status int, text string, answer *http.Response) {
	s.t.Helper()
	r, err := http.NewRequest(method, "http://"+s.addr+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	answer, err = http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(b), answer
}

// add appends samples: a key, and times and values in turn.
func add(t *testing.T, store storage.Store, key string, samples ...float64) {
	t.Helper()
	b := &storage.Batch{}
	for i := 0; i < len(samples); i += 2 {
		b.Rows = append(b.Rows, storage.Row{Key: []byte(key), T: int64(samples[i]), V: samples[i+1]})
	}
	a := store.Appender()
	seq, err := a.Append(b)
	if err := errors.Join(err, a.Wait(t.Context(), seq)); err != nil || len(b.Refused) > 0 {
		t.Fatal(err, b.Refused)
	}
}

const exported = `key,milliseconds,value
cpu;host=a,1000,1.0
cpu;host=a,2500,nan:7ff8000000000001
"m,""x""",-1,-0.0
z,5000,stale
`

func fill(t *testing.T, store storage.Store) {
	add(t, store, "cpu;host=a", 1000, 1, 2500, math.NaN())
	add(t, store, `m,"x"`, -1, math.Copysign(0, -1))
	add(t, store, "z", 5000, math.Float64frombits(0x7ff0000000000002))
}

func TestExport(t *testing.T) {
	store := memory(t)
	fill(t, store)
	s := serve(t, Config{Store: store})
	for _, tt := range []struct {
		query, want string
		status      int
	}{
		{"", exported, 200},
		{"match[]=*", exported, 200},
		{"match[]=z&match[]=*", exported, 200},
		{"match[]=z&match[]=cpu;host=a&match[]=none&match[]=cpu;host=%61", "key,milliseconds,value\nz,5000,stale\ncpu;host=a,1000,1.0\ncpu;host=a,2500,nan:7ff8000000000001\n", 200},
		{"start=1&end=2.5", "key,milliseconds,value\ncpu;host=a,1000,1.0\ncpu;host=a,2500,nan:7ff8000000000001\n", 200},
		{"start=1.001&end=1970-01-01T00:00:02.499Z", "key,milliseconds,value\n", 200},
		{"format=put", "put cpu;host=a 1.0 1\nput cpu;host=a nan 2\nput m,\"x\" -0.0 -1\n", 200},
		{"format=json", `no format \"json\"`, 400},
		{"match[]=a+b", "want a key", 400},
		{"match[]=", "want a key", 400},
		{"match=z", `no parameter \"match\" here: want any of match[], start, end, format`, 400},
		{"match[]=%zz", "invalid URL escape", 400},
		{"start=yesterday", `start \"yesterday\": want Unix seconds`, 400},
		{"end=1e30", `end \"1e30\": want Unix seconds`, 400},
		{"end=NaN", `end \"NaN\": want Unix seconds`, 400},
	} {
		status, text, answer := s.do("GET", "/api/v1/export?"+strings.ReplaceAll(tt.query, ";", "%3B"), nil)
		if status != tt.status || status == 200 && text != tt.want || !strings.Contains(text, tt.want) {
			t.Errorf("%s: got %d\n%s", tt.query, status, text)
		}
		if tt.query == "format=put" {
			if n := answer.Trailer; n.Get("Metricd-Series") != "3" || n.Get("Metricd-Samples") != "3" || n.Get("Metricd-Cut") != "2" ||
				n.Get("Metricd-Nan") != "1" || n.Get("Metricd-Collapsed") != "0" || n.Get("Metricd-Stale") != "1" {
				t.Errorf("trailers: %v", n)
			}
		}
		if status != 200 && (!json.Valid([]byte(text)) || answer.Header.Get("Content-Type") != "application/json") {
			t.Errorf("%s: no JSON: %s", tt.query, text)
		}
	}
	if status, text, _ := s.do("HEAD", "/api/v1/export", nil); status != 200 || text != "" {
		t.Errorf("HEAD: %d %s", status, text)
	}
}

func TestGzip(t *testing.T) {
	store := memory(t)
	fill(t, store)
	s := serve(t, Config{Store: store})
	for accept, want := range map[string]string{"gzip": "gzip", "deflate, GZIP;q=0.5": "gzip", "*": "gzip", "gzip;q=0": "", "*;q=0.0, identity": "", "br": "", "gzip;q=0,*": ""} {
		_, text, answer := s.do("GET", "/api/v1/export", nil, "Accept-Encoding", accept)
		if got := answer.Header.Get("Content-Encoding"); got != want {
			t.Fatalf("%s: got %q", accept, got)
		}
		if want == "gzip" {
			text = gunzip(t, text)
		}
		if text != exported {
			t.Errorf("%s: got %q", accept, text)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprintf(z, "put packed 1 1\n")
	z.Close()
	packedTwice := append(packed.Bytes(), packed.Bytes()...)
	if status, text, _ := s.do("POST", "/api/v1/import?format=put", bytes.NewReader(packedTwice), "Content-Encoding", "gzip"); status != 200 || !strings.Contains(text, `"stored":2`) {
		t.Errorf("got %d %s", status, text)
	}
	if status, text, _ := s.do("POST", "/api/v1/import?format=put", strings.NewReader("put a 1 1\n"), "Content-Encoding", "gzip"); status != 400 {
		t.Errorf("no gzip: %d %s", status, text)
	}
	if status, text, _ := s.do("POST", "/api/v1/import?format=put", bytes.NewReader(packed.Bytes()[:packed.Len()-4]), "Content-Encoding", "gzip"); status != 400 || !strings.Contains(text, "behind line 1: unexpected EOF; what came before is stored, and to import it again does no harm") {
		t.Errorf("cut: %d %s", status, text)
	}
	if status, text, _ := s.do("POST", "/api/v1/import", strings.NewReader(""), "Content-Encoding", "br"); status != 415 || !strings.Contains(text, "want gzip") {
		t.Errorf("br: %d %s", status, text)
	}
	if status, text, _ := s.do("POST", "/api/v1/import", bytes.NewReader(packed.Bytes())); status != 400 || !strings.Contains(text, "the body is gzip: say so with the header Content-Encoding: gzip") {
		t.Errorf("gzip, unsaid: %d %s", status, text)
	}
}

func gunzip(t *testing.T, text string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestImport: what was exported is the same after an import, and refused lines don't hold the others up.
func TestImport(t *testing.T) {
	store := memory(t)
	s := serve(t, Config{Store: store})
	for range 2 { // again does no harm
		if status, text, _ := s.do("POST", "/api/v1/import", strings.NewReader(exported)); status != 200 || text != `{"status":"success","data":{"lines":5,"stored":4,"refused":0}}`+"\n" {
			t.Fatalf("got %d %s", status, text)
		}
		if _, text, _ := s.do("GET", "/api/v1/export", nil); text != exported {
			t.Fatalf("got %s", text)
		}
	}
	for _, tt := range []struct{ query, body, want string }{
		{"", "key,milliseconds,value\na,1\nq,1,5\nb,2,x\nq,2,6", `{"status":"error","errorType":"bad_data","error":"3 of 5 lines were refused","data":{"lines":5,"stored":1,"refused":3,"refusals":[` +
			`{"line":2,"text":"a,1","error":"want three columns, key,milliseconds,value"},{"line":4,"text":"b,2,x","error":"value \"x\": want a decimal number, inf, -inf, nan, stale, or nan: and the 16 hexadecimal digits of one"},` +
			`{"line":5,"text":"q,2,6","error":"it has no line end, so it may be cut short"}]}}` + "\n"},
		{"", "q,1,5\n", `"error":"line 1: \"q,1,5\": want the header key,milliseconds,value, with whole milliseconds since 1970","data":{"lines":1,"stored":0,"refused":0}`},
		{"?format=xml", "", `no format \"xml\"`},
		{"", "put over 1 1\nput under 1 1\n", `"stored":1,"refused":1,"refusals":[{"line":2,"text":"put under 1 1","error":"series limit reached: 5 series is the most allowed (--max-series)"}]`},
	} {
		if status, text, _ := s.do("POST", "/api/v1/import"+tt.query, strings.NewReader(tt.body)); status != 400 || !strings.Contains(text, tt.want) {
			t.Errorf("%q: got %d %s\nwant %s", tt.body, status, text, tt.want)
		}
	}
	_, text, _ := s.do("POST", "/api/v1/import?format=put", strings.NewReader(strings.Repeat("x\nput q 1 1\n", 5000)))
	var told struct{ Data imported }
	if err := json.Unmarshal([]byte(text), &told); err != nil || told.Data.Lines != 10_000 || told.Data.Refused != 5000 || told.Data.Stored != 5000 || len(told.Data.Refusals) != maxRefusals || told.Data.Refusals[999].Line != 1999 {
		t.Errorf("many refused: %v, %d lines %d stored", err, told.Data.Lines, told.Data.Stored)
	}
}

// TestReadOnly: a store that takes nothing ends an import with 503, and says behind which line.
func TestReadOnly(t *testing.T) {
	store := &fullStore{Store: memory(t), room: 3000}
	s := serve(t, Config{Store: store})
	status, text, answer := s.do("POST", "/api/v1/import?format=put", strings.NewReader(strings.Repeat("put a 1 1\n", 100_000)))
	var told struct{ Data imported }
	if err := json.Unmarshal([]byte(text), &told); err != nil || status != 503 || answer.Header.Get("Retry-After") == "" || told.Data.Stored != 3000 || told.Data.Lines >= 5000 || told.Data.Refusals[0].Line != 3001 {
		t.Errorf("got %d %.300s", status, text)
	}
	if !strings.Contains(text, "store is read-only") {
		t.Errorf("got %.300s", text)
	}
}

// fullStore takes no more than room rows.
type fullStore struct {
	storage.Store
	room int
}

func (f *fullStore) Delete(ctx context.Context, q storage.Query) error {
	if f.room == 0 {
		return storage.ErrReadOnly
	}
	return f.Store.Delete(ctx, q)
}

func (f *fullStore) Appender() storage.Appender { return &fullAppender{f.Store.Appender(), f} }

type fullAppender struct {
	storage.Appender
	store *fullStore
}

func (a *fullAppender) Append(b *storage.Batch) (storage.Seq, error) {
	taken := storage.Batch{Rows: b.Rows[:min(len(b.Rows), a.store.room)]}
	seq, err := a.Appender.Append(&taken)
	a.store.room -= len(taken.Rows)
	b.Refused = b.Refused[:0]
	for i := len(taken.Rows); i < len(b.Rows); i++ {
		b.Refused = append(b.Refused, storage.Refusal{Row: i, Err: storage.ErrReadOnly})
	}
	return seq, err
}

func TestGuard(t *testing.T) {
	store := memory(t)
	s := serve(t, Config{Store: store})
	_, port, _ := net.SplitHostPort(s.addr)
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:" + port: 200, "127.0.0.1": 200, "[::1]:" + port: 200, "[::1]": 200, "192.0.2.1:80": 200,
		"evil.example": 421, "evil.example:" + port: 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421,
	} {
		if status, text, _ := s.do("GET", "/-/ready", nil, "Host", host); status != want {
			t.Errorf("Host %s: got %d %s", host, status, text)
		}
	}
	for request, want := range map[string]string{"GET /-/ready HTTP/1.0\r\n\r\n": " 200 ", "GET /-/ready HTTP/1.0\r\nHost: evil.example\r\n\r\n": " 421 ", "GET /-/ready HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n": " 421 "} {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, request)
		answer, err := io.ReadAll(c)
		if line, _, _ := strings.Cut(string(answer), "\r\n"); !strings.Contains(line+" ", want) {
			t.Errorf("%q: got %q, %v", request, line, err)
		}
		c.Close()
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.example"}} {
		if status, text, _ := s.do("POST", "/api/v1/import?format=put", strings.NewReader("put a 1 1\n"), header...); status != 403 || !json.Valid([]byte(text)) {
			t.Errorf("%v: got %d %s", header, status, text)
		}
	}
	for site, want := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200} {
		if status, _, _ := s.do("GET", "/api/v1/export", nil, "Sec-Fetch-Site", site); status != want {
			t.Errorf("an export asked for by %s: %d", site, status)
		}
	}
	if status, _, _ := s.do("POST", "/api/v1/import?format=put", strings.NewReader("put b 1 1\n"), "Sec-Fetch-Site", "same-origin"); status != 200 {
		t.Errorf("same origin: %d", status)
	}
	if status, _, _ := s.do("GET", "/api/v1/import", nil); status != 405 {
		t.Errorf("GET of the import: %d", status)
	}
	if _, text, _ := s.do("GET", "/api/v1/export?format=put", nil); text != "put b 1.0 1\n" {
		t.Errorf("stored: %s", text)
	}
}

func TestHealth(t *testing.T) {
	store := memory(t)
	s := serve(t, Config{Store: store})
	if status, text, _ := s.do("GET", "/-/healthy", nil); status != 200 || text != "metricd is healthy\n" {
		t.Errorf("got %d %s", status, text)
	}
	if status, text, _ := s.do("GET", "/-/ready", nil); status != 200 || text != "metricd is ready\n" {
		t.Errorf("got %d %s", status, text)
	}
	full := serve(t, Config{Store: &fullStore{Store: store}})
	if status, text, _ := full.do("GET", "/-/ready", nil); status != 200 || text != "metricd is ready, reads only: store is read-only\n" {
		t.Errorf("full: got %d %s", status, text)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/-/ready", "/api/v1/export"} {
		if status, text, _ := s.do("GET", path, nil); status != 503 || !strings.Contains(text, "store is closed") {
			t.Errorf("%s, closed: %d %s", path, status, text)
		}
	}
	if status, text, _ := s.do("POST", "/api/v1/import?format=put", strings.NewReader("put a 1 1\n")); status != 503 || !strings.Contains(text, "store is closed") {
		t.Errorf("import, closed: %d %s", status, text)
	}
}

func TestBackup(t *testing.T) {
	if status, text, _ := serve(t, Config{Store: memory(t)}).do("GET", "/api/v1/admin/backup", nil); status != 501 || !strings.Contains(text, "use export") {
		t.Errorf("in memory: %d %s", status, text)
	}
	store, dir := onDisk(t)
	fill(t, store)
	s := serve(t, Config{Store: store})
	status, text, _ := s.do("GET", "/api/v1/admin/backup", nil)
	if status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "snapshots", "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, err := backup.Unpack(strings.NewReader(text), filepath.Join(t.TempDir(), "backup")); err != nil {
		t.Fatal(err)
	}
}

// TestCutShort: an answer whose source fails in the middle has no end.
func TestCutShort(t *testing.T) {
	store := memory(t)
	var samples []float64
	for i := range 100_000 {
		samples = append(samples, float64(i), float64(i))
	}
	add(t, store, "a", samples...)
	add(t, store, "b", 1, 1)
	for _, accept := range []string{"identity", "gzip"} {
		s := serve(t, Config{Store: failingStore{store}})
		r, err := http.NewRequest("GET", "http://"+s.addr+"/api/v1/export", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", accept)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 200 || n == 0 || err == nil {
			t.Errorf("%s: got %d, %d bytes, %v", accept, answer.StatusCode, n, err)
		}
	}
}

// failingStore fails behind the first series.
type failingStore struct{ storage.Store }

func (f failingStore) Select(ctx context.Context, q storage.Query) storage.SeriesSet {
	return &failingSet{SeriesSet: f.Store.Select(ctx, q)}
}

type failingSet struct {
	storage.SeriesSet
	n int
}

func (f *failingSet) Next() bool {
	f.n++
	return f.n < 2 && f.SeriesSet.Next()
}
func (f *failingSet) Err() error { return storage.ErrFailed }

// TestStop: an import under way is answered with what was read of it, and idle connections don't hold the stop up.
func TestStop(t *testing.T) {
	store := memory(t)
	s := serve(t, Config{Store: store})
	silent, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	body, feed := io.Pipe()
	type result struct {
		status int
		text   string
	}
	answered := make(chan result, 1)
	go func() {
		r, _ := http.NewRequest("POST", "http://"+s.addr+"/api/v1/import?format=put", body)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			answered <- result{0, err.Error()}
			return
		}
		defer answer.Body.Close()
		b, _ := io.ReadAll(answer.Body)
		answered <- result{answer.StatusCode, string(b)}
	}()
	fmt.Fprint(feed, strings.Repeat("put a 1 1\n", 2000)+"put a")
	for { // until it is there, the request has not begun
		if st, err := store.Stats(); err != nil {
			t.Fatal(err)
		} else if st.Series > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	start := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("the stop took %v", took)
	}
	got := <-answered
	feed.Close()
	if got.status != 503 || !strings.Contains(got.text, "behind line 2000: the server is stopping; what came before is stored, and to import it again does no harm") {
		t.Errorf("got %d %s", got.status, got.text)
	}
}

// TestStall: a client that stops sending, or reading, is let go.
func TestStall(t *testing.T) {
	store := memory(t)
	var samples []float64
	for i := range 1_000_000 {
		samples = append(samples, float64(i), float64(i)/3)
	}
	add(t, store, "a", samples...)
	s := serve(t, Config{Store: store, Stall: 50 * time.Millisecond})
	for _, request := range []string{
		"POST /api/v1/import?format=put HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nput a 1 1\n",
		"GET /api/v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.stop(); err != nil { // waits for both
		t.Fatal(err)
	}
}

// TestBrokenListener: an error of the listener is returned.
func TestBrokenListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := New(Config{Store: memory(t)}).Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
