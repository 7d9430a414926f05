package browser

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"metricd"
)

// figure is what a tile of Status says, as an expression.
func figure(title string) string {
	return `[...document.querySelectorAll('.tile')].find((tile) => tile.querySelector('h3').innerText === '` + title + `')?.querySelector('.figure').innerText`
}

// TestStatus: the server's figures are there, move when samples come, and lead to their plots.
func TestStatus(t *testing.T) {
	t.Parallel()
	p := open(t, june("palm.cpu")...)
	p.visit("#status")
	p.until(figure("Memory") + `?.endsWith('MiB')`)
	p.until(figure("Connections") + `> 0`)
	p.says("in memory only")
	p.says("samples are kept for ever")
	p.put(june("oak.cpu")...)
	// The server takes its figures every 15 seconds.
	p.until(figure("Samples") + `=== '48'`)
	p.until(figure("Series") + `=== '2'`)
	p.until(`[...document.querySelectorAll('.tile')].every((tile) => tile.querySelector('.figure').innerText !== '…' && !tile.querySelector('.trend path')?.getAttribute('d').includes('NaN'))`)
	p.until(`document.querySelectorAll('.tile .trend').length > 4`)
	// What is of the disk has no meaning here.
	p.until(`!` + figure("Log"))
	p.until(`[...document.querySelectorAll('.tile a')].find((link) => link.innerText === 'Samples')?.click() === undefined && location.hash.includes('q0=metricd_storage_samples')`)
	p.says("1 series")
	p.until(`document.querySelector('.legend .value').innerText === '48'`)
}

// TestStatusOnDisk: a server with a directory also says what it has there, and how old samples may be.
func TestStatusOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, _ := serve(t, metricd.Config{Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: dir, Retention: 48 * time.Hour})
	p := browse(t, server)
	p.put(fmt.Sprintf("put palm.cpu 20 %d", time.Now().Unix()))
	p.visit("#status")
	p.says(dir)
	p.until(`[...document.querySelectorAll('.aboutserver div')].some((fact) => fact.innerText.replace(/\s+/g, ' ') === 'Retention 2d')`)
	p.until(`/B$/.test(` + figure("Log") + `)`)
	p.until(`/B$/.test(` + figure("Disk a sample") + `)`)
	p.until(`/B$/.test(` + figure("Free on disk") + `)`)
	p.until(figure("Flushes") + `=== '0'`)
	// A rate needs two looks of the server at its figures, with a put between.
	for busy := true; busy; {
		p.put(fmt.Sprintf("put palm.cpu 20 %d", time.Now().Unix()))
		if err := chromedp.Do(p.ctx, chromedp.Sleep(100*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		known, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`/s$/.test(`+figure("Sync latency")+`)`))
		if err != nil {
			t.Fatal(err)
		}
		busy = !known
	}
	p.until(`/s$/.test(` + figure("Sync, the median") + `)`)
}

// TestBusiest: the series that get most samples now are listed, whatever they are called.
func TestBusiest(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.visit("#status")
	p.says("No samples came in the last second.")
	for {
		p.put("put <img%20src=x%20onerror=alert(1)> 1 1150156800")
		p.run(chromedp.KeyEvent("r"))
		found, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`document.querySelector('table.values th.name')?.innerText.startsWith('<img') ?? false`))
		if err != nil {
			t.Fatal(err)
		}
		if found {
			break
		}
	}
	p.until(`!document.querySelector('img')`)
}
