package metricd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

var everyFault = flag.Bool("faults", false, "TestFaults lets every operation of the disk fail, not some of them; scripts/soak does")

// faultVariable tells a process of the test binary to be the child of TestFaults, and what is to fail.
const faultVariable = "METRICD_TEST_FAULT"

func TestMain(m *testing.M) {
	if spec := os.Getenv(faultVariable); spec != "" {
		os.Exit(runFault(spec))
	}
	os.Exit(m.Run())
}

// faultKinds are the operations that fail, and how.
var faultKinds = map[string]struct {
	is  func(errorfs.Op) bool
	err error
}{
	"read":  {func(op errorfs.Op) bool { return op.Kind.ReadOrWrite() == errorfs.OpIsRead }, syscall.EIO},
	"write": {func(op errorfs.Op) bool { return op.Kind.ReadOrWrite() == errorfs.OpIsWrite && !isSync(op) }, syscall.EIO},
	"sync":  {isSync, syscall.EIO},
	"space": {func(op errorfs.Op) bool {
		return slices.Contains([]errorfs.OpKind{errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpMkdirAll, errorfs.OpRename}, op.Kind)
	}, syscall.ENOSPC},
}

func isSync(op errorfs.Op) bool {
	return slices.Contains([]errorfs.OpKind{errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo}, op.Kind)
}

// fault is what is to fail in a process.
type fault struct {
	Kind    string
	Forever bool // every one from N on, else one
	N       int64
	Fsync   string // always, interval
}

func (f fault) String() string {
	how := "once"
	if f.Forever {
		how = "for ever"
	}
	return fmt.Sprintf("%s %d %s, fsync %s", f.Kind, f.N, how, f.Fsync)
}

// outcome is what a process found out.
type outcome struct {
	Operations int64 // of the kind
	Acked      int
	Refused    bool // it did not start
	Failed     string
	Took       time.Duration // from the failure of the store to the end of Serve
	Wrong      []string
}

// TestFaults lets the n-th operation of the disk fail under a real server with clients, in a process each: a read, a write, a sync, for want of space,
// once and for ever. The server goes on, or refuses to start, or tells its clients and ends within two seconds; and whatever
// it acknowledged is there when it is started again: after a power cut with fsync always, after the end of the process with interval.
func TestFaults(t *testing.T) {
	for kind := range faultKinds {
		for _, fsync := range []string{"always", "interval"} {
			t.Run(kind+" "+fsync, func(t *testing.T) { tryFaults(t, kind, fsync) })
		}
	}
}

// tryFaults is TestFaults for one kind of operation.
func tryFaults(t *testing.T, kind, fsync string) {
	const atOnce = 4
	all := inProcess(t, fault{Kind: kind, N: 1 << 40, Fsync: fsync}).Operations
	step := int64(1)
	if !*everyFault {
		step = all/3 + 1
	}
	var mu sync.Mutex
	figures := map[string]int{}
	var running sync.WaitGroup
	next := rand.Int64N(step) + 1
	for range atOnce {
		running.Go(func() {
			for {
				mu.Lock()
				n := next
				next += step
				mu.Unlock()
				if n > all {
					return
				}
				for _, forever := range []bool{false, true} {
					end := inProcess(t, fault{kind, forever, n, fsync}).end()
					mu.Lock()
					figures[end]++
					mu.Unlock()
				}
			}
		})
	}
	running.Wait()
	t.Logf("%d operations; servers: %v", all, figures)
}

func (o outcome) end() string {
	switch {
	case o.Refused:
		return "did not start"
	case o.Failed != "":
		return "failed"
	}
	return "went on"
}

// inProcess runs a server with a fault in a process of its own.
func inProcess(t *testing.T, f fault) (o outcome) {
	spec, err := json.Marshal(f)
	if err != nil {
		t.Error(err)
		return o
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	exe, err := os.Executable()
	if err != nil {
		t.Error(err)
		return o
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it tells where it hangs
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), faultVariable+"="+string(spec))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err = errors.Join(err, json.Unmarshal(out, &o)); err != nil {
		t.Errorf("%v: %v\n%s\n%s", f, err, out, stderr.Bytes()[:min(stderr.Len(), 20_000)])
	}
	if len(o.Wrong) > 0 {
		t.Errorf("%v: %s", f, strings.Join(o.Wrong, "\n"))
	}
	if o.Took > 2*time.Second {
		t.Errorf("%v: the server ended %v after the store had failed with %s", f, o.Took, o.Failed)
	}
	return o
}
