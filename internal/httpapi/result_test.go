package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"metricd/internal/promql"
)

func TestAppendJSON(t *testing.T) {
	for _, tt := range []struct{ text, plain, html string }{
		{"", `""`, `""`},
		{"a<b>&\u2028é", `"a<b>&` + "\u2028" + `é"`, `"a\u003cb\u003e\u0026\u2028é"`},
		{"\"\\\n\r\t\x00\x1f\x7f", `"\"\\\n\r\t\u0000\u001f` + "\x7f\"", `"\"\\\n\r\t\u0000\u001f` + "\x7f\""},
		{"\xffa\xc3", `"\ufffda\ufffd"`, `"\ufffda\ufffd"`},
	} {
		if got := string(appendString(nil, tt.text)); got != tt.plain {
			t.Errorf("%q is %s, want %s", tt.text, got, tt.plain)
		}
		if got := string(appendText(nil, tt.text)); got != tt.html {
			t.Errorf("%q is %s, want %s", tt.text, got, tt.html)
		}
	}
	for ms, want := range map[int64]string{
		0: "0", 1: "0.001", 20: "0.020", 1000: "1", 1500: "1.500", -1: "-0.001", -61_050: "-61.050",
		math.MaxInt64: "9223372036854775.807", math.MinInt64: "-9223372036854775.808",
	} {
		if got := string(appendTime(nil, ms)); got != want {
			t.Errorf("%d ms is %s, want %s", ms, got, want)
		}
	}
}

// FuzzAppendValue: a value is printed by Prometheus' rule, and read again it has the same bits but those of a NaN.
func FuzzAppendValue(f *testing.F) {
	for _, v := range []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1e-6, 9.99e-7, 1e20, 1e21, 1 << 53, 1<<53 - 1, -(1 << 62), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324} {
		f.Add(math.Float64bits(v))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		v := math.Float64frombits(bits)
		got := string(appendValue(nil, v))
		format := byte('f')
		if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			format = 'e' // the infinities, too: they are printed alike
		}
		if want := `"` + strconv.FormatFloat(v, format, -1, 64) + `"`; got != want {
			t.Errorf("%x is %s, want %s", bits, got, want)
		}
	})
}

// FuzzAppendText: what is appended is JSON, and as encoding/json reads it.
func FuzzAppendText(f *testing.F) {
	f.Add("a<b>\u2028\"\\\xff\x00")
	f.Fuzz(func(t *testing.T, text string) {
		for _, b := range [][]byte{appendString(nil, text), appendText(nil, text)} {
			var got string
			if err := json.Unmarshal(b, &got); err != nil || got != string([]rune(text)) {
				t.Errorf("%q became %s: %q, %v", text, b, got, err)
			}
		}
	})
}

// matrixOf returns a result of so many series and steps.
func matrixOf(series, steps int) promql.Matrix {
	points := make([]promql.FPoint, steps)
	for i := range points {
		points[i] = promql.FPoint{T: 1_700_000_000_000 + int64(i)*15_000, F: float64(i) / 7}
	}
	m := make(promql.Matrix, series)
	for i := range m {
		m[i] = promql.Series{Floats: points}
	}
	return m
}

// slow is a client that looks at how much is held for it whenever it is sent something.
type slow struct {
	http.ResponseWriter
	j       *jsonWriter
	largest int
	written int
	fail    int // after so many bytes; 0: never
}

var errGone = errors.New("gone")

func (s *slow) Write(b []byte) (int, error) {
	s.largest = max(s.largest, cap(s.j.buf), len(b))
	if s.written += len(b); s.fail > 0 && s.written > s.fail {
		return 0, errGone
	}
	return len(b), nil
}

// TestWriteLarge: an answer of 60 MB is written from a buffer of 64 KiB, and ends when the client is gone.
func TestWriteLarge(t *testing.T) {
	m := matrixOf(1_000, 2_000)
	for _, fail := range []int{0, 1 << 20} {
		client := &slow{ResponseWriter: httptest.NewRecorder(), fail: fail}
		j := newJSONWriter(&reply{ResponseWriter: client, control: http.NewResponseController(client), stall: time.Minute}, httptest.NewRequest("GET", "/", nil))
		client.j = j
		err := writeSuccess(j, foundOf(m))
		switch {
		case fail == 0 && (err != nil || client.written < 50_000_000):
			t.Errorf("%d bytes, %v", client.written, err)
		case fail > 0 && (!errors.Is(err, errGone) || client.written > 2*fail):
			t.Errorf("a client that is gone: %d bytes, %v", client.written, err)
		}
		if client.largest > 2*chunkSize {
			t.Errorf("%d bytes were held", client.largest)
		}
	}
}

// foundOf is found with a result.
func foundOf(m promql.Matrix) found {
	return found{write: func(j *jsonWriter) { j.queryData(&promql.Result{Value: m}) }, weight: weightOf(m)}
}

// TestHeld: large results that are being written are bounded together, small ones are not.
func TestHeld(t *testing.T) {
	h := held{limit: 1 << 20}
	first, err := h.hold(weightOf(matrixOf(300, 3000)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.hold(smallResult + 100_000); err == nil || !strings.Contains(err.Error(), "other clients are still reading results of 13 MiB, and this one has 2 MiB, of 16 MiB together") || asAPIError(err).status != 503 {
		t.Errorf("one too many: %v", err)
	}
	if _, err := h.hold(smallResult); err != nil {
		t.Errorf("a small one: %v", err)
	}
	first()
	if _, err := h.hold(1 << 30); err != nil {
		t.Errorf("a large one alone: %v", err)
	}
	if _, err := h.hold(smallResult + 1); err == nil {
		t.Error("beside that there is no room")
	}
}

// BenchmarkWriteResult writes 1,000 series of 240 steps.
func BenchmarkWriteResult(b *testing.B) {
	m := matrixOf(1000, 240)
	client := &slow{ResponseWriter: httptest.NewRecorder()}
	w := &reply{ResponseWriter: client, control: http.NewResponseController(client), stall: time.Minute}
	r := httptest.NewRequest("GET", "/", nil)
	b.ReportAllocs()
	for b.Loop() {
		j := newJSONWriter(w, r)
		client.j = j
		client.written = 0
		if err := writeSuccess(j, foundOf(m)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(client.written))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/240_000, "ns/sample")
}

// TestSlowReader: what the server holds for a client that has not read most of 10,000 series of 2,000 steps is at most 64 MiB beside
// the result.
func TestSlowReader(t *testing.T) {
	m := matrixOf(10_000, 2_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j := newJSONWriter(&reply{ResponseWriter: w, control: http.NewResponseController(w), stall: time.Minute}, r)
		if err := writeSuccess(j, foundOf(m)); err == nil {
			t.Error("all was written, and nobody had read it")
		}
	}))
	defer server.Close()
	for _, compressed := range []bool{false, true} {
		before := heapInUse()
		web := &http.Client{Transport: &http.Transport{DisableCompression: !compressed}}
		answer, err := web.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if n, err := io.CopyN(io.Discard, answer.Body, 1<<20); err != nil {
				t.Fatalf("after %d bytes: %v", n, err)
			}
			if grown := heapInUse() - before; grown > 64<<20 {
				t.Errorf("compressed %t: %d MiB beside the result", compressed, grown>>20)
			}
		}
		answer.Body.Close()
		web.CloseIdleConnections()
	}
}

// heapInUse returns how many bytes of the heap are reachable.
func heapInUse() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
