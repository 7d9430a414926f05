package metricd_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// mayImport is the map of the repository: for each package which of the others it may import.
// Imports only go downwards. ARCHITECTURE.md says what each is for.
var mayImport = map[string][]string{
	"metricd/cmd/metricd":                  {"metricd", "metricd/client", "metricd/internal/backup", "metricd/internal/bench", "metricd/internal/collect", "metricd/internal/decimal", "metricd/internal/dump", "metricd/internal/lineproto", "metricd/internal/plot", "metricd/internal/top", "metricd/internal/tsdb"},
	"metricd":                              {"metricd/internal/collect", "metricd/internal/httpapi", "metricd/internal/ingest/graphite", "metricd/internal/lineserver", "metricd/internal/ownmetrics", "metricd/internal/promql", "metricd/internal/tsdb"},
	"metricd/client":                       {"metricd/internal/lineproto"},
	"metricd/internal/backup":              {"metricd/internal/storage"},
	"metricd/internal/collect":             {"metricd/client", "metricd/internal/storage"},
	"metricd/internal/dump":                {"metricd/internal/decimal", "metricd/internal/lineproto", "metricd/internal/storage"},
	"metricd/internal/httpapi":             {"metricd/internal/backup", "metricd/internal/dump", "metricd/internal/ingest/influx", "metricd/internal/ingest/otlp", "metricd/internal/ingest/remotewrite", "metricd/internal/ownmetrics", "metricd/internal/promql", "metricd/internal/storage", "metricd/internal/webui"},
	"metricd/internal/webui":               {},
	"metricd/internal/ownmetrics":          {"metricd/internal/ingest/graphite", "metricd/internal/ingest/influx", "metricd/internal/ingest/otlp", "metricd/internal/ingest/remotewrite", "metricd/internal/lineserver", "metricd/internal/storage"},
	"metricd/internal/bench":               {"metricd/internal/lineproto"},
	"metricd/internal/ingest/graphite":     {"metricd/internal/decimal", "metricd/internal/lineorder", "metricd/internal/lineproto", "metricd/internal/storage"},
	"metricd/internal/ingest/influx":       {"metricd/internal/decimal", "metricd/internal/ingest/body", "metricd/internal/storage"},
	"metricd/internal/lineserver":          {"metricd/internal/lineorder", "metricd/internal/lineproto", "metricd/internal/storage"},
	"metricd/internal/lineorder":           {"metricd/internal/storage"},
	"metricd/internal/ingest/remotewrite":  {"metricd/internal/ingest/body", "metricd/internal/ingest/rows", "metricd/internal/ingest/wire", "metricd/internal/storage"},
	"metricd/internal/ingest/otlp":         {"metricd/internal/ingest/body", "metricd/internal/ingest/rows", "metricd/internal/ingest/wire", "metricd/internal/storage"},
	"metricd/internal/ingest/body":         {},
	"metricd/internal/ingest/rows":         {"metricd/internal/storage"},
	"metricd/internal/ingest/wire":         {},
	"metricd/internal/lineproto":           {"metricd/internal/decimal"},
	"metricd/internal/plot":                {"metricd/internal/decimal"},
	"metricd/internal/promql":              {"metricd/internal/storage"},
	"metricd/internal/decimal":             {},
	"metricd/internal/storage":             {},
	"metricd/internal/storage/storagetest": {"metricd/internal/storage"},
	"metricd/internal/chunk":               {"metricd/internal/decimal"},
	"metricd/internal/top":                 {},
	"metricd/internal/tsdb":                {"metricd/internal/chunk", "metricd/internal/decimal", "metricd/internal/storage", "metricd/internal/tsdb/blocks", "metricd/internal/tsdb/documents", "metricd/internal/tsdb/index", "metricd/internal/tsdb/wal"},
	"metricd/internal/tsdb/blocks":         {},
	"metricd/internal/tsdb/documents":      {"metricd/internal/storage"},
	"metricd/internal/tsdb/index":          {"metricd/internal/storage"},
	"metricd/internal/tsdb/wal":            {},
}

// onlyStdlib are the packages that import nothing from other modules.
var onlyStdlib = []string{"metricd/client", "metricd/internal/decimal", "metricd/internal/lineproto", "metricd/internal/storage"}

// onlyImporter names, for modules that would otherwise spread, the one package that may import them.
var onlyImporter = map[string]string{"github.com/prometheus/prometheus": "metricd/internal/promql"}

type listed struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) []listed {
	cmd := exec.Command("go", "list", "-pgo=off", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(out); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		seen[p.ImportPath] = true
		may, ok := mayImport[p.ImportPath]
		if !ok {
			t.Errorf("package %s is not on the map: add it to mayImport here and to ARCHITECTURE.md, or do without it", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			first, _, _ := strings.Cut(imp, "/")
			switch {
			case first == "metricd":
				if !slices.Contains(may, imp) {
					t.Errorf("%s imports %s, which the map does not allow", p.ImportPath, imp)
				}
			case strings.Contains(first, ".") && slices.Contains(onlyStdlib, p.ImportPath):
				t.Errorf("%s imports %s; it may use the standard library only", p.ImportPath, imp)
			}
			for module, only := range onlyImporter {
				if strings.HasPrefix(imp, module+"/") && p.ImportPath != only {
					t.Errorf("%s imports %s; only %s may", p.ImportPath, imp, only)
				}
			}
		}
		if p.Doc == "" {
			t.Errorf("package %s has no package comment", p.ImportPath)
		}
	}
	for p := range mayImport {
		if !seen[p] {
			t.Errorf("package %s is on the map and does not exist", p)
		}
	}
}

// TestNoExitsNorPanics: only main ends the process, and what panics says BUG.
func TestNoExitsNorPanics(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				switch f := call.Fun.(type) {
				case *ast.SelectorExpr:
					pkg, _ := f.X.(*ast.Ident)
					if pkg == nil {
						return true
					}
					full := pkg.Name + "." + f.Sel.Name
					if (full == "os.Exit" || strings.HasPrefix(full, "log.Fatal")) && name != "main.go" {
						t.Errorf("%s: %s outside main", fset.Position(call.Pos()), full)
					}
				case *ast.Ident:
					if f.Name == "panic" && !saysBug(call.Args) {
						t.Errorf("%s: a panic that does not begin with \"BUG: \"", fset.Position(call.Pos()))
					}
				}
				return true
			})
		}
	}
}

// saysBug says whether the arguments hold a text that begins with BUG: .
func saysBug(args []ast.Expr) (found bool) {
	for _, a := range args {
		ast.Inspect(a, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && strings.HasPrefix(lit.Value, `"BUG: `) {
				found = true
			}
			return !found
		})
	}
	return found
}
