package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBoardList: boards are made, renamed, copied, deleted, exported and imported, whatever they are called.
func TestBoardList(t *testing.T) {
	t.Parallel()
	const hostile = "<img src=x onerror=alert(1)>"
	p := open(t, june(strings.ReplaceAll(hostile, " ", "%20")+";")...)
	p.allow("status of 412")
	p.visit("#boards")
	p.says("There is none yet")
	p.press("New board")
	p.fill("Name", hostile)
	p.run(chromedp.KeyEvent(kb.Enter))
	p.says("Nothing is on this board yet.")
	_, etag := p.board(hostile)
	p.make(hostile, etag, `{__name__=~".*img.*"}`)
	p.visit(at(hostile))
	p.order(`{__name__=~".*img.*"}`)
	p.until(fmt.Sprintf(`document.querySelector('.legend')?.innerText.includes(%q) && document.querySelector('h2').innerText.includes(%q)`, hostile, hostile))
	p.until(`!document.querySelector('img')`)

	p.visit("#boards")
	p.press("copy " + hostile)
	p.fill("Name", "Copy")
	p.run(chromedp.KeyEvent(kb.Enter))
	p.says("“Copy” is there.")
	p.press("rename Copy")
	p.fill("Name", hostile) // is taken
	p.run(chromedp.KeyEvent(kb.Enter))
	p.says("There is a board “" + hostile + "” already.")
	p.fill("Name", "a/b?c#d")
	p.run(chromedp.KeyEvent(kb.Enter))
	p.says("It is “a/b?c#d” now.")
	p.until(`document.querySelectorAll('.boards tbody tr').length === 2`)
	p.press("delete " + hostile)
	p.press("Cancel")
	p.press("delete " + hostile)
	p.press("Delete")
	p.says("is deleted.")
	if _, etag := p.board(hostile); etag != "" {
		t.Error("a board that was deleted is there")
	}
	b, _ := p.board("a/b?c#d")
	if b.titles() != `{__name__=~".*img.*"}` {
		t.Errorf("after a copy and a new name: %+v", b)
	}

	dir := t.TempDir()
	p.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
		return err
	}))
	p.press("export a/b?c#d")
	file := filepath.Join(dir, "a_b_c#d.board.json")
	p.waitFile(file)
	p.importFile(file)
	p.until(`document.querySelector('dialog[open] input')?.value === 'a_b_c#d'`)
	p.press("Import")
	p.says("“a_b_c#d” is imported.")
	if b, _ := p.board("a_b_c#d"); b.titles() != `{__name__=~".*img.*"}` {
		t.Errorf("after export and import: %+v", b)
	}
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"version":1,"plots":[{"query":"a"},{"query":7}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p.importFile(bad)
	p.says("bad.json was not imported. plots[1].query is 7, and should be a text")
}

// waitFile waits until a file is whole: the browser gives it its name then.
func (p *page) waitFile(name string) {
	p.t.Helper()
	for {
		if _, err := os.Stat(name); err == nil {
			return
		}
		p.until("true")
	}
}

func (p *page) importFile(name string) {
	p.t.Helper()
	p.run(chromedp.SetUploadFiles(chromedp.CSS(`input[type=file]`), []string{name}))
}

// TestBoardAway: what is changed while the server does not answer is kept, and saved when it does.
func TestBoardAway(t *testing.T) {
	t.Parallel()
	p := open(t, june("palm.cpu")...)
	p.make("B", "", "1", "2")
	p.visit(at("B") + "&arrange=1")
	p.order("1, 2")
	block := func(urls ...string) {
		t.Helper()
		p.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			var patterns []*network.BlockPattern
			for _, u := range urls {
				patterns = append(patterns, &network.BlockPattern{URLPattern: u, Block: true})
			}
			_, err := cdp.Call(ctx, t, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns})
			return err
		}))
	}
	p.allow("net::ERR_BLOCKED_BY_CLIENT")
	block(p.address + "api/page/boards/*")
	p.press("remove 1")
	p.says("Not saved yet: The server does not answer. It is kept here and tried again.")
	// It is also kept while another view is shown.
	p.run(chromedp.KeyEvent("e"))
	p.until(`location.hash.startsWith('#explore')`)
	p.run(chromedp.Evaluate[chromedp.Void](`history.back()`))
	p.until(`document.querySelector('.savestate')?.dataset.state === 'waiting'`)
	if b, _ := p.board("B"); b.titles() != "1, 2" {
		t.Errorf("the server has %s", b.titles())
	}
	block()
	p.order("2")
	if b, _ := p.board("B"); b.titles() != "2" {
		t.Errorf("the server has %s", b.titles())
	}
}

// TestSheetsAccessible: axe-core finds nothing in the sheets of boards either, nor where it is chosen which of two boards stays.
func TestSheetsAccessible(t *testing.T) {
	t.Parallel()
	script := axe(t)
	p := open(t, june("palm.cpu")...)
	p.allow("status of 412")
	p.run(chromedp.EmulateViewport(390, 844))
	look := func(what string) {
		t.Helper()
		for _, words := range p.violations(script) {
			t.Errorf("%s: %s", what, words)
		}
	}
	p.make("B", "", "palm.cpu", "palm.cpu+1")
	_, etag := p.board("B")
	p.visit("#explore?q0=palm.cpu&" + juneRange)
	p.press("Pin")
	p.until(`document.querySelector('dialog[open] select').value === '=B'`)
	look("Pin")
	p.visit("#boards")
	p.press("delete B")
	look("delete")
	p.press("Cancel")
	p.press("rename B")
	look("rename")
	p.visit(at("B") + "&arrange=1")
	p.order("palm.cpu, palm.cpu+1")
	p.press("+ Add a plot")
	p.until(`document.querySelector('dialog[open] .querybox[data-ready=true]')`)
	look("add")
	p.make("B", etag, "theirs")
	p.run(focus("dialog "+editor), chromedp.KeyEvent("mine"))
	p.press("Save")
	p.says("Only in theirs")
	look("conflict")
	p.press("Show theirs")
	p.press("Keep theirs, drop mine")
	p.order("theirs")
}
