package peers

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs, and what it has printed. Whatever happens it ends with its test, which shows what
// it printed if it failed.
type process struct {
	cmd   *exec.Cmd
	out   output
	ended chan struct{} // closed when it has ended
}

// output is what a process printed.
type output struct {
	mu struct {
		sync.Mutex
		buf bytes.Buffer
	}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.buf.String()
}

// start starts cmd.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait() // how it ended, those who care ask cmd.ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			const most = 8 << 10
			out := p.out.String()
			t.Logf("%s printed:\n%s", cmd.Args[0], out[max(0, len(out)-most):])
		}
	})
	return p
}

// stop ends the process by a signal and waits until it has ended. Unless it was killed it has to exit with 0.
func (p *process) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
	if signal != syscall.SIGKILL && !p.cmd.ProcessState.Success() {
		t.Errorf("%s: %v", p.cmd.Args[0], p.cmd.ProcessState)
	}
}

// wait waits until the process has ended.
func (p *process) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not end", p.cmd.Args[0])
	}
}

// await waits until the process has printed text.
func (p *process) await(t *testing.T, text string) {
	t.Helper()
	until(t, func() error {
		if strings.Contains(p.out.String(), text) {
			return nil
		}
		select {
		case <-p.ended:
			t.Fatalf("%s has ended (%v) without %q", p.cmd.Args[0], p.cmd.ProcessState, text)
		default:
		}
		return fmt.Errorf("%s has not printed %q", p.cmd.Args[0], text)
	})
}

// until calls f until it returns nil. After patience the test fails with its last error.
func until(t *testing.T, f func() error) {
	t.Helper()
	begin := time.Now()
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("after %v: %v", patience, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
