package metricd_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"

	"metricd"
)

// TestHTTP: there is an HTTP API only where Config asks for one, its address may be taken, and it ends with Serve.
func TestHTTP(t *testing.T) {
	none, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if addr := none.HTTPAddr(); addr != nil {
		t.Errorf("the zero Config listens on %v", addr)
	}
	if err := none.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := metricd.Open(metricd.Config{Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	addr := s.HTTPAddr().String()
	data := filepath.Join(t.TempDir(), "data")
	_, err = metricd.Open(metricd.Config{Listen: "127.0.0.1:0", HTTP: addr, Data: data})
	var taken *metricd.ListenError
	if !errors.As(err, &taken) || taken.Field != "HTTP" || taken.Addr != addr || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("taken: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	answer, err := http.Get("http://" + addr + "/-/ready")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil || string(text) != "metricd is ready\n" {
		t.Errorf("got %q, %v", text, err)
	}
	stop()
	if err := errors.Join(<-served, s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get("http://" + addr + "/-/ready"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end: %v", err)
	}
}
