package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"metricd/internal/backup"
)

// TestRefuseInside: nothing is made in data, a backup or what it is made of, by whatever way.
func TestRefuseInside(t *testing.T) {
	top := t.TempDir()
	at := func(names ...string) string { return filepath.Join(append([]string{top}, names...)...) }
	for _, dir := range []string{at("data", "chunks"), at("data", "log"), at("backup"), at("damaged", "chunks"), at("free")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{at("data", "chunks", "marks"), at("backup", backup.List)} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(at("damaged", "chunks"), at("link")); err != nil {
		t.Fatal(err)
	}
	for dir, refused := range map[string]string{
		at("free"):                            "",
		at("free", "new", "er"):               "",
		at("data2"):                           "",
		at("data", "sub"):                     "holds data of metricd",
		at("data", "chunks"):                  "holds data of metricd",
		at("data", "log", "new", "er"):        "holds data of metricd",
		at("backup", "sub"):                   "holds data of metricd",
		at("damaged"):                         "is " + at("damaged") + " or lies in it",
		at("damaged", "x", "y"):               "or lies in it",
		at("link", "x"):                       "or lies in it",
		at("free", "..", "damaged", "chunks"): "or lies in it",
	} {
		err := refuseInside(dir, at("damaged"))
		if (err == nil) != (refused == "") || err != nil && !strings.Contains(err.Error(), refused) {
			t.Errorf("%s: %v, want %q", dir, err, refused)
		}
	}
	t.Chdir(at("damaged"))
	if err := refuseInside("x", "."); err == nil {
		t.Error("x in . is let pass")
	}
}
