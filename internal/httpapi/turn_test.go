package httpapi

import (
	"net/http"
	"testing"
	"time"
)

// TestTurns: when as many requests as may be are at work, one more waits for its turn, and not for ever; health is answered meanwhile.
func TestTurns(t *testing.T) {
	s := serve(t, Config{Store: memory(t), Stall: 100 * time.Millisecond})
	for range maxAtWork {
		s.server.atWork <- struct{}{}
	}
	if status := s.status("/-/ready"); status != http.StatusOK {
		t.Errorf("ready while all are at work: %d", status)
	}
	if status := s.status("/api/v1/export"); status != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", status)
	}
	for range maxAtWork {
		<-s.server.atWork
	}
	if status := s.status("/api/v1/export"); status != http.StatusOK {
		t.Errorf("when the others are done: %d", status)
	}
	if n := len(s.server.atWork); n != 0 {
		t.Errorf("%d are still counted", n)
	}
}

// status asks for path, and returns the status of the answer.
func (s *served) status(path string) int {
	s.t.Helper()
	answer, err := http.Get("http://" + s.addr + path)
	if err != nil {
		s.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}
