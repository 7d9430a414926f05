package browser

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"metricd"
)

// patience is how long anything may take before a test gives up.
const patience = 2 * time.Minute

// page is a browser with the page of a server of its own in it. Its methods end the test when they fail.
type page struct {
	t       testing.TB
	ctx     context.Context // chromedp's
	address string          // of the page
	line    string          // HOST:PORT of the line protocol

	mu struct {
		sync.Mutex
		complaints []string // of the browser
		away       bool     // requests may fail: the server is stopped
		allowed    []string // words of complaints that are none
	}
}

// serve starts a server, and returns what stops it; the end of the test does, if it was not called.
func serve(t testing.TB, cfg metricd.Config) (server *metricd.Server, stop func()) {
	t.Helper()
	server, err := metricd.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	serving, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(serving) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return server, stop
}

// open starts a server in memory and a browser, and puts samples: lines of the protocol.
func open(t testing.TB, lines ...string) *page {
	t.Helper()
	server, _ := serve(t, metricd.Config{Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0"})
	p := browse(t, server)
	p.put(lines...)
	return p
}

// browse starts a browser for the page of a server.
func browse(t testing.TB, server *metricd.Server) *page {
	t.Helper()
	limit := patience
	if _, ok := t.(*testing.B); ok {
		limit *= 10
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"),
		chromedp.WindowSize(1200, 900), chromedp.WSURLReadTimeout(patience))
	limited, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	allocator, cancel := chromedp.NewExecAllocator(limited, options...)
	t.Cleanup(cancel)
	p := &page{t: t, address: "http://" + server.HTTPAddr().String() + "/", line: server.Addr().String()}
	p.ctx, cancel = chromedp.NewContext(allocator, chromedp.WithListener(p.hear))
	t.Cleanup(cancel)
	t.Cleanup(p.complain)
	p.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		return err
	}))
	return p
}

// hear takes note of errors, and of requests to other hosts.
func (p *page) hear(event any) {
	complaint := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		complaint = "exception: " + e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		complaint = fmt.Sprintf("console: %s %v", e.Type, e.Args)
	case *log.EventEntryAdded:
		// A query that is wrong is answered with 400, of which the browser tells, too; and a test reads pixels more often than it likes.
		if !strings.Contains(e.Entry.Text, "status of 400") && !strings.HasPrefix(e.Entry.Text, "Canvas2D: Multiple readback") {
			complaint = "log: " + e.Entry.Text
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.address) && !strings.HasPrefix(e.Request.URL, "data:") && e.Request.URL != "about:blank" {
			complaint = "request: " + e.Request.URL
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if complaint != "" && !(p.mu.away && strings.Contains(complaint, "net::ERR_")) && !slices.ContainsFunc(p.mu.allowed, func(words string) bool { return strings.Contains(complaint, words) }) {
		p.mu.complaints = append(p.mu.complaints, complaint)
	}
}

// allow lets the browser complain of something that the test brings about.
func (p *page) allow(words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.allowed = append(p.mu.allowed, words)
}

func (p *page) complain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.mu.complaints {
		p.t.Error(c)
	}
}

func (p *page) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// visit opens the page with this behind the #.
func (p *page) visit(hash string) {
	p.t.Helper()
	p.run(chromedp.Navigate("about:blank"), chromedp.Navigate(p.address+hash), chromedp.WaitReady(chromedp.CSS("main")))
	if strings.HasPrefix(hash, "#explore") {
		p.run(chromedp.WaitReady(chromedp.CSS(".querybox[data-ready=true]")))
	}
}

// until waits until an expression of JavaScript is true; of what is not there yet it is not. chromedp's own Poll needs what the page's policy forbids.
func (p *page) until(condition string) {
	p.t.Helper()
	for {
		is, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("(() => { try { return Boolean("+condition+"); } catch (e) { if (e instanceof TypeError) return false; throw e; } })()"))
		if err != nil {
			p.t.Fatalf("%s: %v", condition, err)
		}
		if is {
			return
		}
		select {
		case <-p.ctx.Done():
			p.t.Fatalf("never came: %s", condition)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// says waits until a text is shown.
func (p *page) says(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// put sends lines of the protocol, and waits for their replies.
func (p *page) put(lines ...string) {
	p.t.Helper()
	if len(lines) == 0 {
		return
	}
	conn, err := net.Dial("tcp", p.line)
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		p.t.Fatal(err)
	}
	reply := make([]byte, len("ok\n\n"))
	for _, line := range lines {
		if _, err := io.ReadFull(conn, reply); err != nil || string(reply) != "ok\n\n" {
			p.t.Fatalf("%s: %q, %v", line, reply, err)
		}
	}
}
