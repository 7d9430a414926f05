package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// rows is what the rows of Browse say.
const rows = `[...document.querySelectorAll('.row')].map((row) => row.innerText.replace(/\s+/g, ' ').trim())`

// TestTree: the tree is walked by keys; what is open, and what the filter says, is in the address.
func TestTree(t *testing.T) {
	lines := june("host.cpu.user")
	for _, key := range []string{"host.cpu.system", "host.mem", "web;code=200", "web;code=404", "web;code=500", "web;code=501", "web;code=502"} {
		lines = append(lines, "put "+key+" 7 1150156800")
	}
	p := open(t, lines...)
	p.visit("")
	p.until(rows + `.join('|') === '▸ host. 3 series|▸ web 5 series plot all 5'`)
	p.run(focus(".rows"), chromedp.KeyEvent(kb.ArrowRight))
	p.until(rows + `.length === 4 && ` + rows + `[1] === '▸ cpu. 2 series'`)
	p.run(chromedp.KeyEvent(kb.ArrowDown+kb.ArrowRight), chromedp.WaitVisible(chromedp.CSS(".trend")))
	p.until(rows + `[3].startsWith('user 43')`)
	p.until(`location.hash === '#browse?open=host&open=host.cpu'`)
	p.run(chromedp.Reload())
	p.until(rows + `[3]?.startsWith('user 43')`)
	p.run(focus(".rows"), chromedp.KeyEvent(kb.End+kb.ArrowRight))
	p.until(rows + `.some((row) => row.startsWith('code=502 7'))`)
	p.run(chromedp.KeyEvent(kb.ArrowLeft))
	p.until(`!` + rows + `.some((row) => row.startsWith('code='))`)

	p.run(focus("#filter"), chromedp.KeyEvent("code=50 we"))
	p.until(`document.querySelectorAll('.row').length === 3 && document.querySelector('mark').innerText === 'we'`)
	p.says("3 series")
	p.until(`location.hash.startsWith('#browse?match=code%3D50+we')`)
	p.run(chromedp.KeyEvent(kb.Escape))
	p.until(rows + `[0] === '▾ host. 3 series'`)
	p.until(rows + `.some((row) => row.startsWith('user 43'))`) // what is below moves no more
	p.run(chromedp.Click(chromedp.CSS(".row .all")))
	p.says("5 series, 5 samples")
	p.until(`document.querySelector('#range').value.startsWith('2006-06-1')`)
}

// TestFirstSample: while there is nothing the page says how to begin; a sample of 2006 put by hand is there by itself, and plotted by a click.
func TestFirstSample(t *testing.T) {
	p := open(t)
	p.visit("")
	p.says("No samples yet")
	p.says("telnet 127.0.0.1 " + p.line[strings.LastIndex(p.line, ":")+1:])
	p.says(p.address + "api/v1/import")
	p.put("put palm.cpu 23.7 1150864247")
	p.until(rows + `[1]?.startsWith('cpu 23.7 Jun ')`)
	p.run(chromedp.Click(chromedp.CSS(".row .series")))
	p.says("1 series, 1 samples")
	p.until(`document.querySelector('.plot canvas') && document.querySelector('.legend .value').innerText === '23.7'`)
	p.run(chromedp.Evaluate[chromedp.Void](`history.back()`))
	p.until(rows + `[0]?.startsWith('▾ palm.')`)
}

// TestManySeries: of a hundred thousand series the page has some dozens of rows, and the last is a key away.
func TestManySeries(t *testing.T) {
	const series = 100_000
	p := open(t)
	var b strings.Builder
	for i := range series {
		fmt.Fprintf(&b, "put many.n%05d;rack=r%d 1 1150156800\n", i, i%7)
	}
	answer, err := http.Post(p.address+"api/v1/import", "", strings.NewReader(b.String()))
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatal(answer, err)
	}
	answer.Body.Close()
	few := `document.querySelectorAll('.row').length < 100`
	p.visit("#browse?match=many")
	p.says("100,000 series")
	p.until(rows + `[0].startsWith('many.n00000 rack=r0 1') && ` + few)
	p.run(focus("#filter"), chromedp.KeyEvent(".n77777"))
	p.says("1 series")
	p.until(rows + `[0].startsWith('many.n77777 rack=')`)
	p.visit("#browse?open=many")
	p.until(rows + `[1]?.startsWith('n00000 rack=r0 1') && ` + few)
	p.run(focus(".rows"))
	for range 5 {
		p.run(chromedp.KeyEvent(kb.End))
		p.until(few)
	}
	// What comes behind is asked for as one goes.
	p.until(`(document.querySelector('.rows').scrollTop = 1e9, Number(document.querySelector('.row:last-child').getAttribute('aria-posinset')) > 3000) && ` + few)
}

// TestBrowseHostile: names and labels are text.
func TestBrowseHostile(t *testing.T) {
	p := open(t, "put <img%20src=x%20onerror=alert(1)>;<b>=<i> 1 1150156800", "put a\"b'c\\d.\u202e%0a.x 2 1150156800")
	p.visit("#browse?match=img")
	p.until(rows + `[0]?.includes('<img src=x onerror=alert(1)>')`)
	p.run(chromedp.Click(chromedp.CSS(".row .series")))
	p.says("1 series, 1 samples")
	p.visit("#browse?open=a%22b%27c%5Cd")
	p.until(`document.querySelectorAll('.row').length >= 2 && !document.querySelector('img, main b:not(.facts b)')`)
}
