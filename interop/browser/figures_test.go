package browser

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// call is a command of the browser's protocol.
func call[P, R any](p *page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	r, err := chromedp.Run(p.ctx, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) })
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// number evaluates an expression, or what it promises.
func (p *page) number(expression string) float64 {
	p.t.Helper()
	n, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return n
}

// fifty puts samples of 50 series up to now, so many of each, so far apart.
func (p *page) fifty(samples int, apart time.Duration) {
	p.t.Helper()
	end := time.Now().Unix()
	for series := range 50 {
		lines := make([]string, samples)
		for i := range lines {
			lines[i] = fmt.Sprintf("put many.load;host=n%d %d %d", series, series*100+(i*i)%97, end-int64(i)*int64(apart/time.Second))
		}
		p.put(lines...)
	}
}

// BenchmarkFirstPlot is the time from asking for the page, of which the browser has nothing yet, to a plot with its legend.
func BenchmarkFirstPlot(b *testing.B) {
	var sum float64
	for b.Loop() {
		p := open(b, june("palm.cpu")...)
		call(p, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `
			const look = () => document.querySelector('.legend .value') ? window.plotted = performance.now() : requestAnimationFrame(look);
			look();`})
		p.visit("#explore?q0=palm.cpu&" + juneRange)
		p.until("window.plotted")
		sum += p.number("window.plotted")
	}
	b.ReportMetric(sum/float64(b.N), "ms/plot")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRedraw is the time from a key, which begins the axis at zero, to 50 lines of 2,000 points drawn anew, and that of drawing alone.
func BenchmarkRedraw(b *testing.B) {
	p := open(b)
	p.fifty(2000, time.Second)
	p.visit("#explore?q0=many.load&range=33m20s")
	p.says("50 series, ")
	p.run(chromedp.Evaluate[chromedp.Void](`{
		const clear = CanvasRenderingContext2D.prototype.clearRect;
		CanvasRenderingContext2D.prototype.clearRect = function (...args) {
			const began = performance.now();
			clear.apply(this, args);
			queueMicrotask(() => { window.drawn = { began, ended: performance.now() }; });
		};
	}; undefined`))
	var all, drawing float64
	for b.Loop() {
		all += p.number(`new Promise((done) => {
			delete window.drawn;
			const began = performance.now();
			document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '0', bubbles: true }));
			const look = () => window.drawn ? done(window.drawn.ended - began) : setTimeout(look);
			look();
		})`)
		drawing += p.number("window.drawn.ended - window.drawn.began")
	}
	b.ReportMetric(all/float64(b.N), "ms/redraw")
	b.ReportMetric(drawing/float64(b.N), "ms/drawing")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLive is the heap of the page after a minute of looks once a second at 50 series, and after an hour of them, at a speed of 50 to 1.
func BenchmarkLive(b *testing.B) {
	for b.Loop() {
		p := open(b)
		p.fifty(360, 10*time.Second)
		call(p, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `
			const slow = setInterval, ask = fetch;
			window.looks = 0;
			window.setInterval = (act, ms) => slow(act, ms / 50);
			window.fetch = (...args) => { window.looks += /query\?|query$/.test(args[0]) ? 0.5 : 0; return ask(...args); };`})
		p.visit("#explore?q0=many.load&range=1h&live=1s")
		p.says("50 series, ")
		heap := func() float64 {
			call(p, heapprofiler.CollectGarbage, cdp.Empty{})
			return call(p, runtime.GetHeapUsage, cdp.Empty{}).UsedSize / 1e6
		}
		for _, looks := range []int{60, 1800, 3600} {
			p.until(fmt.Sprintf("window.looks >= %d", looks))
			b.ReportMetric(heap(), fmt.Sprintf("MB-after-%d", looks))
		}
	}
	b.ReportMetric(0, "ns/op")
}
