package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestPin: a plot that is pinned in Explore is on the board, in another browser, too; there it is edited, and the first sees that.
func TestPin(t *testing.T) {
	t.Parallel()
	p := open(t, june("palm.cpu;host=a")...)
	p.visit("#explore?q0=palm.cpu&q0.unit=percent&" + juneRange)
	p.says("1 series, 24 samples")
	p.press("Pin")
	p.fill("Its name", "Trees / <b>")
	p.fill("Title of the plot", "Palm")
	p.press("Pin")
	p.says("Pinned to Trees / <b>.")
	p.visit("#explore?q0=palm.cpu*2&" + juneRange)
	p.says("1 series")
	p.press("Pin")
	p.until(`document.querySelector('dialog[open] select')?.value === '=Trees / <b>'`)
	p.press("Pin")
	p.says("Pinned to Trees / <b>.")
	p.run(chromedp.Click(chromedp.CSS(`.tools a[href^="#boards"]`)))
	p.order("Palm, palm.cpu*2")
	p.until(`document.querySelectorAll('.boardplot canvas').length === 2`)
	p.until(`document.querySelector('.boardplot .legend .value').innerText === '43 %'`)

	other := p.another()
	other.visit(at("Trees / <b>"))
	other.order("Palm, palm.cpu*2")
	other.press("edit Palm")
	other.fill("Title", "Date palm")
	other.run(chromedp.KeyEvent(kb.Enter))
	other.order("Date palm, palm.cpu*2")
	b, _ := p.board("Trees / <b>")
	if b.titles() != "Date palm, palm.cpu*2" || b.Plots[0].Unit != "percent" {
		t.Errorf("the server has %+v", b)
	}
	// The first, which is clean, takes the newer version over when it looks again.
	p.order("Date palm, palm.cpu*2")
	p.says("Someone else changed this board")
}

// TestBoardTwice: of two who change a board at once, nobody loses what they did, unless they say so.
func TestBoardTwice(t *testing.T) {
	t.Parallel()
	p := open(t, june("palm.cpu")...)
	p.allow("status of 412")
	faster := func(name string) {
		t.Helper()
		p.make(name, "", "palm.cpu", "palm.cpu+1")
		p.visit(at(name) + "&arrange=1")
		p.order("palm.cpu, palm.cpu+1")
		_, etag := p.board(name)
		// While a sheet is open, the board does not change below it.
		p.press("+ Add a plot")
		p.make(name, etag, "palm.cpu", "palm.cpu+1", "theirs")
		p.until(`document.querySelector('dialog[open] .querybox[data-ready=true]')`)
		p.run(focus("dialog "+editor), chromedp.KeyEvent("mine"))
		p.press("Save")
		p.says("Someone else changed this board while you changed it.")
		p.says("Only in yours: “mine”. Only in theirs: “theirs”.")
		if b, _ := p.board(name); b.titles() != "palm.cpu, palm.cpu+1, theirs" {
			t.Errorf("%s: before it is chosen, the server has %s", name, b.titles())
		}
	}
	faster("over")
	p.press("Show theirs")
	p.until(`[...document.querySelectorAll('.boardplot h3')].at(-1).innerText === 'theirs'`)
	p.press("Show theirs")
	p.until(`[...document.querySelectorAll('.boardplot h3')].at(-1).innerText === 'mine'`)
	p.press("remove palm.cpu+1") // still to be saved as well
	p.press("Save mine over theirs")
	p.order("palm.cpu, mine")
	if b, _ := p.board("over"); b.titles() != "palm.cpu, mine" {
		t.Errorf("over: the server has %s", b.titles())
	}

	faster("copy")
	p.press("Save mine as a copy")
	p.until(`location.hash.startsWith('#boards?board=copy+%28mine%29')`)
	p.order("palm.cpu, palm.cpu+1, mine")
	if b, _ := p.board("copy"); b.titles() != "palm.cpu, palm.cpu+1, theirs" {
		t.Errorf("copy: the server has %s", b.titles())
	}

	faster("theirs")
	p.press("Keep theirs, drop mine")
	p.order("palm.cpu, palm.cpu+1, theirs")
}

// TestArrange: plots are moved with keys and by dragging, widened, removed and taken back; all of it is kept.
func TestArrange(t *testing.T) {
	t.Parallel()
	p := open(t, june("palm.cpu")...)
	p.make("B", "", "1", "2", "3", "4")
	p.visit(at("B"))
	p.order("1, 2, 3, 4")
	p.run(chromedp.KeyEvent("a"))
	p.until(`document.querySelector('.grip')`)
	p.run(focus(`[data-plot="0"] .grip`), chromedp.KeyEvent(kb.ArrowRight))
	p.order("2, 1, 3, 4")
	p.until(`document.activeElement.closest('[data-plot="0"]') && document.activeElement.className === 'grip'`)
	p.says("1 is 2 of 4.")
	p.run(chromedp.KeyEvent(kb.End))
	p.order("2, 3, 4, 1")
	p.press("4 earlier")
	p.order("2, 4, 3, 1")

	middle := func(selector string) (x, y float64) {
		t.Helper()
		box, err := chromedp.Run(p.ctx, chromedp.Evaluate[struct{ X, Y, Width, Height float64 }](fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().toJSON()`, selector)))
		if err != nil {
			t.Fatal(err)
		}
		return box.X + box.Width/2, box.Y + box.Height/2
	}
	// Nothing moves any more: all is drawn, and the keyboard, to which the browser scrolls, is where it belongs.
	p.until(`document.querySelectorAll('.boardplot canvas').length === 4 && document.activeElement.closest('[data-plot="3"]')`)
	p.run(chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0)"))
	fromX, fromY := middle(`[data-plot="3"] .grip`)
	toX, toY := middle(`[data-plot="1"]`)
	p.run(chromedp.DragAndDropXY(fromX, fromY, toX, toY))
	p.order("4, 2, 3, 1")

	p.press("4 as wide as the board")
	p.until(`document.querySelector('[data-plot="3"]').clientWidth > 1100`)
	p.press("remove 3")
	p.order("4, 2, 1")
	p.press("Undo")
	p.order("4, 2, 3, 1")
	if b, _ := p.board("B"); b.titles() != "4, 2, 3, 1" || !b.Plots[0].Wide {
		t.Errorf("the server has %+v", b)
	}
	p.run(chromedp.EmulateViewport(390, 844))
	p.until(`document.documentElement.scrollWidth <= 390 && document.querySelectorAll('.boardplot')[1].clientWidth > 340`)
}
