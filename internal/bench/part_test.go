package bench

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"metricd/internal/lineproto"
)

// TestRepliesCutAnywhere checks that the count of replies does not depend on how they are
// cut into reads.
func TestRepliesCutAnywhere(t *testing.T) {
	const ok, bad = lineproto.OK, "error\nno\n\n"
	for _, text := range []string{strings.Repeat(ok, 9), ok + ok + bad + ok + bad + ok + ok, bad + ok} {
		for first := range len(text) + 1 {
			for second := first; second <= len(text); second++ {
				a := &ackReader{tally: newTally(), marks: make(chan mark)}
				for _, chunk := range []string{text[:first], text[first:second], text[second:]} {
					if err := a.take([]byte(chunk)); err != nil {
						t.Fatal(err)
					}
				}
				errs := strings.Count(text, bad)
				oks := strings.Count(text, "ok")
				if a.tally.acked != int64(oks) || a.tally.errors != int64(errs) || a.replies != int64(oks+errs) || a.part != 0 || len(a.pending) != 0 {
					t.Fatalf("%q cut at %d and %d: %d ok, %d errors, %d replies, %d + %d bytes left", text, first, second,
						a.tally.acked, a.tally.errors, a.replies, a.part, len(a.pending))
				}
			}
		}
	}
}

func TestMarks(t *testing.T) {
	marks := make(chan mark, 3)
	a := &ackReader{tally: newTally(), marks: marks, start: time.Now().Add(-time.Second)}
	marks <- mark{end: 2}
	marks <- mark{end: 5}
	marks <- mark{end: 9}
	for replies, want := range []int64{0, 0, 1, 1, 1, 2, 2, 2, 2, 3} {
		a.replies = int64(replies)
		a.settle()
		if got := a.tally.hist.TotalCount(); got != want {
			t.Errorf("%d latencies after %d replies, want %d", got, replies, want)
		}
	}
	if p50 := a.tally.latency().P50; p50 < 1e6 {
		t.Errorf("p50 is %v us of writes a second ago", p50)
	}
}

// TestTalk checks the portable way to drive dialogs.
func TestTalk(t *testing.T) {
	s := new(mapServer).serve(t)
	cfg, _, err := small(s, "single").resolve()
	if err != nil {
		t.Fatal(err)
	}
	conns, err := dial(t.Context(), cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(conns)
	var dialogs []*dialog
	for _, cur := range split(testLoad(t, 30, 40, 1, shuffled), 3) {
		dialogs = append(dialogs, putDialog(cur, cur.left))
	}
	total := newTally()
	if err := talk(t.Context(), conns, dialogs, time.Minute, total); err != nil {
		t.Fatal(err)
	}
	_, samples := s.state()
	if total.acked != 1200 || samples != 1200 {
		t.Errorf("%d acknowledged, %d stored, want 1,200", total.acked, samples)
	}
}

func TestDialogTake(t *testing.T) {
	const want = "ok\nk 1.0 1\n\n"
	for _, c := range []struct {
		reply string
		right bool
	}{{want, true}, {"ok\n\n", false}, {"error\nfull\n\n", false}, {"ok\nk 1.0 2\n\n", false}, {want + want, false}} {
		for cut := range len(c.reply) {
			sent := false
			d := &dialog{end: "\n\n", next: func(dst []byte) ([]byte, []byte) {
				if sent {
					return nil, nil
				}
				sent = true
				return append(dst, "get k\n"...), []byte(want)
			}}
			if !d.advance() {
				t.Fatal("no request")
			}
			done := false
			for _, chunk := range []string{c.reply[:cut], c.reply[cut:]} {
				if done { // a reply too many is for the next request to find
					break
				}
				var err error
				if done, err = d.take([]byte(chunk)); err != nil {
					t.Fatal(err)
				}
			}
			if !done {
				t.Fatalf("%q cut at %d is not complete", c.reply, cut)
			}
			if right := d.wrong() == ""; right != c.right && cut != len(want) {
				t.Errorf("%q cut at %d: right is %v", c.reply, cut, right)
			}
			if d.advance() {
				t.Error("a request too many")
			}
		}
	}
}

func TestEndlessReply(t *testing.T) {
	d := &dialog{end: "\n\n", want: []byte("ok\n\n"), request: []byte("get k\n")}
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	for range 2 * maxOther / len(chunk) {
		if _, err := d.take(chunk); err != nil {
			return
		}
	}
	t.Error("a reply without an end was held without a bound")
}

func TestRowsHeldOrMade(t *testing.T) {
	l := testLoad(t, 7, 11, 1, forward)
	held, made := l.rowsOf(1<<20), l.rowsOf(0)
	for s := range l.series {
		if a, b := held(s), made(s); !bytes.Equal(a, b) || bytes.Count(a, []byte("\n")) != 11 {
			t.Errorf("series %d: %q held, %q made", s, a, b)
		}
	}
}

func TestMatchNamesTheRow(t *testing.T) {
	l := testLoad(t, 3, 5, 1, forward)
	want := l.appendRows(nil, 1, 0, 5)
	for at := range want {
		got := bytes.Clone(want)
		got[at] ^= 1
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Write(got)
			_, _ = theirs.Write([]byte("\n\n"))
			theirs.Close()
		}()
		err := newReplies(ours, time.Minute).match(want)
		row := strings.SplitAfter(string(want), "\n")[bytes.Count(want[:at], []byte("\n"))]
		if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(row, "\n")) {
			t.Errorf("byte %d changed: %v, want the row %q", at, err, row)
		}
		ours.Close()
	}
}

// BenchmarkGetAll gives the cost of a row of a reply to get *: reading and comparing it.
func BenchmarkGetAll(b *testing.B) {
	l := testLoad(b, 100, 1000, 1, forward)
	reply := []byte(lineproto.GetHead)
	for s := range l.series {
		reply = l.appendRows(reply, s, 0, l.samples)
	}
	reply = append(reply, lineproto.GetTail...)
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		defer theirs.Close()
		request := make([]byte, 100)
		for {
			if _, err := theirs.Read(request); err != nil {
				return
			}
			if _, err := theirs.Write(reply); err != nil {
				return
			}
		}
	}()
	p := newReplies(ours, time.Minute)
	rowsOf := l.rowsOf(maxReplies)
	rows := int64(0)
	for b.Loop() {
		n, err := p.all(l, rowsOf)
		if err != nil {
			b.Fatal(err)
		}
		rows += n
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

func TestFigures(t *testing.T) {
	result := func(perSecond, p50 float64) Result {
		return Result{Unit: samplesUnit, PerSecond: perSecond, Latency: &Latency{P50: p50}, Server: &Server{RSSAfter: 2e6, RSSPerSample: 16.3}}
	}
	find := func(figures []Figure, name string) Figure {
		for _, f := range figures {
			if f.Name == name {
				return f
			}
		}
		t.Fatalf("no figure %q in %v", name, figures)
		return Figure{}
	}
	odd := summarise([]Result{result(30, 5), result(10, 9), result(20, 7)})
	if got, want := find(odd, "acknowledged"), (Figure{"acknowledged", "samples/s", 20, 10, 30}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := find(odd, "latency p50"), (Figure{"latency p50", "us", 7, 5, 9}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	even := summarise([]Result{result(40, 5), result(10, 9), result(20, 7), result(30, 1)})
	if got := find(even, "acknowledged"); got.Median != 25 {
		t.Errorf("median %v of four, want 25", got.Median)
	}
	if got := find(even, "server RSS growth a sample"); got.Median != 16.3 {
		t.Errorf("growth %v, want 16.3", got.Median)
	}
}

func TestNote(t *testing.T) {
	r := &run{cfg: Config{PID: 1, Series: 10}, result: &Result{Unit: samplesUnit}, tally: newTally()}
	r.tally.acked = 2_000_000
	r.note(4, reading{selfCPU: 1, serverCPU: 10, serverRSS: 1e6}, reading{selfCPU: 1.5, serverCPU: 10.25, serverRSS: 41e6})
	want := Server{CPU: 0.125, RSSBefore: 1e6, RSSAfter: 41e6, RSSPerSample: 20, RSSPerSeries: 4e6}
	if *r.result.Server != want || r.result.PerSecond != 500_000 || r.result.ClientCPU != 0.25 {
		t.Errorf("%+v, %+v, want %+v", *r.result.Server, *r.result, want)
	}
	r.tally.acked = 0
	r.note(0, reading{}, reading{})
	if r.result.PerSecond != 0 || r.result.ClientCPU != 0 {
		t.Errorf("nothing acknowledged: %+v", *r.result)
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0.05512: "0.0551", 16.34: "16.3", 1234567.6: "1,234,568", -1234: "-1,234", 999: "999.0", -123456: "-123,456"} {
		if got := number(v); got != want {
			t.Errorf("%v is printed %s, want %s", v, got, want)
		}
	}
}
