package lineproto

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// readReplies parses input in reads that cuts gives the lengths of, cyclically; no cuts is one
// read. The last element says how it ended, unless everything was parsed.
func readReplies(p *ReplyParser, input, cuts []byte) (parts []string) {
	var part Part
	var buf []byte
	for i := 0; len(input) > 0; i++ {
		n := len(input)
		if len(cuts) > 0 {
			n = min(n, int(cuts[i%len(cuts)])+1)
		}
		buf = append(slices.Clone(buf), input[:n]...)
		input = input[n:]
		for {
			n, err := p.Next(buf, &part)
			if err != nil {
				if !errors.Is(err, ErrReply) || n != 0 {
					parts = append(parts, fmt.Sprintf("BUG: %d bytes, %v", n, err))
				}
				return append(parts, "not a reply")
			}
			if n < 0 || n > len(buf) || (n == 0) != (part.Kind == ReplyIncomplete) {
				return append(parts, fmt.Sprintf("BUG: %d bytes for kind %d", n, part.Kind))
			}
			if n == 0 {
				break
			}
			buf = buf[n:]
			switch part.Kind {
			case ReplyOK:
				parts = append(parts, "ok")
			case ReplyRow:
				parts = append(parts, event(Put, string(part.Key), part.Value, part.Time))
			case ReplyEnd:
				parts = append(parts, "end")
			case ReplyError:
				parts = append(parts, fmt.Sprintf("error %q", part.Reason))
			}
		}
	}
	if len(buf) > 0 {
		parts = append(parts, "cut short")
	}
	return parts
}

func TestReplies(t *testing.T) {
	row := func(key string, v float64, sec int64) string { return event(Put, key, v, sec) }
	const bad = "not a reply"
	for _, tt := range []struct {
		text string
		want []string
	}{
		{OK, []string{"ok", "end"}},
		{OK + WrongCommand + OK, []string{"ok", "end", `error "wrong command"`, "ok", "end"}},
		{GetHead + "test_key 13.0 1503319739\ntest_key 12.0 -3\n" + GetTail + OK, []string{"ok", row("test_key", 13, 1503319739), row("test_key", 12, -3), "end", "ok", "end"}},
		{"ok\nü;a=b nan 1\nk -inf 9000000000000000\nk -0.0 1\nk 1e-05 0\n\n", []string{"ok", row("ü;a=b", math.NaN(), 1), row("k", math.Inf(-1), 9e15), row("k", math.Copysign(0, -1), 1), row("k", 1e-5, 0), "end"}},
		{"ok\nok 1.0 1\nerror 2.0 2\n\n", []string{"ok", row("ok", 1, 1), row("error", 2, 2), "end"}},
		{"error\nerror\n\n", []string{`error "error"`}},
		{"error\ndisk full: 5 % left\n\n", []string{`error "disk full: 5 % left"`}},
		{"ok\n", []string{"ok"}},
		{"ok", []string{"cut short"}},
		{"ok\nk 1.0", []string{"ok", "cut short"}},
		{"error\n", []string{"cut short"}},
		{"error\nwrong command\n", []string{"cut short"}},
		{"\n", []string{bad}},
		{"OK\n\n", []string{bad}},
		{"ok \n\n", []string{bad}},
		{"ok\r\n\r\n", []string{bad}},
		{"HTTP/1.1 200 OK\r\n", []string{bad}},
		{"error\none\ntwo\n\n", []string{bad}},
		{"ok\nk\n", []string{"ok", bad}},
		{"ok\nk 1.0\n", []string{"ok", bad}},
		{"ok\n 1.0 1\n", []string{"ok", bad}},
		{"ok\nk  1\n", []string{"ok", bad}},
		{"ok\nk ten 1\n", []string{"ok", bad}},
		{"ok\nk 1.0 1.0\n", []string{"ok", bad}},
		{"ok\nk 1.0 1 2\n", []string{"ok", bad}},
		{"ok\nk 1.0 9000000000000001\n", []string{"ok", bad}},
		{"ok\nk 1.0 1\r\n", []string{"ok", bad}},
	} {
		for _, cuts := range [][]byte{nil, {0}, {1}, {4, 0}} {
			if got := readReplies(new(ReplyParser), []byte(tt.text), cuts); !slices.Equal(got, tt.want) {
				t.Errorf("%q in reads of %v is %q, want %q", tt.text, cuts, got, tt.want)
			}
		}
	}
}

func TestPrint(t *testing.T) {
	for got, want := range map[string]string{
		string(AppendRow(nil, "k", 10, 1503319739)):              "k 10.0 1503319739\n",
		string(AppendRow([]byte(GetHead), "ü", -0.5, -9e15)):     "ok\nü -0.5 -9000000000000000\n",
		string(AppendPut(nil, "a;b=c", 1e16, 0)):                 "put a;b=c 1e+16 0\n",
		string(AppendPut([]byte("get x\n"), "k", math.NaN(), 7)): "get x\nput k nan 7\n",
		string(AppendGet(nil, "*")):                              "get *\n",
		string(AppendGet([]byte("x"), "k")):                      "xget k\n",
		string(AppendError(nil, "wrong command")):                WrongCommand,
		string(AppendError([]byte(OK), "disk full")):             OK + "error\ndisk full\n\n",
		string(AppendError(nil, "")):                             "error\nunknown\n\n",
		string(AppendError(nil, "two\nlines\r\n\x00and\ta tab")): "error\ntwo lines   and a tab\n\n",
		string(AppendError(nil, "\n")):                           "error\n \n\n",
		string(AppendError(nil, "ключ")):                         "error\nключ\n\n",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestTimePrinter prints neighbours and strangers with one printer.
func TestTimePrinter(t *testing.T) {
	var p TimePrinter
	for _, around := range []int64{
		0, 9_999, 10_000, 1_503_319_740, 1_503_320_000, 1_503_319_999, 99_999_999, 100_000_000, -1_503_319_740, MaxTimestamp, -MaxTimestamp,
		math.MaxInt64 - 20, math.MinInt64 + 20, 123, 1_503_319_740,
	} {
		for sec := around - 12; sec <= around+12; sec++ {
			if got, want := string(p.Append([]byte("x"), sec)), "x"+strconv.FormatInt(sec, 10); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}

func TestPrintAllocs(t *testing.T) {
	dst := make([]byte, 0, 4096)
	var p TimePrinter
	sec := int64(1_700_000_000)
	for name, f := range map[string]func(){
		"AppendRow":   func() { AppendRow(dst, "host_0042.cpu.usage_user", 51.846000000000004, sec) },
		"AppendPut":   func() { AppendPut(dst, "host_0042.cpu.usage_user", 1.7976931348623157e308, sec) },
		"AppendGet":   func() { AppendGet(dst, "host_0042.cpu.usage_user") },
		"AppendError": func() { AppendError(dst, "disk full\n") },
		"TimePrinter": func() { p.Append(dst, sec); sec += 9_999 },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestReplyAllocs(t *testing.T) {
	input := []byte(OK + "ok\nk 51.846000000000004 1700000000\nü nan -1\n\n" + WrongCommand + strings.Repeat(OK, 3))
	var p ReplyParser
	var part Part
	if n := testing.AllocsPerRun(100, func() {
		for buf := input; len(buf) > 0; {
			n, err := p.Next(buf, &part)
			if n == 0 || err != nil {
				t.Fatal(n, err)
			}
			buf = buf[n:]
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
