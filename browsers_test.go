package metricd

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestBrowsersWriteNothing sends to the ports of the text protocols what a page of a web site can make a browser send without asking: forms
// whose lines are requests, in whatever packets they come.
func TestBrowsersWriteNothing(t *testing.T) {
	s, err := Open(Config{Listen: "127.0.0.1:0", Graphite: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	const lines = "\r\nput evil 1 1\r\nevil 1 1\r\n"
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, addr := range []net.Addr{s.Addr(), s.GraphiteAddr()} {
		for _, kind := range []string{"text/plain", "multipart/form-data; boundary=put", "application/x-www-form-urlencoded"} {
			for _, body := range []string{lines, "x=" + lines, strings.Repeat(lines, 100_000)} {
				r, err := http.NewRequest("POST", "http://"+addr.String()+"/put%20evil%201%201?"+strings.Repeat("x", 70_000*(len(kind)%2)), strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", kind)
				if answer, err := client.Do(r); err == nil {
					t.Errorf("%s is answered over HTTP: %s", addr, answer.Status)
					answer.Body.Close()
				}
			}
		}
		for _, request := range []string{"POST / HTTP/1.1" + lines, "OPTIONS * HTTP/1.1" + lines, "\x16\x03\x01\x02\x00\n" + lines, "\n\nPOST http://x/ HTTP/1.1" + lines} {
			conn, err := net.Dial("tcp", addr.String())
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(time.Minute))
			conn.(*net.TCPConn).SetNoDelay(true)
			for i := range len(request) { // a byte a packet
				if _, err := io.WriteString(conn, request[i:i+1]); err != nil {
					break // closed
				}
			}
			if answer, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) || strings.Contains(string(answer), "ok\n") {
				t.Errorf("%s: %q: got %q, %v", addr, request, answer, err)
			}
			conn.Close()
		}
	}
	if st, err := s.store.Stats(); err != nil || st.Series != 0 || st.Appended != 0 {
		t.Errorf("%d series, %d samples were stored, %v", st.Series, st.Appended, err)
	}
	stop()
	if err := errors.Join(<-served, s.Close()); err != nil {
		t.Fatal(err)
	}
}
