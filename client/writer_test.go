package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// dialWriter connects with opts, quick to try again. The test must close it.
func dialWriter(t *testing.T, addr string, opts WriterOptions) *Writer {
	t.Helper()
	setDefault(&opts.MinBackoff, time.Millisecond)
	w, err := DialWriter(t.Context(), addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// putLines puts k FROM … k TO-1, each at the second of its value.
func putLines(t *testing.T, w *Writer, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := w.Put("k", float64(i), at(int64(i))); err != nil {
			t.Fatal(err)
		}
	}
}

// lineOf is the request line that putLines makes of i.
func lineOf(i int) string { return fmt.Sprintf("put k %d.0 %d", i, i) }

func (p *peer) wantLines(from, to int) {
	p.t.Helper()
	for i := from; i < to; i++ {
		p.want(lineOf(i))
	}
}

func flush(t *testing.T, w *Writer) {
	t.Helper()
	if err := w.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func closeWriter(t *testing.T, w *Writer) {
	t.Helper()
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWriter(t *testing.T) {
	var refused []PutError
	w := dialWriter(t, listen(t, func(n int, p *peer) {
		p.wantLines(0, 3)
		p.say("ok\n\nerror\nwrong command\n\nok\n\n")
		p.wantLines(3, 4)
		p.want("put \xff 1 2 3", "\tput a  b c\r")
		p.say("ok\n")
		p.say("\nerror\nseries limit")
		p.say(" reached\n")
		p.say("\nok\n\n")
		p.untilClosed()
	}), WriterOptions{OnError: func(e *PutError) { refused = append(refused, *e) }})
	putLines(t, w, 0, 3)
	flush(t, w)
	putLines(t, w, 3, 4)
	wantErr(t, w.Put("a b", 1, at(1)), ErrInvalid)
	for _, line := range []string{"", "\n", " \t\r\n"} {
		if err := w.PutLine([]byte(line)); err != nil {
			t.Error(err)
		}
	}
	for _, line := range []string{"get k", "put a 1 2\nput b 1 2", "GET / HTTP/1.1", "putt a 1 2", "\r\r", "put k 1 " + strings.Repeat("0", 64<<10)} {
		wantErr(t, w.PutLine([]byte(line)), ErrInvalid)
	}
	for _, line := range []string{"put \xff 1 2 3", "\tput a  b c\r\n"} {
		if err := w.PutLine([]byte(line)); err != nil {
			t.Error(err)
		}
	}
	closeWriter(t, w)
	want := []string{`line 2: "put k 1.0 1": server: wrong command`, `line 15: "put \xff 1 2 3": server: series limit reached`}
	if len(refused) != 2 || refused[0].Error() != want[0] || refused[1].Error() != want[1] {
		t.Errorf("got errors %v, want %q", refused, want)
	}
	if len(refused) > 0 && (!errors.Is(&refused[0], ErrWrongCommand) || errors.Is(&refused[1], ErrWrongCommand)) {
		t.Error("the sentinels don't tell the reasons apart")
	}
	wantErr(t, w.Put("k", 1, at(1)), ErrClosed)
	wantErr(t, w.PutLine([]byte("put k 1 1")), ErrClosed)
	wantErr(t, w.Close(t.Context()), ErrClosed)
}

func TestWriterWithoutOnError(t *testing.T) {
	w := dialWriter(t, listen(t, func(n int, p *peer) {
		p.wantLines(0, 3)
		p.say("error\nwrong command\n\nok\n\nerror\nother\n\n")
		p.untilClosed()
	}), WriterOptions{})
	putLines(t, w, 0, 3)
	err := w.Flush(t.Context())
	wantErr(t, err, ErrWrongCommand)
	if err == nil || !strings.Contains(err.Error(), `2 lines not stored, the first: line 1: "put k 0.0 0"`) {
		t.Errorf("got error %v", err)
	}
	closeWriter(t, w) // what was returned once is not returned again
}

// TestWriterResends loses connections after any number of replies, whole or not. A script that
// closes in an orderly way has read everything before, so that its replies arrive.
func TestWriterResends(t *testing.T) {
	var refused []int64
	w := dialWriter(t, listen(t, func(n int, p *peer) {
		switch n {
		case 0:
			p.wantLines(0, 10)
			p.say("ok\n\nok\n\nok\n\nok\n")
		case 1:
			p.say("error\ntoo many connections\n\n")
		case 2:
			p.wantLines(3, 10)
			p.say("error\nfull\n\nok\n\n")
		case 3:
			p.wantLines(5, 6)
			p.say("error\nfull\n")
			p.reset()
		case 4:
			p.wantLines(5, 10)
			p.say(strings.Repeat("ok\n\n", 5))
			p.wantLines(10, 12)
			p.say("ok\n\nok\n\n")
			p.untilClosed()
		default:
			t.Error("one connection too many")
		}
	}), WriterOptions{OnError: func(e *PutError) { refused = append(refused, e.Number) }})
	putLines(t, w, 0, 10)
	flush(t, w)
	putLines(t, w, 10, 12)
	closeWriter(t, w)
	if !slices.Equal(refused, []int64{4}) {
		t.Errorf("lines %v refused, want 4", refused)
	}
}

func TestWriterNoResend(t *testing.T) {
	var lost []string
	opts := WriterOptions{OnError: func(e *PutError) {
		if !errors.Is(e, ErrNotAcknowledged) {
			t.Errorf("got %v, want ErrNotAcknowledged", e)
		}
		lost = append(lost, fmt.Sprint(e.Number, " ", e.Line))
	}}
	opts.NoResend = true
	w := dialWriter(t, listen(t, func(n int, p *peer) {
		if n == 0 {
			p.wantLines(0, 3)
			p.say("ok\n\n")
			return
		}
		p.wantLines(3, 5)
		p.say("ok\n\nok\n\n")
		p.untilClosed()
	}), opts)
	putLines(t, w, 0, 3)
	flush(t, w)
	putLines(t, w, 3, 5)
	closeWriter(t, w)
	if want := []string{"2 put k 1.0 1", "3 put k 2.0 2"}; !slices.Equal(lost, want) {
		t.Errorf("lost %q, want %q", lost, want)
	}
}

// TestWriterIdle loses the connection while nothing waits for a reply: no line is lost, no
// attempt is made before there is something to send, and nothing is paused.
func TestWriterIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns := 0
		opts := WriterOptions{Options: pipe(Options{NoResend: true, Timeout: time.Second, RetryFor: -1}, func(n int, p *peer) {
			conns++
			p.line()
			p.say("ok\n\n")
			if n == 1 { // idle for long
				p.line()
				p.say("ok\n\n")
				p.untilClosed()
			}
		})}
		w := dialWriter(t, "pipe", opts)
		putLines(t, w, 0, 1)
		flush(t, w)
		synctest.Wait()
		if conns != 1 {
			t.Errorf("%d connections, want 1", conns)
		}
		putLines(t, w, 1, 2)
		flush(t, w)
		time.Sleep(time.Hour)
		putLines(t, w, 2, 3)
		closeWriter(t, w)
		if conns != 2 {
			t.Errorf("%d connections, want 2", conns)
		}
	})
}

// TestWriterBounds holds that Put blocks at the bound, that half of it acknowledged frees it, and that a blocked
// Put lets nothing linger.
func TestWriterBounds(t *testing.T) {
	for name, opts := range map[string]WriterOptions{
		"lines": {MaxLines: 10},
		"bytes": {MaxBytes: 10 * len(lineOf(0)+"\n")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := make(chan string)
				opts.Linger = time.Hour
				opts.Timeout = 2 * time.Hour
				opts.Options = pipe(opts.Options, func(_ int, p *peer) {
					for i := range 11 {
						if line := p.line(); line != lineOf(i) {
							t.Errorf("read %q, want %q", line, lineOf(i))
						}
						if i == 9 {
							p.say(<-answer)
							p.say(<-answer)
						}
					}
					p.say(strings.Repeat("ok\n\n", 6))
					p.untilClosed()
				})
				w := dialWriter(t, "pipe", opts)
				putLines(t, w, 0, 10)
				put := false
				go func() { putLines(t, w, 10, 11); put = true }()
				synctest.Wait()
				answer <- strings.Repeat("ok\n\n", 4)
				synctest.Wait()
				if put {
					t.Error("Put did not block at the bound")
				}
				answer <- "ok\n\n"
				synctest.Wait()
				if !put {
					t.Error("Put still blocks with half of the bound free")
				}
				closeWriter(t, w)
			})
		})
	}
}

func TestWriterLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		begin := time.Now()
		w := dialWriter(t, "pipe", WriterOptions{Linger: 70 * time.Millisecond, Options: pipe(Options{}, func(_ int, p *peer) {
			p.line()
			took = time.Since(begin)
			p.say("ok\n\n")
			p.untilClosed()
		})})
		putLines(t, w, 0, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		if took != 70*time.Millisecond {
			t.Errorf("sent after %v, want 70ms", took)
		}
		closeWriter(t, w)
	})
}

// TestWriterGivesUp holds that all lines are reported when the server stays away, and that
// a blocked Put and later calls say why.
func TestWriterGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost []int64
		opts := WriterOptions{MaxLines: 5, OnError: func(e *PutError) {
			wantErr(t, e, ErrNotAcknowledged)
			lost = append(lost, e.Number)
		}}
		opts.Options = pipe(Options{RetryFor: 10 * time.Second}, nil)
		w := dialWriter(t, "pipe", opts)
		begin := time.Now()
		putLines(t, w, 0, 5)
		wantErr(t, w.Put("k", 1, at(1)), errRefused)
		if d := time.Since(begin); d < 5*time.Second || d > 10*time.Second {
			t.Errorf("gave up after %v", d)
		}
		wantErr(t, w.Flush(t.Context()), errRefused)
		wantErr(t, w.Close(t.Context()), errRefused)
		if want := []int64{1, 2, 3, 4, 5}; !slices.Equal(lost, want) {
			t.Errorf("lost %v, want %v", lost, want)
		}
	})
}

// TestWriterContexts ends Flush and Close by their contexts while the server is silent, and while it is away.
func TestWriterContexts(t *testing.T) {
	for name, script := range map[string]func(int, *peer){"silent": func(_ int, p *peer) { p.untilClosed() }, "away": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lost []int64
				opts := WriterOptions{OnError: func(e *PutError) { lost = append(lost, e.Number) }}
				opts.Options = pipe(Options{MinBackoff: time.Hour, MaxBackoff: time.Hour, RetryFor: 9 * time.Hour, Timeout: 9 * time.Hour}, script)
				w := dialWriter(t, "pipe", opts)
				putLines(t, w, 0, 2)
				begin := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				wantErr(t, w.Flush(ctx), context.DeadlineExceeded)
				if len(lost) > 0 {
					t.Errorf("Flush lost lines %v", lost)
				}
				wantErr(t, w.Close(ctx), context.DeadlineExceeded)
				if want := []int64{1, 2}; !slices.Equal(lost, want) {
					t.Errorf("lost %v, want %v", lost, want)
				}
				if d := time.Since(begin); d != time.Second {
					t.Errorf("took %v, want 1s", d)
				}
			})
		})
	}
}

// TestWriterTimeout holds that a server that answers slowly is waited for, and one that does
// not answer at all is not.
func TestWriterTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := WriterOptions{Options: pipe(Options{Timeout: time.Second}, func(n int, p *peer) {
			if n == 0 {
				for range 5 {
					p.line()
					time.Sleep(900 * time.Millisecond)
					p.say("ok\n\n")
				}
				p.untilClosed() // reads the rest and says nothing
				return
			}
			for i := 5; i < 8; i++ {
				if line := p.line(); line != lineOf(i) {
					t.Errorf("read %q, want %q", line, lineOf(i))
				}
				p.say("ok\n\n")
			}
			p.untilClosed()
		})}
		w := dialWriter(t, "pipe", opts)
		begin := time.Now()
		putLines(t, w, 0, 8)
		flush(t, w)
		if d := time.Since(begin); d < 5500*time.Millisecond || d > 6*time.Second {
			t.Errorf("took %v, want 4.5s of slow replies, 1s without one and a short pause", d)
		}
		closeWriter(t, w)
	})
}

func TestWriterProtocolViolations(t *testing.T) {
	for _, reply := range []string{"ok\n\nok\n\n", "ok\n\nerror\nwrong command\n\n", "ok\nk 1.0 1\n\n", "hello\n"} {
		w := dialWriter(t, listen(t, func(n int, p *peer) {
			if n > 0 {
				t.Error("tried again")
			}
			p.line()
			p.say(reply)
			p.untilClosed()
		}), WriterOptions{OnError: func(*PutError) {}})
		putLines(t, w, 0, 1)
		<-w.done
		wantErr(t, w.Put("k", 1, at(1)), ErrProtocol)
		wantErr(t, w.Close(t.Context()), ErrProtocol)
	}
}

// TestWriterConcurrently holds the bound, and that each line has a number of its own, when many goroutines put
// and block.
func TestWriterConcurrently(t *testing.T) {
	const puts, maxLines = 4000, 10
	var numbers []int64
	opts := WriterOptions{MaxLines: maxLines, OnError: func(e *PutError) { numbers = append(numbers, e.Number) }}
	w := dialWriter(t, listen(t, func(_ int, p *peer) {
		for p.line() != "" {
			if n := p.in.Buffered() / len("put k 1.0 1\n"); n >= maxLines {
				t.Errorf("%d lines are on their way, want at most %d", n+1, maxLines)
			}
			p.say("error\nno\n\n")
		}
	}), opts)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for range puts / 40 {
				if err := w.Put("k", 1, at(1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	closeWriter(t, w)
	for i, n := range numbers {
		if n != int64(i+1) {
			t.Fatalf("line %d has number %d", i+1, n)
		}
	}
	if len(numbers) != puts {
		t.Errorf("%d lines refused, want %d", len(numbers), puts)
	}
}

// TestWriterPutAllocs holds that a put costs no allocation, batches and acknowledgements included.
func TestWriterPutAllocs(t *testing.T) {
	w := dialWriter(t, listen(t, func(_ int, p *peer) { acknowledge(p.Conn) }), WriterOptions{})
	putLines(t, w, 0, 200_000) // the batches come to be
	line := []byte("put some.key 51.846000000000004 1700000000")
	if n := testing.AllocsPerRun(100, func() {
		for range 1000 {
			if w.Put("some.key", 51.84, at(1_700_000_000)) != nil || w.PutLine(line) != nil {
				t.Fatal("refused")
			}
		}
	}); n > 20 {
		t.Errorf("%v allocations in 2,000 puts", n)
	}
	closeWriter(t, w)
}
