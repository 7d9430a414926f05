package httpapi

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
)

// TestMaxConns: one connection too many is closed, and the others go on; when one ends, another is taken.
func TestMaxConns(t *testing.T) {
	s := serve(t, Config{Store: memory(t)})
	conns := make([]net.Conn, MaxConns)
	for i := range conns {
		conns[i] = s.dial()
		if status, err := ask(conns[i]); status != 200 {
			t.Fatalf("connection %d: got %d, %v", i+1, status, err)
		}
	}
	for range 3 {
		if status, err := ask(s.dial()); err == nil {
			t.Errorf("one too many: got %d", status)
		}
	}
	for i, conn := range conns {
		if status, err := ask(conn); status != 200 {
			t.Fatalf("connection %d, with too many others: got %d, %v", i+1, status, err)
		}
	}
	conns[0].Close()
	for { // until the server has seen it
		if status, err := ask(s.dial()); err == nil && status == 200 {
			break
		}
	}
}

// dial opens a connection, until the end of the test.
func (s *served) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn
}

// ask sends a request, and returns the status of the answer; an error if the connection was closed instead.
func ask(conn net.Conn) (status int, err error) {
	if _, err := io.WriteString(conn, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, errors.Join(err, answer.Body.Close())
}
