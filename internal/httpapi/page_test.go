package httpapi

import (
	"regexp"
	"strings"
	"testing"
)

// TestPage: the page and its parts come from the server, and nothing from elsewhere may run in it.
func TestPage(t *testing.T) {
	s := serve(t, Config{Store: memory(t)})
	status, text, answer := s.do("GET", "/", nil)
	if status != 200 || !strings.HasPrefix(text, "<!doctype html>") || !strings.HasPrefix(answer.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';") {
		t.Errorf("got %d %v\n%s", status, answer.Header, text)
	}
	script := regexp.MustCompile(`src="\./(assets/[^"]+)"`).FindStringSubmatch(text)
	if script == nil {
		t.Fatal("no script")
	}
	if status, _, answer := s.do("GET", "/"+script[1], nil); status != 200 || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: %d %v", script[1], status, answer.Header)
	}
	if status, _, answer := s.do("GET", "/", nil, "If-None-Match", "*"); status != 304 {
		t.Errorf("If-None-Match: %d %v", status, answer.Header)
	}
	if status, _, _ := s.do("GET", "/explore", nil); status != 404 {
		t.Errorf("another path: %d", status)
	}
}
