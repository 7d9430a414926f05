//go:build soak

package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"metricd/internal/storage"
)

const telegrafVersion = "v1.37.2"

// telegrafPlugins are what is built into Telegraf: what it measures, the outputs to test, and one to a file.
const telegrafPlugins = "custom,inputs.cpu,inputs.system,outputs.influxdb,outputs.influxdb_v2,outputs.file,serializers.json"

// TestTelegraf has Telegraf send as to InfluxDB 2 and as to InfluxDB 1.
func TestTelegraf(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	build := exec.Command("go", "install", "-tags", telegrafPlugins, "github.com/influxdata/telegraf/cmd/telegraf@"+telegrafVersion)
	build.Env = append(os.Environ(), "GOBIN="+bin)
	run(t, build)
	telegraf := filepath.Join(bin, "telegraf")
	for block, version := range []string{"InfluxDB 2", "InfluxDB 1"} { // as they come in README.md
		for name, test := range map[string]func(t *testing.T, bin string, block int){"killed": telegrafKilled, "full": telegrafFull, "partial": telegrafPartial} {
			t.Run(version+" "+name, func(t *testing.T) {
				t.Parallel()
				test(t, telegraf, block)
			})
		}
	}
}

// telegrafKilled: the server is killed; Telegraf keeps what it measures meanwhile, and nothing is lost.
func telegrafKilled(t *testing.T, bin string, block int) {
	s := serve(t)
	a := startTelegraf(t, s, bin, block)
	a.arrives(t, s, 20)
	s.stop(t, syscall.SIGKILL)
	a.await(t, "connection refused")
	s.start(t)
	a.stops(t, s)
}

// telegrafFull: the server's disk is full, to which it answers 503; Telegraf keeps what it measures meanwhile, and nothing is lost.
func telegrafFull(t *testing.T, bin string, block int) {
	s, disk := serveSmall(t)
	a := startTelegraf(t, s, bin, block)
	a.arrives(t, s, 20)
	if disk != nil {
		disk.fill(t)
		a.await(t, "503")
		disk.free(t)
	}
	a.stops(t, s)
}

// telegrafPartial: the server takes some series and no more, to which it answers 400; Telegraf gives up what was refused, and
// goes on with what was not.
func telegrafPartial(t *testing.T, bin string, block int) {
	const most = 10
	s := serve(t, "--max-series", fmt.Sprint(most))
	a := startTelegraf(t, s, bin, block)
	a.await(t, "partial write: line ")
	var got samples
	until(t, func() (err error) {
		if got, err = s.export(); err != nil || len(got) < most {
			return fmt.Errorf("there are %d series (%v), want %d", len(got), err, most)
		}
		return nil
	})
	a.stop(t, syscall.SIGTERM)
	sent := a.sent(t)
	for key := range sent {
		if got[key] == nil {
			delete(sent, key)
		}
	}
	if len(sent) != most {
		t.Errorf("Telegraf sent %d of the %d series that are there", len(sent), most)
	}
	if err := s.missing(sent); err != nil {
		t.Error(err)
	}
}

// telegraf is a Telegraf that measures each second, and writes all that it sends to a file, too.
type telegraf struct {
	*process
	file string
}

// startTelegraf starts one with the n-th block of README.md.
func startTelegraf(t *testing.T, s *server, bin string, n int) *telegraf {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sent")
	conf := write(t, "telegraf.conf", fmt.Sprintf(`[agent]
  interval = "1s"
  flush_interval = "1s"
  hostname = "box example"
[[inputs.cpu]]
[[inputs.system]]
[[outputs.file]]
  files = [%q]
  data_format = "json"
`, file)+s.block(t, "Telegraf", n))
	return &telegraf{start(t, exec.Command(bin, "--config", conf)), file}
}

// sent returns what Telegraf has sent, or is about to: fields that are no strings.
func (a *telegraf) sent(t *testing.T) samples {
	t.Helper()
	text, err := os.ReadFile(a.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	all := samples{}
	for line := range strings.Lines(string(text)) {
		var m struct {
			Name      string
			Tags      map[string]string
			Fields    map[string]any
			Timestamp int64 // s
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			break // it is not written whole yet
		}
		for field, value := range m.Fields {
			if v, ok := value.(float64); ok {
				m.Tags[storage.MetricName] = m.Name + "_" + field
				all.add(key(m.Tags, ""), m.Timestamp*1000, v)
			}
		}
	}
	return all
}

// arrives waits until so many series with two samples each were sent, and are there.
func (a *telegraf) arrives(t *testing.T, s *server, count int) {
	t.Helper()
	until(t, func() error {
		sent, twice := a.sent(t), 0
		for _, values := range sent {
			if len(values) > 1 {
				twice++
			}
		}
		if twice < count {
			return fmt.Errorf("Telegraf sent two samples of %d series, want %d", twice, count)
		}
		return s.missing(sent)
	})
}

// stops waits until all is there, stops Telegraf, and sees that it is the same as what was sent.
func (a *telegraf) stops(t *testing.T, s *server) {
	t.Helper()
	sent := a.sent(t)
	until(t, func() error { return s.missing(sent) })
	a.stop(t, syscall.SIGTERM)
	sent = a.sent(t)
	if err := s.missing(sent); err != nil {
		t.Error(err)
	}
	if got, err := s.export(); err != nil || len(got) != len(sent) {
		t.Errorf("there are %d series (%v), %d were sent", len(got), err, len(sent))
	}
}
