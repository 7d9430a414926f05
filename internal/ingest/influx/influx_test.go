package influx

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// noon is what the clock of the tests says.
var noon = time.UnixMilli(1_700_000_000_987)

// server is a Handler under test, and its store.
type server struct {
	t     testing.TB
	h     *Handler
	mux   *http.ServeMux
	store storage.Store
}

func openStore(t testing.TB, o tsdb.Options) storage.Store {
	t.Helper()
	db, err := tsdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newServer(t testing.TB, cfg Config) *server {
	if cfg.Store == nil {
		cfg.Store = openStore(t, tsdb.Options{})
	}
	cfg.Now = func() time.Time { return noon }
	cfg.Version = "1.2.3"
	s := &server{t: t, h: New(cfg), mux: http.NewServeMux(), store: cfg.Store}
	for pattern, f := range s.h.Handlers() {
		s.mux.Handle(pattern, f)
	}
	return s
}

// ask asks with a body; header are names and values.
func (s *server) ask(method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

// write writes a body and returns status and body of the answer.
func (s *server) write(target, body string) string {
	w := s.ask("POST", target, strings.NewReader(body))
	return strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body))
}

// dump returns all samples as `key ms value`, a line each.
func dump(t testing.TB, store storage.Store) string {
	t.Helper()
	set := store.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	var b strings.Builder
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() {
			ms, _ := it.At()
			fmt.Fprintf(&b, "%s %d %s\n", set.At().Key(), ms, it.AppendValue(nil))
		}
		if it.Err() != nil {
			t.Fatal(it.Err())
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	const ns = " 1556813561098123456"
	const at = " 1556813561098 "
	for _, tt := range []struct {
		name, target, body string
		answer             string
		want               string
	}{
		{name: "names", body: "cpu,host=a usage_user=1.5,value=2" + ns, want: "cpu_usage_user;host=a" + at + "1.5\ncpu;host=a" + at + "2.0\n"},
		{name: "no tags", body: "cpu value=1" + ns + "\ncpu x=1" + ns, want: "cpu" + at + "1.0\ncpu_x" + at + "1.0\n"},
		{
			name: "kinds", body: "m i=-5i,u=18446744073709551615u,t=t,T=TRUE,f=false,e=-1e-3,p=.5,s=\"x\",l=9007199254740993i" + ns,
			want: "m_i" + at + "-5.0\nm_u" + at + "1.8446744073709552e+19\nm_t" + at + "1.0\nm_T" + at + "1.0\nm_f" + at + "0.0\nm_e" + at + "-0.001\nm_p" + at + "0.5\nm_l" + at + "9007199254740992.0\n",
		},
		{name: "strings only", body: "m s=\"x\",t=\"y\"" + ns},
		{name: "tags sorted", body: "m,b=2,a=1 v=1" + ns + "\nm,a=1,b=2 v=2" + ns, want: "m_v;a=1;b=2" + at + "2.0\n"},
		{
			name: "escapes", body: `we\,ir\ d\=,t\ a\,g\==v\,a\=l\ x fi\,e\=ld\ 1=1` + ns + "\n" + `a;b,c;d=e;f,%41=%41 v=1` + ns,
			want: "we,ir%20d\\=_fi,e=ld%201;t%20a,g%3D=v,a=l%20x" + at + "1.0\na%3Bb_v;%2541=%2541;c%3Bd=e%3Bf" + at + "1.0\n",
		},
		{name: "name that reads as tags", body: "a;b=c v=1" + ns, want: "a%3Bb=c_v;" + at + "1.0\n"},
		{name: "a name alone that must be escaped", body: `a\ b value=1` + ns, want: "a%20b;" + at + "1.0\n"},
		{name: "no time", body: "m v=1", want: "m_v 1700000000987 1.0\n"},
		{name: "line ends", body: "\n\r\n# a \"comment\n  # another\tone\nm v=1 1000000\r\n\n m v=2 2000000 ", want: "m_v 1 1.0\nm_v 2 2.0\n"},
		{name: "rounded down", body: "m v=1 1999999\nm v=2 -1\nm v=3 -1000000\nm v=4 -1000001", want: "m_v -2 4.0\nm_v -1 3.0\nm_v 1 1.0\n"},
		{name: "n", target: "?precision=n&db=x&rp=y&consistency=all", body: "m v=1 1999999", want: "m_v 1 1.0\n"},
		{name: "u", target: "?precision=u", body: "m v=1 1999", want: "m_v 1 1.0\n"},
		{name: "us", target: "?precision=us", body: "m v=1 -1999", want: "m_v -2 1.0\n"},
		{name: "ms", target: "?precision=ms", body: "m v=1 1999", want: "m_v 1999 1.0\n"},
		{name: "s", target: "?precision=s", body: "m v=1 2\nm v=2 9000000000000000", want: "m_v 2000 1.0\nm_v 9000000000000000000 2.0\n"},
		{name: "m", target: "?precision=m", body: "m v=1 2", want: "m_v 120000 1.0\n"},
		{name: "h", target: "?precision=h", body: "m v=1 2", want: "m_v 7200000 1.0\n"},
		{name: "unknown precision", target: "?precision=d", body: "m v=1 2", answer: "400 {\"error\":\"precision=\\\"d\\\": want ns, us, ms, s, m or h\"}"},
		{
			name: "out of range", target: "?precision=h", body: "m v=1 1\nm v=2 9223372036854775807\nm v=3 -2562047788015\nm v=4 99999999999999999999",
			answer: `400 {"error":"partial write: line 2: time out of range dropped=3"}`, want: "m_v 3600000 1.0\n",
		},
		{
			name: "wrong lines", body: "m v=1 1000000\nm\nm v=x\nm v=\nm,a v=1\nm,a= v=1\nm v=1 x\n,a=b v=1\nm v=2 2000000\nm v=1e999\nm v=1i5\nm v=99999999999999999999i\nm v=-1u\nm v=tr\nm v=0x10\nm v=-inf\nm v=-nan\n\xff v=1\n",
			answer: `400 {"error":"partial write: line 2: empty tag name dropped=16"}`, want: "m_v 1 1.0\nm_v 2 2.0\n",
		},
		{name: "a wrong field", body: "m a=1,b=2x,c=3 1000000\nm d=4 1000000", answer: `400 {"error":"partial write: line 1: field \"b\": its value is not a finite number dropped=1"}`, want: "m_d 1 4.0\n"},
		{name: "a tag twice", body: "m,a=1,b=2,a=1 v=1\nm v=1 1000000", answer: `400 {"error":"partial write: line 1: a tag is there twice dropped=1"}`, want: "m_v 1 1.0\n"},
		{name: "name as a tag", body: "m,__name__=1 v=1\nm v=1 1000000", answer: `400 {"error":"partial write: line 1: a tag can't be called __name__ dropped=1"}`, want: "m_v 1 1.0\n"},
		{
			name: "long keys", body: "m,t=" + strings.Repeat("x", 90) + " v=1," + strings.Repeat("y", 30) + "=2,w=3 1000000\n" + strings.Repeat("z", 200) + " v=1\nm v=1 1000000\n",
			answer: `400 {"error":"partial write: line 1: its key would be longer than 120 bytes dropped=2"}`,
			want:   "m_v;t=" + strings.Repeat("x", 90) + " 1 1.0\nm_w;t=" + strings.Repeat("x", 90) + " 1 3.0\nm_v 1 1.0\n",
		},
		{name: "strings of several lines", body: "m s=\"a\nevil v=1\n\\\" b\\\\\",v=1 1000000\nm v=2 2000000\n", want: "m_v 1 1.0\nm_v 2 2.0\n"},
		{name: "a quote that is not closed", body: "m s=\"a 1\nm v=1 1000000\nm v=2 2000000", answer: `400 {"error":"partial write: line 1: expected closing quote for string field value, found end of input dropped=1"}`, want: "m_v 1 1.0\nm_v 2 2.0\n"},
		{
			name: "a quote that another string closes", body: "m s=\"a 1\nm v=1 1000000\nm s=\"b\",v=2 2000000\nm v=3 3000000",
			answer: `400 {"error":"partial write: line 1: unexpected character 'b' after field dropped=1"}`, want: "m_v 1 1.0\nm_v 2 2.0\nm_v 3 3.0\n",
		},
		{name: "what others wrote into a string", body: "m s=\"\xff\nevil v=1\n\",v=1 1000000\nm v=2 2000000", answer: `400 {"error":"partial write: line 1: invalid utf-8 sequence in token \"\\xff\\nevil v=1\\n\" dropped=1"}`, want: "m_v 2 2.0\n"},
		{name: "of a wrong line", body: "m,__name__=x s=\"\nevil v=1\n\",v=1 1000000\nm v=2 2000000", answer: `400 {"error":"partial write: line 1: a tag can't be called __name__ dropped=1"}`, want: "m_v 2 2.0\n"},
		{name: "quotes elsewhere", body: "m\",a=\"b c\"=1 1000000\nm v=1 1000000\n# x=\"\nm v=2 2000000", want: "m\"_c\";a=\"b 1 1.0\nm_v 1 1.0\nm_v 2 2.0\n"},
		{name: "nothing"},
		{
			name: "version 2", target: "v2?org=o&bucket=b&precision=ms", body: "m v=1 1\nm v=x 2\n",
			answer: `400 {"code":"invalid","message":"partial write: line 2: field value has unrecognized type dropped=1"}`, want: "m_v 1 1.0\n",
		},
		{name: "version 2, precision", target: "v2?precision=d", answer: `400 {"code":"invalid","message":"precision=\"d\": want ns, us, ms, s, m or h"}`},
		// Telegraf would send the same again for ever.
		{name: "magic words", body: "m s=\"\xff database not found\"", answer: `400 {"error":"partial write: line 1: invalid utf-8 sequence in token \"\\xff database not_found\" dropped=1"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, Config{MaxKey: 120})
			target, v2 := strings.CutPrefix(tt.target, "v2")
			if target = "/write" + target; v2 {
				target = "/api/v2" + target
			}
			if tt.answer == "" {
				tt.answer = "204"
			}
			for range 2 { // the second time all is remembered
				if got := s.write(target, tt.body); got != tt.answer {
					t.Errorf("got %s\nwant %s", got, tt.answer)
				}
				if got := dump(t, s.store); got != tt.want {
					t.Errorf("stored\n%swant\n%s", got, tt.want)
				}
			}
		})
	}
}

func compressed(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}

func TestBodies(t *testing.T) {
	const line = "m v=1 1000000\n"
	whole := compressed(line)
	for _, tt := range []struct {
		name   string
		body   io.Reader
		coding string
		status int
		text   string // in the answer
		stored bool
	}{
		{name: "gzip", body: bytes.NewReader(whole), coding: "gzip", status: 204, stored: true},
		{name: "several members", body: bytes.NewReader(append(compressed("m v=0 0\n"), whole...)), coding: "x-gzip", status: 204, stored: true},
		{name: "identity", body: strings.NewReader(line), coding: "identity", status: 204, stored: true},
		{name: "snappy", body: strings.NewReader(line), coding: "snappy", status: 415, text: "unsupported media type"},
		{name: "not gzip", body: strings.NewReader(line), coding: "gzip", status: 400, text: "not gzip"},
		{name: "half of gzip", body: bytes.NewReader(whole[:len(whole)-4]), coding: "gzip", status: 400, text: "not gzip"},
		{name: "too large", body: strings.NewReader(line + strings.Repeat(" ", 100_000)), status: 413, text: "request too large"},
		{name: "a bomb", body: bytes.NewReader(compressed(line + strings.Repeat("n v=1\n", 200_000))), coding: "gzip", status: 413, text: "longer than 100000 bytes"},
		{name: "endless", body: endless{}, status: 413, text: "longer than 100000 bytes"},
		{name: "broken off", body: io.MultiReader(strings.NewReader(line), brokenBody{errors.New("the server stops")}), status: 503, text: "the server stops", stored: true},
		{name: "broken off in gzip", body: io.MultiReader(bytes.NewReader(whole[:20]), brokenBody{io.ErrUnexpectedEOF}), coding: "gzip", status: 503, text: "cannot read the body"},
		{name: "limited by others", body: io.MultiReader(strings.NewReader(line), brokenBody{&http.MaxBytesError{Limit: 5}}), status: 413, text: "longer than 5 bytes", stored: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, Config{MaxBody: 100_000})
			w := s.ask("POST", "/api/v2/write", tt.body, "Content-Encoding", tt.coding)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.text) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if again := w.Header().Get("Retry-After") != ""; again != (tt.status == 503) {
				t.Errorf("headers %v", w.Header())
			}
			if got := dump(t, s.store); tt.stored && !strings.HasSuffix(got, "m_v 1 1.0\n") {
				t.Errorf("stored %.200s", got)
			}
		})
	}
}

// endless is a body without an end, in one line.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// brokenBody is the end of a body that is not one.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

// TestLongEntries: what is longer than the limit is dropped, strings included, and the lines beside it are stored.
func TestLongEntries(t *testing.T) {
	s := newServer(t, Config{})
	long := strings.Repeat("x", maxEntry) + "\nevil v=1\n"
	body := "m v=1 1000000\nm s=\"" + long + long + "\",v=1 1000000\nm v=2 2000000\n" + strings.Repeat("y", 3*maxEntry) + " v=1\nm v=3 3000000\nm v=x\n"
	want := `400 {"error":"partial write: line 2: it is longer than 1048576 bytes dropped=3"}`
	if got := s.write("/write", body); got != want {
		t.Errorf("got %.200s", got)
	}
	if got := dump(t, s.store); got != "m_v 1 1.0\nm_v 2 2.0\nm_v 3 3.0\n" {
		t.Errorf("stored %.200s", got)
	}
	if got := s.write("/write", strings.Repeat("m v=1\n", 50_000)+"m v=x"); !strings.Contains(got, "line 50001:") {
		t.Errorf("got %s", got)
	}
	if st := s.h.Stats(); st.Dropped != 4 || st.Lines != 7+50_000 {
		t.Errorf("stats %+v", st)
	}
}

// TestManyQuotes: lines each of which, read by itself, is an entry to the end, take no time that grows with its square.
func TestManyQuotes(t *testing.T) {
	for _, end := range []string{"", "\"x"} {
		s := newServer(t, Config{})
		body := "m v=1 1000000\n" + strings.Repeat("m s=\"\",t=\"\n", 80_000) + end
		if got := s.write("/write", body); !strings.HasPrefix(got, "400") {
			t.Errorf("got %.200s", got)
		}
		if got := dump(t, s.store); got != "m_v 1 1.0\n" {
			t.Errorf("stored %.200s", got)
		}
		if st := s.h.Stats(); st.Lines != st.Dropped+1 || st.Lines < 10 || st.Lines > 100 { // some 20 times to the end, which is 1 MB away
			t.Errorf("stats %+v", st)
		}
	}
}

// unwilling is a store that gives each row to refuse, and every Append and Wait to err.
type unwilling struct {
	storage.Store
	refuse           func(*storage.Row) error
	onAppend, onWait error
}

func (s *unwilling) Appender() storage.Appender { return unwillingAppender{s.Store.Appender(), s} }

type unwillingAppender struct {
	storage.Appender
	s *unwilling
}

func (a unwillingAppender) Append(b *storage.Batch) (storage.Seq, error) {
	if a.s.onAppend != nil {
		return 0, a.s.onAppend
	}
	rows := b.Rows
	var refused []storage.Refusal
	var seq storage.Seq
	for i := range rows {
		if err := a.s.refuse(&rows[i]); err != nil {
			refused = append(refused, storage.Refusal{Row: i, Err: err})
			continue
		}
		b.Rows = rows[i : i+1]
		seq, _ = a.Appender.Append(b)
	}
	b.Rows, b.Refused = rows, refused
	return seq, nil
}

func (a unwillingAppender) Wait(ctx context.Context, seq storage.Seq) error {
	if a.s.onWait != nil {
		return a.s.onWait
	}
	return a.Appender.Wait(ctx, seq)
}

func TestRefusals(t *testing.T) {
	full := fmt.Errorf("%w: 5 MB are left", storage.ErrReadOnly)
	failed := fmt.Errorf("%w: the disk is on fire", storage.ErrFailed)
	var many strings.Builder // more fields than one batch, all of one line
	for i := range 3000 {
		fmt.Fprintf(&many, ",b%d=1", i)
	}
	for _, tt := range []struct {
		name   string
		store  unwilling
		body   string
		answer string
		want   string
	}{
		{
			name: "too old", body: "a v=1,w=2 1000000\nb v=1,w=1 1000000\nm v=x\nb v=2",
			store:  unwilling{refuse: refuseKeys("b", storage.ErrTooOld)},
			answer: `400 {"error":"partial write: line 2: sample is older than the retention dropped=3"}`, want: "a_v 1 1.0\na_w 1 2.0\n",
		},
		{
			name: "one line in several batches", body: "b a=1" + many.String() + " 1000000\nm v=x\na v=1 1000000",
			store:  unwilling{refuse: refuseKeys("b", storage.ErrSeriesLimit)},
			answer: `400 {"error":"partial write: line 1: series limit reached dropped=2"}`, want: "a_v 1 1.0\n",
		},
		{
			name: "full", body: "a v=1 1000000\nm v=x\nb v=1 1000000\n", store: unwilling{refuse: refuseKeys("b", full)},
			answer: `503 {"error":"store is read-only: 5 MB are left"}`, want: "a_v 1 1.0\n",
		},
		{name: "failed", body: "a v=1 1000000\n", store: unwilling{onAppend: failed}, answer: `503 {"error":"store failed: the disk is on fire"}`},
		{
			name: "not durable", body: "a v=1 1000000\nm v=x\n", store: unwilling{refuse: refuseKeys("b", full), onWait: failed},
			answer: `503 {"error":"store failed: the disk is on fire"}`, want: "a_v 1 1.0\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.store.Store = openStore(t, tsdb.Options{})
			s := newServer(t, Config{Store: &tt.store})
			if got := s.write("/write", tt.body); got != tt.answer {
				t.Errorf("got %s\nwant %s", got, tt.answer)
			}
			if got := dump(t, s.store); got != tt.want {
				t.Errorf("stored\n%swant\n%s", got, tt.want)
			}
			// What was left behind must not come with the next request.
			tt.store.refuse, tt.store.onAppend, tt.store.onWait = refuseKeys("none", nil), nil, nil
			if got := s.write("/write", "c v=1 1000000"); got != "204" {
				t.Errorf("afterwards: %s", got)
			}
			if got := dump(t, s.store); got != tt.want+"c_v 1 1.0\n" {
				t.Errorf("stored\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// refuseKeys refuses rows whose keys begin with prefix.
func refuseKeys(prefix string, err error) func(*storage.Row) error {
	return func(r *storage.Row) error {
		if strings.HasPrefix(string(r.Key), prefix) {
			return err
		}
		return nil
	}
}

func TestQuery(t *testing.T) {
	s := newServer(t, Config{})
	const shown = `{"statement_id":%d,"series":[{"name":"databases","columns":["name"],"values":[["metricd"]]}]}`
	for _, tt := range []struct {
		method, q string
		status    int
		want      string
	}{
		{"POST", `CREATE DATABASE "tele;graf"`, 200, `{"results":[{"statement_id":0}]}`},
		{"POST", `create database x with duration 3d; SHOW DATABASES`, 200, `{"results":[{"statement_id":0},` + fmt.Sprintf(shown, 1) + `]}`},
		{"GET", `SHOW DATABASES;`, 200, `{"results":[` + fmt.Sprintf(shown, 0) + `]}`},
		{"GET", `CREATE DATABASE x`, 400, `error parsing query`},
		{"POST", `SELECT * FROM x`, 400, `error parsing query`},
		{"POST", `SHOW DATABASES; DROP DATABASE "a\";b"`, 400, `error parsing query`},
		{"POST", ``, 400, `missing required parameter`},
	} {
		form := "q=" + strings.NewReplacer(" ", "+", ";", "%3B", `"`, "%22", `\`, "%5C").Replace(tt.q)
		w := s.ask(tt.method, "/query?"+form, nil)
		if tt.method == "POST" { // as Telegraf sends it
			w = s.ask("POST", "/query", strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded")
		}
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: got %d %s", tt.method, tt.q, w.Code, w.Body)
		}
	}
}

func TestHealth(t *testing.T) {
	s := newServer(t, Config{})
	if w := s.ask("HEAD", "/ping", nil); w.Code != 204 || w.Header().Get("X-Influxdb-Version") != "1.2.3" {
		t.Errorf("ping: %d %v", w.Code, w.Header())
	}
	want := `{"name":"metricd","message":"ready for queries and writes","status":"pass","checks":[],"version":"1.2.3"}`
	if w := s.ask("GET", "/health", nil); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("health: %d %s", w.Code, w.Body)
	}
	s.store.Close()
	if w := s.ask("GET", "/health", nil); w.Code != 503 || !strings.Contains(w.Body.String(), `"status":"fail"`) {
		t.Errorf("health of a closed store: %d %s", w.Code, w.Body)
	}
}

func TestStats(t *testing.T) {
	s := newServer(t, Config{})
	body := "m a=1,b=\"x\" 1\n\n# c\nm a=x\nm c=\"y\"\n"
	s.write("/write", body)
	s.ask("POST", "/write", brokenBody{io.ErrUnexpectedEOF})
	s.ask("POST", "/write", strings.NewReader(""), "Content-Encoding", "br")
	s.ask("POST", "/write", io.MultiReader(brokenBody{&http.MaxBytesError{Limit: 5}}))
	want := Stats{
		Writes: 4, Failed: map[int]int64{400: 1, 413: 1, 415: 1, 503: 1},
		Bytes: int64(len(body)), Lines: 3, Dropped: 1, Samples: 1, Strings: 2,
	}
	if got := s.h.Stats(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
