package httpapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// bombMemory is how much the heap may grow by while a bomb is taken, garbage included: a message of remote write may have 32 MiB, and grows to that by doubling.
const bombMemory = 256 << 20

// bomb is a body that is too much.
type bomb struct {
	name, encoding, kind string
	body                 func() io.Reader
}

// bombs returns bodies of every kind. Those that are compressed are small.
func bombs(t *testing.T) []bomb {
	gzipped := func(of io.Reader) func() io.Reader {
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
		if err == nil {
			_, err = io.Copy(z, of)
		}
		if err := errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		return func() io.Reader { return bytes.NewReader(packed.Bytes()) }
	}
	most, some := int64(72<<20), int64(1<<20) // bytes; the first is more than any handler takes at once, the second is what takes some time
	if testing.Short() {
		most = 8 << 20
	}
	endless := func(text string, size int64) func() io.Reader {
		return func() io.Reader { return io.LimitReader(&repeated{text: text}, size) }
	}
	labels := func(sep string) func() io.Reader {
		return func() io.Reader {
			pr, pw := io.Pipe()
			go func() {
				w := bufio.NewWriter(pw)
				fmt.Fprint(w, "put m")
				for i := range 1_000_000 {
					fmt.Fprintf(w, "%slabel%d=x", sep, i)
				}
				fmt.Fprint(w, " 1 1\n")
				pw.CloseWithError(w.Flush())
			}()
			return pr
		}
	}
	snappied := func() io.Reader { // says it is 4 GiB, as if of one repeated byte
		return bytes.NewReader(append([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, bytes.Repeat([]byte{0xfe, 1, 0}, 1<<20)...))
	}
	zeros := snappy.Encode(nil, make([]byte, 64<<20))
	many := []byte{0x0a, 13, 0x0a, 8, '_', '_', 'n', 'a', 'm', 'e', '_', '_', 0x12, 1, 'm'} // labels of one series
	for i := range 1_000_000 {
		many = fmt.Appendf(many, "\x0a\x0d\x0a\x08l%07d\x12\x01x", i)
	}
	many = append(many, 0x12, 11, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 1) // and a sample, 1 at 1 ms
	series := append([]byte{0x0a}, appendUvarint(nil, uint64(len(many)))...)
	millionLabels := snappy.Encode(nil, append(series, many...))
	const form, protobuf = "application/x-www-form-urlencoded", "application/x-protobuf"
	return []bomb{
		{"endless bytes without a line end", "", "", endless("x", most)},
		{"endless lines", "", "", endless("not a line of any protocol at all, as it happens\n", some)},
		{"endless blank lines", "", "", endless("\n", some)},
		{"an endless form", "", form, endless("query=up&", some)},
		{"an endless value of a form", "", form, func() io.Reader { return io.MultiReader(strings.NewReader("q="), endless("x", most)()) }},
		{"an endless message", "", protobuf, endless("\x0a\x00", some)},
		{"an endless JSON", "", "application/json", endless("[", some)},
		{"a gzip bomb", "gzip", "", gzipped(endless("\x00", 2*most)())},
		{"a gzip bomb of lines", "gzip", "", gzipped(endless("bomb\n", some)())},
		{"a gzip bomb of a quote", "gzip", "", gzipped(io.MultiReader(strings.NewReader(`m v="`), endless("x\n", some)()))},
		{"a gzip bomb of a message", "gzip", protobuf, gzipped(endless("\x0a\x00", some)())},
		{"a gzip bomb of JSON", "gzip", "application/json", gzipped(endless("[", some)())},
		{"no gzip", "gzip", "", endless("x", most)},
		{"snappy that lies", "snappy", protobuf, snappied},
		{"a snappy bomb", "snappy", protobuf, func() io.Reader { return bytes.NewReader(zeros) }},
		{"a million labels of a message", "snappy", protobuf, func() io.Reader { return bytes.NewReader(millionLabels) }},
		{"a million tags", "", "", labels(";")},
		{"a million tags of InfluxDB", "", "", labels(",")},
	}
}

func appendUvarint(dst []byte, n uint64) []byte {
	for ; n >= 0x80; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}

// repeated is a text again and again.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		c := copy(p[n:], r.text[r.at:])
		n, r.at = n+c, (r.at+c)%len(r.text)
	}
	return len(p), nil
}

// nothingAsked are the paths where a body that says nothing, or is none of theirs, asks for something that can be done.
var nothingAsked = map[string]bool{
	"/api/v1/labels": true, "/api/v1/admin/tsdb/clean_tombstones": true,
	"/v1/metrics": true, "/api/v1/otlp/v1/metrics": true, // a message of empty parts is a message
}

// TestBombs sends each of them to each route that takes a body: what comes back says in words that it is the client's fault, memory stays bounded, and nothing is
// stored.
func TestBombs(t *testing.T) {
	store := open(t, tsdb.Options{})
	s := serve(t, Config{Store: store})
	for _, b := range bombs(t) {
		for _, route := range paths(t, New(Config{Store: store})) {
			if route[0] != http.MethodPost {
				continue
			}
			path, name := route[1], b.name+" to "+route[1]
			if path == "/api/v1/import" {
				path += "?format=put"
			}
			stop := heapMost(t)
			status, text := s.post(t, path, b)
			if grown := stop(); grown > bombMemory {
				t.Errorf("%s: the heap grew by %d MiB", name, grown>>20)
			}
			if nothingAsked[path] && status/100 != 5 || path == "/api/v1/admin/tsdb/snapshot" && status == http.StatusNotImplemented {
				continue
			}
			silent := b.name == "endless blank lines" && status/100 == 2 // nothing is asked for, nothing is wrong
			if status/100 != 4 && !silent || !silent && len(strings.TrimSpace(text)) < 10 || len(text) > 1<<20 {
				t.Errorf("%s: got %d %.200s", name, status, text)
			}
		}
	}
	st, err := store.Stats()
	if err != nil || st.Series != 0 {
		t.Errorf("%d series were stored, %v", st.Series, err)
	}
	set := store.Select(t.Context(), storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	if set.Next() {
		t.Errorf("stored %s", set.At().Key())
	}
}

// post sends a bomb, reads the answer at the same time, and returns that.
func (s *served) post(t *testing.T, path string, b bomb) (status int, text string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	header := "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
	if b.kind != "" {
		header += "Content-Type: " + b.kind + "\r\n"
	}
	if b.encoding != "" {
		header += "Content-Encoding: " + b.encoding + "\r\n"
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() { // its error is that the server has heard enough
		body := b.body()
		if pipe, ok := body.(*io.PipeReader); ok {
			defer pipe.Close()
		}
		w := bufio.NewWriterSize(conn, 64<<10)
		fmt.Fprintf(w, "%s\r\n", header)
		chunk := make([]byte, 32<<10)
		for {
			n, err := body.Read(chunk)
			if n > 0 {
				fmt.Fprintf(w, "%x\r\n%s\r\n", n, chunk[:n])
			}
			if err != nil {
				break
			}
			if err := w.Flush(); err != nil {
				return
			}
		}
		fmt.Fprint(w, "0\r\n\r\n")
		w.Flush()
	})
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 2<<20))
	if err != nil {
		return 0, err.Error()
	}
	conn.Close()
	return answer.StatusCode, string(body)
}

// heapMost watches the heap; the returned function returns by how many bytes it grew at most.
func heapMost(t *testing.T) (stop func() uint64) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	})
	return func() uint64 {
		close(done)
		watching.Wait()
		return most - before
	}
}
