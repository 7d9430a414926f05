package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const editor = ".cm-content"

// focus gives the keyboard to an element.
func focus(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).focus()", selector))
}

// june is the samples of a day in 2006, one an hour.
func june(key string) []string {
	var lines []string
	for hour := range 24 {
		lines = append(lines, fmt.Sprintf("put %s %d %d", key, 20+hour, 1150156800+hour*3600))
	}
	return lines
}

const juneRange = "from=2006-06-13T00:00:00Z&to=2006-06-14T00:00:00Z&utc=1"

// TestTyping: a query is typed with completion, and plotted; a mistake is shown in its place.
func TestTyping(t *testing.T) {
	p := open(t, june("palm.cpu")...)
	p.visit("#explore?" + juneRange)
	p.run(focus(editor), chromedp.KeyEvent("palm."))
	p.until(`document.querySelector('.cm-tooltip-autocomplete')?.innerText.includes('palm.cpu')`)
	// The list takes no key for a moment after it came, lest it take one that was meant for the text; a click it does take.
	p.until(`(document.querySelector('.cm-tooltip-autocomplete li')?.dispatchEvent(new MouseEvent('mousedown', {bubbles: true, cancelable: true})), document.querySelector('.cm-content').innerText === 'palm.cpu')`)
	p.until(`!document.querySelector('.cm-tooltip-autocomplete')`)
	p.run(chromedp.KeyEvent(kb.Enter))
	p.says("1 series, 24 samples")
	p.says("Raw samples.")
	p.until(`document.querySelector('.legend .value').innerText === '43' && document.querySelector('.plot canvas')`)
	p.until(`location.hash.includes('q0=palm.cpu')`)

	p.visit("#explore?q0=rate(palm.cpu)&" + juneRange)
	p.says("expected type range vector in call to function")
	p.until(`document.querySelector('.cm-lintRange-error')?.innerText.startsWith('palm')`)
}

// TestTime: dragging zooms, the browser's back and forward undo and redo it, a range may be typed, keys move it.
func TestTime(t *testing.T) {
	p := open(t, june("palm.cpu")...)
	p.visit("#explore?q0=palm.cpu&" + juneRange)
	p.says("1 series, 24 samples")
	p.until(`document.querySelector('.u-over')?.clientWidth > 0`)
	p.run(chromedp.ScrollIntoView(chromedp.CSS(".u-over")))
	box, err := chromedp.Run(p.ctx, chromedp.Evaluate[struct{ X, Y, Width, Height float64 }](`document.querySelector('.u-over').getBoundingClientRect().toJSON()`))
	if err != nil {
		t.Fatal(err)
	}
	y := box.Y + box.Height/2
	p.run(chromedp.DragAndDropXY(box.X+box.Width*0.27, y, box.X+box.Width*0.73, y))
	p.until(`/from=2006-06-13T06/.test(location.hash)`)
	p.says("1 series, 11 samples")
	p.run(chromedp.Evaluate[chromedp.Void](`history.back()`))
	p.says("1 series, 24 samples")
	p.until(`document.querySelector('#range').value === '2006-06-13 00:00 to 2006-06-14 00:00'`)
	p.run(chromedp.Evaluate[chromedp.Void](`history.forward()`))
	p.says("1 series, 11 samples")

	p.run(focus("#range"), chromedp.Evaluate[chromedp.Void](`document.activeElement.select()`), chromedp.KeyEvent("2006-06-13 03:00 to 2006-06-13 05:00"+kb.Enter))
	p.says("1 series, 3 samples")
	p.run(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`), chromedp.KeyEvent("-"))
	p.until(`document.querySelector('#range').value === '2006-06-13 02:00 to 2006-06-13 06:00'`)
	p.run(chromedp.KeyEvent("?"))
	p.until(`document.querySelector('dialog[open]')?.innerText.includes('zoom out')`)
}

// TestLive: what is put through the line protocol comes by itself.
func TestLive(t *testing.T) {
	p := open(t, fmt.Sprintf("put oak.load 1 %d", time.Now().Unix()-60))
	p.visit("#explore?q0=oak.load&range=1h&live=1s")
	p.says("1 series, 1 samples")
	p.put(fmt.Sprintf("put oak.load 77 %d", time.Now().Unix()-1))
	p.says("1 series, 2 samples")
	p.until(`document.querySelector('.legend .value').innerText === '77'`)
}

// TestGap: a hole in samples of every second is seen: nothing is drawn there, and something on both sides.
func TestGap(t *testing.T) {
	var lines []string
	for second := range 600 {
		if second < 240 || second > 360 {
			lines = append(lines, fmt.Sprintf("put fir.hz 5 %d", 1150156800+second))
		}
	}
	p := open(t, lines...)
	p.visit("#explore?q0=fir.hz&from=2006-06-13T00:00:00Z&to=2006-06-13T00:10:00Z&utc=1")
	p.says("1 series, 479 samples")
	// painted says whether a column of the canvas, at a part of the plot's width, has about the colour of the first line: it may be drawn over one of the grid.
	painted := func(part float64) string {
		return fmt.Sprintf(`(() => {
			const canvas = document.querySelector('.plot canvas'), over = document.querySelector('.u-over'), ratio = devicePixelRatio;
			const x = Math.round((over.offsetLeft + over.clientWidth * %g) * ratio);
			const [r, g, b] = getComputedStyle(document.documentElement).getPropertyValue('--line-0').trim().match(/\w\w/g).map((h) => parseInt(h, 16));
			const data = canvas.getContext('2d').getImageData(x, over.offsetTop * ratio, 1, over.clientHeight * ratio).data;
			for (let i = 0; i < data.length; i += 4) {
				if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 140 && data[i + 3] > 128) return true;
			}
			return false;
		})()`, part)
	}
	p.until(painted(0.2))
	p.until(painted(0.8))
	for _, part := range []float64{0.45, 0.5, 0.55} {
		p.until("!" + painted(part))
	}
}

// TestLooks: light and dark, and the width of a phone.
func TestLooks(t *testing.T) {
	p := open(t, june("palm.cpu;host=a;rack=r1")...)
	p.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		return err
	}))
	p.visit("#explore?q0=palm.cpu&" + juneRange)
	p.says("1 series, 24 samples")
	back := `getComputedStyle(document.body).backgroundColor`
	p.until(back + ` === 'rgb(18, 22, 29)'`)
	p.run(chromedp.SetValue(chromedp.CSS(".theme select"), "light"), chromedp.Evaluate[chromedp.Void](`document.querySelector('.theme select').dispatchEvent(new Event('change', {bubbles: true}))`))
	p.until(back + ` === 'rgb(255, 255, 255)'`)
	p.run(chromedp.EmulateViewport(390, 844))
	p.until(`document.documentElement.scrollWidth <= 390 && document.querySelector('.plot canvas').clientWidth < 390`)
	// A label that is clicked filters.
	p.run(chromedp.Click(chromedp.CSS(`button.label[title*=rack]`)))
	p.until(`document.querySelector('.cm-content').innerText === 'palm.cpu{rack="r1"}'`)
	p.says("1 series, 24 samples")
}

// TestHostile: a name is text, whatever it holds.
func TestHostile(t *testing.T) {
	const name = "<img src=x onerror=alert(1)>"
	p := open(t, june(strings.ReplaceAll(name, " ", "%20")+";")...)
	for _, view := range []string{"plot", "table", "json"} {
		p.visit("#explore?q0=%7B__name__%3D~%22.*img.*%22%7D&view=" + view + "&" + juneRange)
		p.says("1 series, 24 samples")
		p.until(`document.body.innerText.includes(` + fmt.Sprintf("%q", map[bool]string{true: `u003cimg src=x`, false: name}[view == "json"]) + `) || document.body.innerText.includes("` + name + `")`)
		p.until(`!document.querySelector('img')`)
	}
}

// TestLeftOut: over the limit the page says how many series it leaves out, of raw samples and of values at steps.
func TestLeftOut(t *testing.T) {
	var lines []string
	for i := range 130 {
		lines = append(lines, fmt.Sprintf("put palm.cpu;core=%d 1 1150156800", i))
	}
	p := open(t, lines...)
	p.visit("#explore?q0=palm.cpu&" + juneRange)
	p.says("Only 100 of 130 series are shown.")
	p.visit("#explore?q0=palm.cpu*2%20%23%20twice&" + juneRange)
	p.says("Only 100 of at least 130 series are shown.")
}
