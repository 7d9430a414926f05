package httpapi

import (
	"io"
	"testing"
	"time"
)

// TestRefusedInTime: a request that is refused, and whose client sends no more of it, does not keep its connection.
func TestRefusedInTime(t *testing.T) {
	s := serve(t, Config{Store: memory(t), Stall: 50 * time.Millisecond})
	for _, head := range []string{
		"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n",
		"POST /-/healthy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n",
		"POST /api/v1/import HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 5\r\n\r\n",
		"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n",
	} {
		conn := s.dial()
		if _, err := io.WriteString(conn, head); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); err != nil { // to its end
			t.Errorf("%q: %.40q, %v", head, answer, err)
		}
	}
}
