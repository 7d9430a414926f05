package peers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// smallDisk is a file system that only one server sees.
type smallDisk struct {
	foreign string // a file on it, seen from here
}

// serveSmall starts metricd on a file system of its own, in a mount namespace: that takes root, or user namespaces. Where it can't, the disk is nil, and the
// server as any other.
func serveSmall(t *testing.T) (*server, *smallDisk) {
	t.Helper()
	flags := []string{"--mount"}
	if os.Getuid() != 0 {
		flags = append(flags, "--user", "--map-root-user")
	}
	const script = `mount -t tmpfs -o size=64m tmpfs "$0" && exec "$@"`
	s := newServer(t)
	dir := filepath.Dir(s.data)
	probe := exec.Command("unshare", append(flags, "sh", "-c", script, dir, "true")...)
	if out, err := probe.CombinedOutput(); err != nil {
		t.Logf("no file system can be mounted here (%v: %s), so this goes without a full disk", err, out)
		s.start(t)
		return s, nil
	}
	s.startAs(t, exec.Command("unshare", append(flags, "sh", "-c", script, dir, metricd)...))
	return s, &smallDisk{foreign: fmt.Sprintf("/proc/%d/root%s/foreign", s.cmd.Process.Pid, dir)}
}

// fill takes all that is left.
func (d *smallDisk) fill(t *testing.T) {
	t.Helper()
	f, err := os.Create(d.foreign)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zeros := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(zeros)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// free gives it back.
func (d *smallDisk) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(d.foreign); err != nil {
		t.Fatal(err)
	}
}
