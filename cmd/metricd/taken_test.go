package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestElsewhere: what is suggested can be listened on, and is not the address of something else of ours.
func TestElsewhere(t *testing.T) {
	for _, tt := range []struct{ addr, other string }{
		{"127.0.0.1:8888", "127.0.0.1:8889"},
		{"127.0.0.1:8888", ""},
		{"127.0.0.1:8889", "127.0.0.1:8890"},
		{"127.0.0.1:8887", ""},
		{":8888", "127.0.0.1:8891"},
		{"127.0.0.1:65535", ""},
		{"nonsense", ""},
		{"127.0.0.1:http", ""},
	} {
		got := elsewhere(tt.addr, []string{tt.other})
		host, port, err := net.SplitHostPort(got)
		if err != nil || got == tt.addr || got == tt.other || port == "8888" || port == "8889" {
			t.Errorf("instead of %s: %s", tt.addr, got)
		}
		if n, _ := strconv.Atoi(port); tt.addr[0] == ':' && host != "" || n == 0 && !strings.Contains("127.0.0.1:65535 nonsense 127.0.0.1:http", tt.addr) {
			t.Errorf("instead of %s: %s", tt.addr, got)
		}
		ln, err := net.Listen("tcp", got)
		if err != nil {
			t.Errorf("instead of %s: %v", tt.addr, err)
			continue
		}
		ln.Close()
	}
	// A port that is taken is passed over.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	if got := elsewhere(fmt.Sprintf("127.0.0.1:%d", port-1), nil); got == ln.Addr().String() {
		t.Errorf("%s is taken", got)
	}
	refused := &net.OpError{Op: "listen", Err: syscall.EACCES}
	if got := listenError(context.Background(), refused, "--listen", "127.0.0.1:80", "127.0.0.1:8889").Error(); !strings.Contains(got, "listen elsewhere with --listen, for example --listen 127.0.0.1:8") {
		t.Errorf("got %s", got)
	}
}
