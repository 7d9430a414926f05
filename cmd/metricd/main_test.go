package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"metricd": main})
}

// patience bounds the wait for what should take an instant, or for the ten seconds of a stop.
const patience = 20 * time.Second

// TestScripts runs testdata/script. Beside testscript's own commands there are
//
//	serve [VAR=value …] [flag …]   starts `metricd serve` on free ports; sets $ADDR, $HOST, $PORT, $HTTP, $PID
//	shutdown [TERM|INT]            ends it by a signal, which must take less than 10 s and give exit code 0; `stop` is testscript's, and ends the script
//	ended STATE                    waits for its end and compares, such as 'signal: terminated'
//
// What it printed is in server.out and, as it comes, in server.err. $LATER is an address for a server that is not there yet. $PYTHON $CLIENT is testdata/client.py. The condition
// [nab] says that the file $NAB is there.
func TestScripts(t *testing.T) {
	vars := tools(t)
	nab := os.Getenv("METRICD_NAB")
	if nab == "" {
		nab = filepath.Join("..", "..", "..", "shared", "data", "nab.put.gz")
	}
	_, missing := os.Stat(nab)
	if missing != nil {
		t.Logf("no real series at %s (METRICD_NAB names another file): only the project's own series is tested", nab)
	}
	vars["NAB"] = absolute(t, nab)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			for name, value := range vars {
				env.Setenv(name, value)
			}
			env.Values[runningKey{}] = &running{}
			env.Setenv("LATER", later())
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "nab" {
				return false, fmt.Errorf("no condition %q", name)
			}
			return missing == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serve, "shutdown": shutdown, "ended": ended},
	})
}

// tools returns the variables of scripts that name programs and files. What is missing fails the test.
func tools(t *testing.T) map[string]string {
	t.Helper()
	for program, deb := range map[string]string{
		"nc": "netcat-openbsd", "telnet": "telnet", "python3": "python3", "curl": "curl", "bash": "bash", "gzip": "gzip", "openssl": "openssl",
	} {
		if _, err := exec.LookPath(program); err != nil {
			t.Errorf("%s is needed to try the server with: apt-get install %s", program, deb)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	// The real one: a version manager's stand-in needs the user's HOME.
	python, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	return map[string]string{
		"PYTHON": strings.TrimSpace(string(python)),
		"CLIENT": absolute(t, filepath.Join("testdata", "client.py")),
		"EXPECT": absolute(t, filepath.Join("testdata", "expect.py")),
		"SMALL":  absolute(t, filepath.Join("testdata", "small.put")),
	}
}

// later returns an address where nobody listens, below the ports that systems give to whoever asks for any: none of them will be this one.
func later() string {
	const first, n = 20000, 8000
	for i := range n {
		addr := fmt.Sprintf("127.0.0.1:%d", first+(os.Getpid()+i)%n)
		if ln, err := net.Listen("tcp", addr); err == nil {
			ln.Close()
			return addr
		}
	}
	panic("BUG: all ports are taken")
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

type runningKey struct{}

// running is the server of a script.
type running struct {
	cmd    *exec.Cmd // nil: none
	stdout greeting
	done   chan struct{} // closed when it has ended
}

// greeting collects what a server prints and says when that is what it prints at its start.
type greeting struct {
	mu   sync.Mutex
	text []byte
	seen chan struct{} // closed when all lines of the greeting have come
}

func (g *greeting) Write(p []byte) (int, error) {
	last := []byte("\nor type it: ")
	g.mu.Lock()
	defer g.mu.Unlock()
	before := bytes.Contains(g.text, last)
	g.text = append(g.text, p...)
	if !before && bytes.Contains(g.text, last) {
		close(g.seen)
	}
	return len(p), nil
}

// serve is the script command of that name.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	r := ts.Value(runningKey{}).(*running)
	if neg || r.cmd != nil {
		ts.Fatalf("serve starts one server")
	}
	env := []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME")}
	for len(args) > 0 && strings.Contains(args[0], "=") && !strings.HasPrefix(args[0], "-") {
		env, args = append(env, args[0]), args[1:]
	}
	r.cmd = exec.Command("metricd", append([]string{"serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}, args...)...)
	r.cmd.Env = env
	r.cmd.Dir = ts.MkAbs(".")
	*r = running{cmd: r.cmd, stdout: greeting{seen: make(chan struct{})}, done: make(chan struct{})}
	log, err := os.Create(ts.MkAbs("server.err"))
	ts.Check(err)
	defer log.Close()
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, log
	ts.Check(r.cmd.Start())
	go func() {
		defer close(r.done)
		r.cmd.Wait() // its state is looked at
	}()
	ts.Defer(func() {
		if r.cmd != nil {
			r.cmd.Process.Kill()
			<-r.done
			ts.Logf("the server's log:\n%s", ts.ReadFile("server.err"))
		}
	})
	select {
	case <-r.stdout.seen:
	case <-r.done:
		ts.Fatalf("the server did not start: %v\n%s", r.cmd.ProcessState, ts.ReadFile("server.err"))
	case <-time.After(patience):
		ts.Fatalf("the server does not say where it listens")
	}
	r.stdout.mu.Lock()
	defer r.stdout.mu.Unlock()
	ts.Check(os.WriteFile(ts.MkAbs("server.out"), r.stdout.text, 0o666))
	_, rest, _ := strings.Cut(string(r.stdout.text), " listens on ")
	addr, _, _ := strings.Cut(rest, " ")
	host, port, _ := strings.Cut(addr, ":")
	ts.Setenv("ADDR", addr)
	ts.Setenv("HOST", host)
	ts.Setenv("PORT", port)
	_, rest, _ = strings.Cut(strings.ReplaceAll(string(r.stdout.text), "for HTTPS", "for HTTP"), "and for HTTP on ")
	web, _, _ := strings.Cut(rest, "\n")
	ts.Setenv("HTTP", web)
	_, rest, _ = strings.Cut(string(r.stdout.text), "and for Graphite on ")
	carbon, _, _ := strings.Cut(rest, ", ")
	_, carbonPort, _ := strings.Cut(carbon, ":")
	ts.Setenv("GRAPHITE", carbonPort)
	ts.Setenv("PID", strconv.Itoa(r.cmd.Process.Pid))
}

// shutdown is the script command of that name.
func shutdown(ts *testscript.TestScript, neg bool, args []string) {
	r := ts.Value(runningKey{}).(*running)
	if neg || r.cmd == nil || len(args) > 1 {
		ts.Fatalf("usage: shutdown [TERM|INT], with a server running")
	}
	signal := syscall.SIGTERM
	if len(args) == 1 && args[0] == "INT" {
		signal = syscall.SIGINT
	}
	start := time.Now()
	ts.Check(r.cmd.Process.Signal(signal))
	ended(ts, false, []string{"exit status 0"})
	if took := time.Since(start); took > 10*time.Second {
		ts.Fatalf("the stop took %v", took)
	}
}

// ended is the script command of that name.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	r := ts.Value(runningKey{}).(*running)
	if neg || r.cmd == nil || len(args) != 1 {
		ts.Fatalf("usage: ended STATE, with a server running")
	}
	select {
	case <-r.done:
	case <-time.After(patience):
		ts.Fatalf("the server does not end")
	}
	state := r.cmd.ProcessState.String()
	r.cmd = nil
	ts.Check(os.WriteFile(ts.MkAbs("server.out"), r.stdout.text, 0o666))
	if state != args[0] {
		ts.Fatalf("the server ended with %s, want %s\n%s", state, args[0], ts.ReadFile("server.err"))
	}
}
