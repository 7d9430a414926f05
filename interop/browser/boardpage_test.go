package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/chromedp/chromedp"
)

// another opens a window that shares nothing with the first but the server: another person's browser.
func (p *page) another() *page {
	p.t.Helper()
	other := &page{t: p.t, address: p.address, line: p.line}
	ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(other.hear))
	p.t.Cleanup(cancel)
	p.t.Cleanup(other.complain)
	other.ctx = ctx
	other.run(chromedp.EmulateViewport(1200, 900))
	return other
}

// board is what the tests read of one.
type board struct {
	Version int
	Plots   []struct {
		Query, Title, Unit string
		Wide               bool
	}
}

// titles are those of its plots, in their order; the query where there is none.
func (b board) titles() string {
	var all []string
	for _, p := range b.Plots {
		if p.Title == "" {
			p.Title = p.Query
		}
		all = append(all, p.Title)
	}
	return strings.Join(all, ", ")
}

// board asks the server for one, and for its ETag; of none both are empty.
func (p *page) board(name string) (b board, etag string) {
	p.t.Helper()
	resp, err := http.Get(p.address + "api/page/boards/" + url.PathEscape(name))
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if resp.StatusCode == http.StatusNotFound {
		return board{}, ""
	}
	if err := json.Unmarshal(body, &b); err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("board %s: %s: %v: %s", name, resp.Status, err, body)
	}
	return b, resp.Header.Get("ETag")
}

// make puts a board on the server, over the version of this ETag or as a new one.
func (p *page) make(name, etag string, queries ...string) {
	p.t.Helper()
	var plots []map[string]string
	for _, query := range queries {
		plots = append(plots, map[string]string{"query": query})
	}
	body, err := json.Marshal(map[string]any{"version": 1, "plots": plots})
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPut, p.address+"api/page/boards/"+url.PathEscape(name), strings.NewReader(string(body)))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("If-None-Match", "*")
	if etag != "" {
		req.Header.Del("If-None-Match")
		req.Header.Set("If-Match", etag)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		p.t.Fatalf("board %s: %s", name, resp.Status)
	}
}

// at is the address of a board.
func at(name string) string {
	return "#boards?board=" + url.QueryEscape(name) + "&" + juneRange
}

// press clicks a button, which may still have to come, by what it says or is called.
func (p *page) press(name string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`((b) => b && (b.click(), true))([...document.querySelectorAll('dialog[open] button, button')].filter((b) => !b.disabled && (b.closest('dialog') || !document.querySelector('dialog[open]')))
		.find((b) => (b.getAttribute('aria-label') ?? b.innerText) === %q))`, name))
}

// fill types into the field of a sheet that has this label, over what is there.
func (p *page) fill(label, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`((f) => f && (f.focus(), f.select?.(), true))([...document.querySelectorAll('dialog[open] label')].find((l) => l.innerText.trim().startsWith(%q))?.querySelector('input'))`, label))
	p.run(chromedp.KeyEvent(text))
}

// order waits until the board shows these plots, in this order, and has nothing left to save.
func (p *page) order(titles string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`[...document.querySelectorAll('.boardplot h3')].map((h) => h.innerText).join(', ') === %q && document.querySelector('.savestate')?.dataset.state === 'saved'`, titles))
}
