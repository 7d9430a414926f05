package influx

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what is in a sync.Pool stays once
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// repeated is a text n times, without the memory.
func repeated(text string, n int) io.Reader {
	all := make([]io.Reader, n)
	for i := range all {
		all[i] = strings.NewReader(text)
	}
	return io.MultiReader(all...)
}

// gate is the end of a body that does not come before open is closed.
type gate struct {
	waits, open chan struct{} // one is sent to waits when all before it was read
}

func (g gate) Read([]byte) (int, error) {
	select {
	case g.waits <- struct{}{}:
	case <-g.open:
	}
	<-g.open
	return 0, io.EOF
}

// TestConcurrentBodies: bodies that are small when compressed, and whose end does not come, hold little each, and give it back.
func TestConcurrentBodies(t *testing.T) {
	const bodies = remembering + 2
	name := strings.Repeat("a", 1_000_000)
	tags := strings.Repeat("x", 4000)
	for _, tt := range []struct {
		what  string
		text  string
		times int
		each  int64 // bytes that one may hold
	}{
		{"long field names", "m " + name + "=1 1\n", 5, 3 << 19},
		{"long measurements", name + " v=1 1\n", 5, 3 << 19},
		{"long tags", "m," + name + "=" + "a v=1 1\n", 5, 3 << 19},
		{"long keys", "m,t=" + tags + " v=1,w=2,x=3 1\n", 300, 1 << 19},
		{"many fields", "m " + strings.Repeat("a=1,", 100_000) + "b=1\n", 1, 3 << 19},
		{"many short lines", "m v=1 1\n", 1000, 1 << 19},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s := newServer(t, Config{})
			before := heap()
			var done sync.WaitGroup
			g := gate{make(chan struct{}), make(chan struct{})}
			for range bodies {
				body := io.MultiReader(repeated(tt.text, tt.times), g)
				done.Go(func() { s.ask("POST", "/write", body) })
			}
			for range bodies {
				<-g.waits
			}
			if each := (heap() - before) / bodies; each > tt.each {
				t.Errorf("%d bytes are held for each body, want %d at most", each, tt.each)
			}
			close(g.open)
			done.Wait()
			if held := (heap() - before) / remembering; held > 1<<19 {
				t.Errorf("%d bytes are held for each work afterwards", held)
			}
			runtime.KeepAlive(s)
		})
	}
}

// TestShared: when all that requests share is taken, those with long lines are told to come again, and others are not; all of it is given back.
func TestShared(t *testing.T) {
	s := newServer(t, Config{})
	line := "m v=1 1000000\n"
	long := line + `m s="` + strings.Repeat("x", 2*bufferSize) + "\",w=1 1000000\n"
	s.h.shared.Store(maxShared - bufferSize)
	w := s.ask("POST", "/write", strings.NewReader(long))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "too many long lines at once") {
		t.Errorf("a long line: %d %s", w.Code, w.Body)
	}
	if got := dump(t, s.store); got != "m_v 1 1.0\n" {
		t.Errorf("stored %s", got)
	}
	if got := s.write("/write", strings.Repeat(line, 2*bufferSize/len(line))); got != "204" {
		t.Errorf("short lines: %s", got)
	}
	if n := s.h.shared.Load(); n != maxShared-bufferSize {
		t.Errorf("%d bytes are taken, want %d", n, maxShared-bufferSize)
	}
	s.h.shared.Store(0)
	for range 2 * remembering {
		if got := s.write("/write", long); got != "204" {
			t.Errorf("a long line: %s", got)
		}
	}
	if n := s.h.shared.Load(); n != 0 {
		t.Errorf("%d bytes are still taken", n)
	}
}

// TestRemembered: what a work remembers of series is bounded, whatever it is made of.
func TestRemembered(t *testing.T) {
	name := strings.Repeat("a", 3900)
	var smallHeads, longFields, fewHeads strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&smallHeads, "m%d v=1 1\n", i)
	}
	for i := range 100 {
		for j := range maxFields {
			fmt.Fprintf(&longFields, "m%d %d%s=1 1\n", i, j, name)
		}
	}
	for i := range 100 { // all of them are there before their fields come
		fmt.Fprintf(&fewHeads, "m%d v=1 1\n", i)
	}
	fewHeads.WriteString(longFields.String())
	for what, body := range map[string]*strings.Builder{"small heads": &smallHeads, "long fields": &longFields, "fields of heads that are known": &fewHeads} {
		t.Run(what, func(t *testing.T) {
			s := newServer(t, Config{Store: &unwilling{Store: openStore(t, tsdb.Options{}), refuse: refuseKeys("m", storage.ErrSeriesLimit)}})
			before := heap()
			s.write("/write", body.String())
			held := heap() - before
			if held > maxRemembered*3/2 {
				t.Errorf("%d bytes are held, want about %d at most", held, maxRemembered)
			}
			runtime.KeepAlive(s)
		})
	}
}

// TestKeyLimit: a key may be as long as MaxKey, and no longer, however it comes to its length.
func TestKeyLimit(t *testing.T) {
	const most = 20
	for _, pad := range []int{0, 1} {
		for line, rest := range map[string]int{
			"%s value=1 1000000":     0,
			"%s v=1 1000000":         2,
			"m %s=1 1000000":         2,
			"%s,t=u value=1 1000000": 4,
			"m,%s=u value=1 1000000": 4,
			"m,t=%s value=1 1000000": 4,
			"m,t=%s v=1 1000000":     6,
			`m,t=\ %s v=1 1000000`:   9, // %20
		} {
			s := newServer(t, Config{MaxKey: most})
			body := fmt.Sprintf(line, strings.Repeat("x", most-rest+pad))
			want := []string{"204", "400"}[pad]
			for range 2 * remembering {
				if got := s.write("/write", body); !strings.HasPrefix(got, want) {
					t.Errorf("%s: %s, want %s", body, got, want)
				}
			}
		}
	}
}

// TestQueryBodies: a form that is too large is no bad request, nor is one that does not come whole.
func TestQueryBodies(t *testing.T) {
	s := newServer(t, Config{})
	for _, tt := range []struct {
		body   io.Reader
		status int
		text   string
	}{
		{strings.NewReader("q=" + strings.Repeat("x", maxQuery)), 413, "longer than 65536 bytes"},
		{io.MultiReader(strings.NewReader("q=SHOW"), brokenBody{errors.New("the server stops")}), 503, "the server stops"},
		{io.MultiReader(strings.NewReader("q=%zz"), brokenBody{io.ErrUnexpectedEOF}), 503, "cannot read the body"},
		{strings.NewReader("q=%zz"), 400, "cannot read the form"},
	} {
		w := s.ask("POST", "/query", tt.body, "Content-Type", "application/x-www-form-urlencoded")
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("got %d %s, want %d with %q", w.Code, w.Body, tt.status, tt.text)
		}
		if again := w.Header().Get("Retry-After") != ""; again != (tt.status == 503) {
			t.Errorf("%d with headers %v", w.Code, w.Header())
		}
	}
}
