package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// apt is held while apt-get runs, which runs once at a time only.
var apt sync.Mutex

// debian unpacks a package of Debian's into a directory and returns that. Nothing is installed, so no service is started.
func debian(t *testing.T, name string) string {
	t.Helper()
	apt.Lock()
	defer apt.Unlock()
	dir := t.TempDir()
	download := func() error {
		cmd := exec.Command("apt-get", "download", "-q", name)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Logf("apt-get download: %v\n%s", err, out)
		}
		return err
	}
	if download() != nil {
		run(t, exec.Command("apt-get", "update", "-q")) // there may be no list of packages, or an old one
		if err := download(); err != nil {
			t.Fatal("this test needs the package " + name + " of Debian's, see above")
		}
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(found) != 1 {
		t.Fatalf("apt-get download: got %q, %v", found, err)
	}
	run(t, exec.Command("dpkg", "-x", found[0], dir))
	return dir
}

// pypi installs packages of PyPI in a directory of their own and returns that, and the environment by which Python finds them there.
func pypi(t *testing.T, packages ...string) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	run(t, exec.Command("python3", append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", dir}, packages...)...))
	return dir, append(os.Environ(), "PYTHONPATH="+dir, "NO_PROXY=127.0.0.1")
}

// run runs cmd, which must exit with 0, and returns what it printed.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}
