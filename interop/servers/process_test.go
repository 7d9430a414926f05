package servers

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

var (
	metricdPath    = flag.String("metricd", "", "the metricd to measure")
	prometheusPath = flag.String("prometheus", "", "the Prometheus to measure beside it")
)

// process is a server that runs on the first processor, with all else as it is by default.
type process struct {
	name, path string
	dir, addr  string // what it keeps, and where it listens
	cmd        *exec.Cmd
}

// processes returns the servers that the flags name. They do not run yet.
func processes(b *testing.B) (all []*process) {
	for _, p := range []process{{name: "metricd", path: *metricdPath}, {name: "prometheus", path: *prometheusPath}} {
		if p.path != "" {
			p.dir = b.TempDir()
			all = append(all, &p)
		}
	}
	if len(all) == 0 {
		b.Fatal("there is nothing to measure: name a server with -metricd or -prometheus (see the package comment)")
	}
	return all
}

// start starts the server and waits until it is ready.
func (p *process) start(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p.addr = ln.Addr().String()
	ln.Close()
	data := filepath.Join(p.dir, "data")
	args := []string{"serve", "--http", p.addr, "--listen", "127.0.0.1:0", "--data", data, "--log-level", "warn"}
	if p.name == "prometheus" {
		config := filepath.Join(p.dir, "config.yml")
		if err := os.WriteFile(config, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		args = []string{"--config.file", config, "--web.listen-address", p.addr, "--web.enable-remote-write-receiver", "--storage.tsdb.path", data, "--storage.tsdb.retention.time", "100y", "--log.level", "warn"}
	}
	p.cmd = exec.Command("taskset", append([]string{"-c", "0", p.path}, args...)...)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.cmd.Process.Kill() })
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get("http://" + p.addr + "/-/ready")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(until) {
			b.Fatal(p.name, " does not come up: ", err)
		}
	}
}

// stop ends the server in order, and returns what processor time it has taken.
func (p *process) stop(b *testing.B) time.Duration {
	if err := errors.Join(p.cmd.Process.Signal(syscall.SIGTERM), p.cmd.Wait()); err != nil {
		b.Fatal(p.name, ": ", err)
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// write sends a request of remote write.
func (p *process) write(contentType string, body []byte) error {
	req, err := http.NewRequest("POST", "http://"+p.addr+"/api/v1/write", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", contentType)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s: %s %w", p.name, answer.Status, text, err)
	}
	return nil
}
