package metricd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"metricd/internal/tsdb"
)

// opening is an Open whose disk stands still until release gets an error, or nil.
type opening struct {
	web, socket string // addresses
	release     chan error
	done        chan struct{} // closed when Open has returned
	server      *Server
	err         error
}

func startOpening(t *testing.T) *opening {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	o := &opening{web: free.Addr().String(), socket: filepath.Join(t.TempDir(), "admin"), release: make(chan error, 1), done: make(chan struct{})}
	stale, err := net.Listen("unix", o.socket) // as a server that was killed leaves it
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	stall := errorfs.InjectorFunc(func(errorfs.Op) error {
		err := <-o.release
		o.release <- err // for all that follow
		return err
	})
	cfg := Config{
		Listen: "127.0.0.1:0", HTTP: o.web, Admin: "unix:" + o.socket, Data: "d",
		tune: func(opts *tsdb.Options) { opts.FS = errorfs.Wrap(vfs.NewMem(), stall) },
	}
	go func() {
		defer close(o.done)
		o.server, o.err = Open(cfg)
	}()
	return o
}

// ask sends a request; over the socket if the path begins with unix:.
func (o *opening) ask(t *testing.T, method, path, host string) (status int, body string, header http.Header, err error) {
	t.Helper()
	network, addr := "tcp", o.web
	if rest, ok := bytes.CutPrefix([]byte(path), []byte(unixPrefix)); ok {
		network, addr, path = "unix", o.socket, string(rest)
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(b), answer.Header, errors.Join(err, answer.Body.Close())
}

// untilThere waits until both listeners answer.
func (o *opening) untilThere(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/-/healthy", "unix:/-/healthy"} {
		for start := time.Now(); ; time.Sleep(time.Millisecond) {
			if status, _, _, err := o.ask(t, "GET", path, "localhost"); err == nil && status == 200 {
				break
			} else if time.Since(start) > 20*time.Second {
				t.Fatalf("%s: got %d, %v", path, status, err)
			}
		}
	}
}

// TestStarting: while the store is being opened the server is healthy and not ready, and the page is there; then the same listeners serve.
func TestStarting(t *testing.T) {
	o := startOpening(t)
	o.untilThere(t)
	for _, tt := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/-/ready", "localhost", 503},
		{"GET", "unix:/-/ready", "localhost", 503},
		{"GET", "/api/v1/export", "localhost", 503},
		{"POST", "/api/v1/import", "localhost", 503},
		{"POST", "/write", "localhost", 503},
		{"GET", "/-/ready", "evil.example", 421},
	} {
		status, body, header, err := o.ask(t, tt.method, tt.path, tt.host)
		var said struct{ Status, ErrorType, Error string }
		if jsonErr := json.Unmarshal([]byte(body), &said); err != nil || jsonErr != nil || status != tt.want || said.Status != "error" {
			t.Errorf("%+v: got %d %s, %v", tt, status, body, errors.Join(err, jsonErr))
		}
		if status == 503 && (said.ErrorType != "unavailable" || header.Get("Retry-After") == "" || said.Error[:10] != "recovering") {
			t.Errorf("%+v: %s %v", tt, body, header)
		}
	}
	if status, page, _, err := o.ask(t, "GET", "/", "localhost"); err != nil || status != 200 || !strings.HasPrefix(page, "<!doctype html>") {
		t.Errorf("the page: got %d %s, %v", status, page, err)
	}
	silent, err := net.Dial("tcp", o.web) // it must not hold up the start
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	half, err := net.Dial("tcp", o.web)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	io.WriteString(half, "GET / HTTP/1.1\r\nHost:")
	start := time.Now()
	o.release <- nil
	<-o.done
	if o.err != nil || time.Since(start) > 5*time.Second {
		t.Fatalf("Open: %v after %v", o.err, time.Since(start))
	}
	stacks := make([]byte, 1<<20)
	if stacks = stacks[:runtime.Stack(stacks, true)]; bytes.Contains(stacks, []byte("httpapi.")) || bytes.Contains(stacks, []byte("http.(*")) && !bytes.Contains(stacks, []byte("http.(*Transport)")) {
		t.Errorf("goroutines after Open:\n%s", stacks)
	}
	ready := make(chan error, 1)
	go func() { // between Open and Serve it waits
		status, body, _, err := o.ask(t, "GET", "/-/ready", "localhost")
		if status != 200 {
			err = errors.Join(err, errors.New(body))
		}
		ready <- err
	}()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- o.server.Serve(ctx) }()
	if err := <-ready; err != nil {
		t.Error(err)
	}
	if status, _, _, err := o.ask(t, "GET", "unix:/-/ready", "localhost"); status != 200 {
		t.Errorf("admin: %d, %v", status, err)
	}
	stop()
	if err := errors.Join(<-served, o.server.Close()); err != nil {
		t.Error(err)
	}
	o.gone(t)
}

// TestStartingFails: nothing is left of an Open that fails.
func TestStartingFails(t *testing.T) {
	o := startOpening(t)
	o.untilThere(t)
	o.release <- syscall.EIO
	<-o.done
	var data *DataError
	if !errors.As(o.err, &data) || !errors.Is(o.err, syscall.EIO) {
		t.Errorf("Open: %v", o.err)
	}
	o.gone(t)
}

// gone checks that the listeners are closed.
func (o *opening) gone(t *testing.T) {
	t.Helper()
	if _, err := net.Dial("tcp", o.web); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := os.Lstat(o.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the end: %v", err)
	}
}

func TestAdminAddresses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("unix", filepath.Join(dir, "taken"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for addr, ok := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true, "unix:" + filepath.Join(dir, "new"): true,
		"0.0.0.0:0": false, ":0": false, "[::]:0": false, "192.0.2.1:0": false, "8890": false, "unix:": false,
		"unix:" + file: false, "unix:" + taken.Addr().String(): false, "unix:" + filepath.Join(dir, "none", "a"): false,
	} {
		s, err := Open(Config{Listen: "127.0.0.1:0", Admin: addr})
		if err == nil {
			err = s.Close()
		}
		var listen *ListenError
		if (err == nil) != ok || !ok && (!errors.As(err, &listen) || listen.Field != "Admin") {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the file: %v", err)
	}
	for field, cfg := range map[string]Config{"WebConfig": {WebConfig: file + ".yml"}, "HTTPHosts": {HTTPHosts: []string{"a:1"}}, "CORSOrigins": {CORSOrigins: []string{"x"}}} {
		cfg.Listen = "127.0.0.1:0"
		_, err := Open(cfg)
		var config *ConfigError
		if !errors.As(err, &config) || config.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
