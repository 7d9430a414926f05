package peers

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// server is metricd with a data directory. Its addresses stay over restarts.
type server struct {
	*process
	line, http, graphite string // HOST:PORT

	data string
	args []string // beside those
}

// serve starts metricd, with more flags if there are any.
func serve(t *testing.T, flags ...string) *server {
	t.Helper()
	s := newServer(t, flags...)
	s.start(t)
	return s
}

// newServer returns a server to be started.
func newServer(t *testing.T, flags ...string) *server {
	t.Helper()
	return &server{line: freeAddr(t), http: freeAddr(t), graphite: freeAddr(t), data: filepath.Join(t.TempDir(), "data"), args: flags}
}

// start starts it, on the data that is there.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.startAs(t, exec.Command(metricd))
}

// startAs starts it by a command whose last argument is to be followed by those of metricd.
func (s *server) startAs(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Args = append(cmd.Args, "serve", "--listen", s.line, "--http", s.http, "--graphite", s.graphite, "--data", s.data)
	cmd.Args = append(cmd.Args, s.args...)
	s.process = start(t, cmd)
	until(t, s.ready)
}

// ready returns nil when the server serves.
func (s *server) ready() error {
	select {
	case <-s.ended:
		return fmt.Errorf("metricd has ended: %v", s.cmd.ProcessState)
	default:
	}
	resp, err := http.Get("http://" + s.http + "/-/ready")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// kill kills the server and starts it again on the same data and addresses.
func (s *server) kill(t *testing.T) {
	t.Helper()
	s.stop(t, syscall.SIGKILL)
	s.start(t)
}

// samples are values by time in ms, by key.
type samples map[string]map[int64]float64

func (s samples) add(key string, ms int64, v float64) {
	if s[key] == nil {
		s[key] = map[int64]float64{}
	}
	s[key][ms] = v
}

// export returns all that the server holds, without Prometheus' staleness markers.
func (s *server) export() (samples, error) {
	resp, err := http.Get("http://" + s.http + "/api/v1/export?" + url.Values{"format": {"csv"}}.Encode())
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	all := samples{}
	r := csv.NewReader(resp.Body)
	r.ReuseRecord = true
	for line := 0; ; line++ {
		row, err := r.Read()
		switch {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, err
		case line == 0: // the header
			continue
		}
		ms, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			return nil, err
		}
		if row[2] == "stale" {
			continue
		}
		text, _, _ := strings.Cut(row[2], ":") // behind nan there may be its bits
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row[0], err)
		}
		all.add(row[0], ms, v)
	}
}

// missing says what of want the server does not hold, or holds otherwise; what else it holds does not matter.
func (s *server) missing(want samples) error {
	got, err := s.export()
	if err != nil {
		return err
	}
	for key, values := range want {
		for ms, v := range values {
			if is, ok := got[key][ms]; !ok || is != v {
				return fmt.Errorf("%s at %d: got %v (%v), want %v; there are %d series, %d samples of this one", key, ms, is, ok, v, len(got), len(got[key]))
			}
		}
	}
	return nil
}

// freeAddr returns an address that is free, for TCP and UDP. It is not of those that the system gives to clients: a sender that
// connects to a server that is gone could else be given that very port, and then speaks to itself.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		tcp.Close()
		udp, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		udp.Close()
		return addr
	}
	t.Fatal("there is no free port between 20000 and 29999")
	return ""
}
