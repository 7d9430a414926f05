package browser

import (
	"context"
	"net"
	"strings"
	"testing"

	"metricd"
	"metricd/internal/httpapi"
)

// TestAway: the page says when the server is away, and goes on by itself when it is back.
func TestAway(t *testing.T) {
	cfg := metricd.Config{Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: t.TempDir()}
	server, stop := serve(t, cfg)
	p := browse(t, server)
	p.put(june("palm.cpu")...)
	p.visit("#explore?q0=palm.cpu&" + juneRange)
	p.says("1 series, 24 samples")
	p.until(`document.querySelector('.banner').hidden`)

	p.mu.Lock()
	p.mu.away = true
	p.mu.Unlock()
	stop()
	p.says("The server does not answer")
	cfg.Listen, cfg.HTTP = p.line, strings.TrimSuffix(strings.TrimPrefix(p.address, "http://"), "/")
	serve(t, cfg)
	p.until(`document.querySelector('.banner').hidden`)
	p.put("put palm.cpu 99 1150200001")
	p.visit("#explore?q0=palm.cpu&" + juneRange)
	p.says("1 series, 25 samples")
}

// TestOpening: while the server reads what it has stored the page is there and says so, and goes on by itself.
func TestOpening(t *testing.T) {
	cfg := metricd.Config{Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: t.TempDir()}
	server, stop := serve(t, cfg)
	p := browse(t, server)
	p.put(june("palm.cpu")...)
	stop()
	cfg.Listen, cfg.HTTP = p.line, strings.TrimSuffix(strings.TrimPrefix(p.address, "http://"), "/")

	ln, err := net.Listen("tcp", cfg.HTTP)
	if err != nil {
		t.Fatal(err)
	}
	opening, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- httpapi.NewStarting(httpapi.Config{}).Serve(opening, ln) }()
	p.allow("status of 503")
	p.visit("#explore?q0=palm.cpu&" + juneRange)
	p.says("The server is reading what it has stored")
	p.mu.Lock()
	p.mu.away = true // for the moment between the two
	p.mu.Unlock()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	serve(t, cfg)
	p.until(`document.querySelector('.banner').hidden`)
	p.says("1 series, 24 samples")
}
