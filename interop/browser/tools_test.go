package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// does evaluates an expression for its effect.
func does(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](expression + "; undefined")
}

// TestElsewhen: an empty plot says when there are samples, and goes there; what is no series it says, too.
func TestElsewhen(t *testing.T) {
	p := open(t, june("palm.cpu")...)
	p.visit("#explore?q0=sum(rate(palm.cpu[2h]))&utc=1")
	p.says("There are samples from Jun 13, 2006")
	p.run(chromedp.Click(chromedp.CSS(".nothing button")))
	p.says("1 series, ")
	p.until(`document.querySelector('#range').value.startsWith('2006-06-1')`)
	p.visit("#explore?q0=palm.cpv&utc=1")
	p.says("No series is called palm.cpv")
}

// TestTools: the legend hides and isolates, the cursors of plots are linked, axes, table, CSV and the queries of the past.
func TestTools(t *testing.T) {
	lines := append(june("palm.cpu"), june("oak.cpu")...)
	p := open(t, append(lines, "put oak.cpu 0 1150156800")...)
	p.visit("#explore?q0=%7B__name__%3D~%22palm.cpu%7Coak.cpu%22%7D&q1=palm.cpu&" + juneRange)
	p.says("2 series, 48 samples")
	p.says("1 series, 24 samples")
	p.run(chromedp.Click(chromedp.CSS(".legend .small")))
	p.until(`document.querySelectorAll('.legend tr.hidden').length === 1 && /q0.only=oak.cpu/.test(location.hash)`)
	p.run(chromedp.Click(chromedp.CSS(".legend .small")))
	p.until(`document.querySelectorAll('.legend tr.hidden').length === 0`)
	p.run(chromedp.Click(chromedp.CSS(".swatch")))
	p.until(`document.querySelectorAll('.legend tr.hidden').length === 1 && /q0.hide=oak.cpu/.test(location.hash)`)

	p.run(chromedp.ScrollIntoView(chromedp.CSS(".u-over")))
	box, err := chromedp.Run(p.ctx, chromedp.Evaluate[struct{ X, Y, Width, Height float64 }](`document.querySelector('.u-over').getBoundingClientRect().toJSON()`))
	if err != nil {
		t.Fatal(err)
	}
	p.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, box.X+box.Width/2, box.Y+box.Height/2))
	p.until(`[...document.querySelectorAll('.legend caption')].every((caption) => /Jun 13, 2006, (11:5|12:0)/.test(caption.innerText))`)

	p.run(does(`document.activeElement.blur()`), chromedp.KeyEvent("g"))
	p.until(`/log=1/.test(location.hash)`)
	p.says("1 values can’t be drawn: below or at zero")
	p.run(chromedp.KeyEvent("g0u"))
	p.until(`/zero=1/.test(location.hash) && !/log=1|utc=1/.test(location.hash)`)
	p.run(chromedp.KeyEvent("v"))
	p.until(`document.querySelectorAll('.panel table.values').length === 2`)

	p.run(does(`URL.createObjectURL = (blob) => (blob.text().then((text) => { window.saved = text; }), '#')`),
		does(`[...document.querySelectorAll('.tools button')].find((button) => button.innerText === 'CSV').click()`))
	p.until(`window.saved?.includes('palm.cpu') && window.saved.trim().split('\n').length >= 25`)

	p.visit("#explore")
	p.run(focus(editor), chromedp.KeyEvent("oak.cpu*2"+kb.Enter))
	p.until(`/q0=oak.cpu\*2/.test(location.hash)`)
	p.visit("#explore")
	p.run(chromedp.KeyEvent("h"))
	p.until(`document.querySelector('dialog[open] .history button')?.innerText === 'oak.cpu*2'`)
	p.run(chromedp.Click(chromedp.CSS("dialog .history button")))
	p.until(`/q0=oak.cpu\*2/.test(location.hash)`)
}

// TestCancel: a query that takes long can be cancelled.
func TestCancel(t *testing.T) {
	p := open(t, june("palm.cpu")...)
	p.visit("#explore?" + juneRange)
	p.run(does(`window.fetch = (_, {signal}) => new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason)))`),
		focus(editor), chromedp.KeyEvent("palm.cpu"+kb.Escape+kb.Enter))
	p.until(`document.querySelector('.ask button').innerText === 'Cancel'`)
	p.run(chromedp.Click(chromedp.CSS(".ask button")))
	p.says("Cancelled.")
	p.until(`document.querySelector('.ask button').innerText === 'Run'`)
}

// TestFreshNames: a name is completed as soon as it is there, though the page looked before.
func TestFreshNames(t *testing.T) {
	p := open(t, june("palm.cpu")...)
	for _, name := range []string{"palm.cpu", "palm.disk%"} {
		p.put("put " + name + " 1 1150156800")
		p.visit("#explore?" + juneRange)
		p.run(focus(editor), chromedp.KeyEvent("palm"))
		p.until(fmt.Sprintf(`document.querySelector('.cm-tooltip-autocomplete')?.innerText.includes(%q)`, name))
	}
	// Without loading the page again.
	p.put("put palm.new 1 1150156800")
	p.run(chromedp.KeyEvent(kb.Escape+"."+kb.Backspace+"."), does(`document.querySelector('.cm-content').blur()`), focus(editor), chromedp.KeyEvent("n"))
	p.until(`document.querySelector('.cm-tooltip-autocomplete')?.innerText.includes('palm.new')`)
}

// TestTouch: a finger zooms as a mouse does.
func TestTouch(t *testing.T) {
	p := open(t, june("palm.cpu")...)
	p.visit("#explore?q0=palm.cpu&" + juneRange)
	p.says("1 series, 24 samples")
	p.until(`document.querySelector('.u-over')?.clientWidth > 0`)
	p.run(does(`(() => {
		const over = document.querySelector('.u-over'), box = over.getBoundingClientRect();
		over.setPointerCapture = () => {};
		const send = (type, part) => over.dispatchEvent(new PointerEvent(type, {pointerId: 7, pointerType: 'touch', clientX: box.x + box.width * part, clientY: box.y + 50, bubbles: true}));
		send('pointerdown', 0.27); send('pointermove', 0.5); send('pointermove', 0.73); send('pointerup', 0.73);
	})()`))
	p.until(`/from=2006-06-13T06/.test(location.hash)`)
}

// TestHover: a name under the pointer tells its type and its help, as its sender told them.
func TestHover(t *testing.T) {
	p := open(t)
	const sent = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"palm.water","unit":"By","description":"What <b>evaporates</b>.",
		"sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"timeUnixNano":"1150156800000000000","asDouble":7}]}}]}]}]}`
	answer, err := http.Post(p.address+"v1/metrics", "application/json", strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
	p.visit("#explore?q0=rate(palm_water_bytes_total[5m])&" + juneRange)
	p.until(`document.querySelector('.cm-line')?.innerText.includes('palm_water')`)
	box, err := chromedp.Run(p.ctx, chromedp.Evaluate[struct{ X, Y, Width, Height float64 }](`(() => {
		const line = document.querySelector('.cm-line'), range = document.createRange(), walk = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
		while (walk.nextNode() && !walk.currentNode.data.includes('palm_water')) { }
		range.setStart(walk.currentNode, walk.currentNode.data.indexOf('palm_water'));
		range.setEnd(walk.currentNode, range.startOffset + 'palm_water'.length);
		return range.getBoundingClientRect().toJSON();
	})()`))
	if err != nil {
		t.Fatal(err)
	}
	p.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, box.X+box.Width/2, box.Y+box.Height/2))
	p.until(`/counter/.test(document.querySelector('.cm-tooltip-hover').innerText) && document.querySelector('.cm-tooltip-hover').innerText.includes('What <b>evaporates</b>.')`)
	p.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 1, 1))
	p.until(`document.querySelector('.cm-tooltip-hover') === null`)
}
