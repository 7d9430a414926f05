package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the directory of the repository.
const root = "../.."

// block returns the n-th block of code, from 0, below the heading "### heading" of README.md, with the default addresses
// replaced by those of the server.
func (s *server) block(t *testing.T, heading string, n int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n### "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n#")
	parts := strings.Split(section, "\n```") // text, the first block, text, …
	if len(parts) < 2*n+3 {
		t.Fatalf("README.md has no block %d of code below ### %s", n, heading)
	}
	_, code, _ := strings.Cut(parts[2*n+1], "\n") // behind the language
	_, port, _ := strings.Cut(s.graphite, ":")
	return strings.NewReplacer("127.0.0.1:8889", s.http, `"2003"`, `"`+port+`"`).Replace(code) + "\n"
}

// replaced returns s with old, which must be there, replaced by other.
func replaced(t *testing.T, s, old, other string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("there is no %s in\n%s", old, s)
	}
	return strings.ReplaceAll(s, old, other)
}

// write writes text to a new file and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
