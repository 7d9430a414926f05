package browser

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var pictures = flag.String("pictures", "", "a `directory` for pictures of all views, in both themes, wide and narrow; TestAccessible makes them")

// axe returns the script of axe-core, which npm installs as package-lock.json here says.
func axe(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.Command("npm", "ci", "--loglevel=error")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	script, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// violations says what of the page as it is now keeps people from using it, by WCAG 2 at the levels A and AA.
func (p *page) violations(axe string) []string {
	p.t.Helper()
	type violation struct {
		ID, Help string
		Nodes    []struct {
			Target         []string
			FailureSummary string
		}
	}
	p.run(chromedp.Evaluate[chromedp.Void](axe + "; undefined"))
	found, err := chromedp.Run(p.ctx, chromedp.Evaluate[json.RawMessage](`axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then((r) => r.violations)`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	var all []violation
	if err := json.Unmarshal(found, &all); err != nil {
		p.t.Fatalf("%v: %.300s", err, found)
	}
	var words []string
	for _, v := range all {
		for _, n := range v.Nodes {
			words = append(words, fmt.Sprintf("%s (%s): %s: %s", v.ID, v.Help, strings.Join(n.Target, " "), strings.ReplaceAll(n.FailureSummary, "\n", " ")))
		}
	}
	return words
}

// TestAccessible: axe-core finds no violation of WCAG 2 AA in any view, light or dark, wide or as narrow as a phone.
func TestAccessible(t *testing.T) {
	t.Parallel()
	script := axe(t)
	p := open(t, june("palm.cpu;host=a;rack=r1")...)
	p.make("Trees", "", "palm.cpu", "rate(palm.cpu)")
	views := []struct{ hash, says, key string }{
		{"#explore?q0=palm.cpu&" + juneRange, "1 series, 24 samples", ""},
		{"#explore?q0=palm.cpu&view=table&" + juneRange, "1 series, 24 samples", ""},
		{"#explore?q0=palm.cpu&view=json&" + juneRange, "1 series, 24 samples", ""},
		{"#explore?q0=rate(palm.cpu)&" + juneRange, "expected type range vector", ""},
		{"#explore", "", "?"},
		{"#explore", "", "h"},
		{"#status", "Busiest series", ""},
		{"#browse?open=palm", "rack=r1", ""},
		{"#browse?match=palm", "1 series", ""},
		{"#boards", "Trees", ""},
		{at("Trees"), "raw samples", ""},
		{at("Trees") + "&arrange=1", "Wide", ""},
	}
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1200, 390} {
			if *pictures == "" && (theme == "light") != (width == 1200) {
				continue // what is wrong with colours is wrong at any width
			}
			p.run(chromedp.EmulateViewport(width, 900))
			for i, v := range views {
				p.visit(v.hash)
				p.run(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`localStorage.setItem('metricd.theme', %q)`, theme)))
				p.visit(v.hash)
				p.until(fmt.Sprintf("document.documentElement.dataset['theme'] === %q", theme))
				p.says(v.says)
				if v.key != "" {
					p.run(chromedp.KeyEvent(v.key))
					p.until("document.querySelector('dialog[open]')")
				}
				if *pictures != "" {
					picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
					if err == nil {
						err = os.WriteFile(filepath.Join(*pictures, fmt.Sprintf("%02d-%s-%d.png", i, theme, width)), picture, 0o600)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				for _, words := range p.violations(script) {
					t.Errorf("%s %s, %s, %d wide: %s", v.hash, v.key, theme, width, words)
				}
				if v.key != "" {
					p.run(chromedp.KeyEvent(kb.Escape))
				}
			}
		}
	}
}
