package lineproto

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestRequests holds what each line means. Events are those of refLine, to which the table is
// applied as well.
func TestRequests(t *testing.T) {
	put := func(key string, v float64, sec int64) string { return event(Put, key, v, sec) }
	get := func(key string) string { return event(Get, key, 0, 0) }
	const all, bad, blank = "get all", "malformed", ""
	long := func(n int) string { return strings.Repeat("k", n) }
	for _, tt := range []struct{ line, want string }{
		// tokens and spaces
		{"put test_key 12.0 1503319740", put("test_key", 12, 1503319740)},
		{"put k 1 2\r", put("k", 1, 2)},
		{"put k 1 2 \r", put("k", 1, 2)},
		{"put k 1 2\t \r", put("k", 1, 2)},
		{"put k 1 2\r ", bad},
		{"put k 1 2\r\r", bad},
		{"\rput k 1 2", bad},
		{" put k 1 2", put("k", 1, 2)},
		{"\tput\tk\t1\t2\t", put("k", 1, 2)},
		{"put  \t k  1 \t\t 2", put("k", 1, 2)},
		{"put k 1\u00a02", bad},
		{"put k\v1 2", bad},
		{"get test_key ", get("test_key")},
		{"get\ttest_key", get("test_key")},
		{"  get   k\r", get("k")},
		{"get *", all},
		{"\tget  * \r", all},
		{"", blank},
		{" ", blank},
		{"\t \t", blank},
		{"\r", blank},
		{"  \r", blank},
		{"\r\r", bad},
		{"\x00", bad},
		{"\v", bad},
		// commands and the number of tokens
		{"got test_key", bad},
		{"GET k", bad},
		{"Put k 1 2", bad},
		{"PUT k 1 2", bad},
		{"gett k", bad},
		{"ge k", bad},
		{"putk 1 2", bad},
		{"getk", bad},
		{"get", bad},
		{"put", bad},
		{"put k", bad},
		{"put k 1", bad},
		{"put k 1 2 3", bad},
		{"put k 1 2 host=a", bad},
		{"get k k", bad},
		{"get * *", bad},
		{"get k *", bad},
		{"*", bad},
		{"quit", bad},
		{"put k 1 2; put k 1 2", bad},
		{"put k 1, 2", bad},
		// keys
		{"put * 1 2", bad},
		{"put ** 1 2", put("**", 1, 2)},
		{"put *a 1 2", put("*a", 1, 2)},
		{"get **", get("**")},
		{"put put 1 2", put("put", 1, 2)},
		{"get get", get("get")},
		{"put 1 2 3", put("1", 2, 3)},
		{"put a;b=c;d=e 1 2", put("a;b=c;d=e", 1, 2)},
		{`put "a" 1 2`, put(`"a"`, 1, 2)},
		{"put disk.used% 1 2", put("disk.used%", 1, 2)},
		{"put ключ 1 2", put("ключ", 1, 2)},
		{"put 温度🌡 1 2", put("温度🌡", 1, 2)},
		{"put a\u00a0b 1 2", put("a\u00a0b", 1, 2)},
		{"put \ufffd 1 2", put("\ufffd", 1, 2)},
		{"get \U0010ffff", get("\U0010ffff")},
		{"put \xff 1 2", bad},
		{"put a\xc3 1 2", bad},
		{"put \xc0\xaf 1 2", bad},
		{"put \xed\xa0\x80 1 2", bad},
		{"put \xf4\x90\x80\x80 1 2", bad},
		{"get abcdefgh\x80", bad},
		{"put a\x00b 1 2", bad},
		{"put a\x1fb 1 2", bad},
		{"put a\x7f 1 2", bad},
		{"put \u0080 1 2", bad},
		{"put \u009f 1 2", bad},
		{"get a\x1b[0m", bad},
		{"get a\rb", bad},
		{"put " + long(4096) + " 1 2", put(long(4096), 1, 2)},
		{"put " + long(4097) + " 1 2", bad},
		{"get " + long(4096), get(long(4096))},
		{"get " + long(4097), bad},
		{"put ü" + long(4094) + " 1 2", put("ü"+long(4094), 1, 2)},
		{"put ü" + long(4095) + " 1 2", bad},
		// values
		{"put k 10 1", put("k", 10, 1)},
		{"put k -0.5 1", put("k", -0.5, 1)},
		{"put k .5 1", put("k", .5, 1)},
		{"put k 5. 1", put("k", 5, 1)},
		{"put k 1e-3 1", put("k", 1e-3, 1)},
		{"put k 1E3 1", put("k", 1e3, 1)},
		{"put k +7 1", put("k", 7, 1)},
		{"put k 1.e+2 1", put("k", 100, 1)},
		{"put k -0 1", put("k", math.Copysign(0, -1), 1)},
		{"put k 00012.50 1", put("k", 12.5, 1)},
		{"put k inf 1", put("k", math.Inf(1), 1)},
		{"put k -Infinity 1", put("k", math.Inf(-1), 1)},
		{"put k +iNf 1", put("k", math.Inf(1), 1)},
		{"put k NaN 1", put("k", math.NaN(), 1)},
		{"put k -nan 1", put("k", math.NaN(), 1)},
		{"put k 1e400 1", put("k", math.Inf(1), 1)},
		{"put k -1e400 1", put("k", math.Inf(-1), 1)},
		{"put k 1e-400 1", put("k", 0, 1)},
		{"put k 51.846000000000004 1", put("k", 51.846000000000004, 1)},
		{"put k 123456789012345678901234567890 1", put("k", 123456789012345678901234567890, 1)},
		{"put k 0x10 1", bad},
		{"put k 0x1p-2 1", bad},
		{"put k 1_0 1", bad},
		{"put k ١ 1", bad},
		{"put k . 1", bad},
		{"put k - 1", bad},
		{"put k +-1 1", bad},
		{"put k e5 1", bad},
		{"put k 1e 1", bad},
		{"put k 1e+ 1", bad},
		{"put k 1.2.3 1", bad},
		{"put k 1,5 1", bad},
		{"put k infin 1", bad},
		{"put k nan(1) 1", bad},
		{"put k 1f 1", bad},
		{"put k ten 1", bad},
		{"put k 1\x00 1", bad},
		{"put k 1\r 1", bad},
		// timestamps
		{"put k 1 0", put("k", 1, 0)},
		{"put k 1 -1", put("k", 1, -1)},
		{"put k 1 +5", put("k", 1, 5)},
		{"put k 1 -0", put("k", 1, 0)},
		{"put k 1 007", put("k", 1, 7)},
		{"put k 1 " + strings.Repeat("0", 40) + "7", put("k", 1, 7)},
		{"put k 1 9000000000000000", put("k", 1, 9e15)},
		{"put k 1 -9000000000000000", put("k", 1, -9e15)},
		{"put k 1 9000000000000001", bad},
		{"put k 1 -9000000000000001", bad},
		{"put k 1 9223372036854775808", bad},
		{"put k 1 18446744073709551617", bad},
		{"put k 1 100000000000000000000000000000000005", bad},
		{"put k 1 5.0", bad},
		{"put k 1 5.", bad},
		{"put k 1 1e3", bad},
		{"put k 1 +", bad},
		{"put k 1 -", bad},
		{"put k 1 +-5", bad},
		{"put k 1 0x5", bad},
		{"put k 1 5s", bad},
		{"put k 1 1_0", bad},
		{"put k 1 ٥", bad},
		{"put k 1 5\x00", bad},
		// the length of the line
		{"get k" + strings.Repeat(" ", 64<<10-5), get("k")},
		{"get k" + strings.Repeat(" ", 64<<10-4), bad},
		{strings.Repeat(" ", 64<<10), blank},
		{strings.Repeat(" ", 64<<10+1), bad},
		{"put k 1 5" + strings.Repeat(" ", 64<<10-9), put("k", 1, 5)},
		{"put k 1 5" + strings.Repeat(" ", 64<<10-8), bad},
		{"put k " + strings.Repeat("0", 64<<10-9) + "1 5", put("k", 1, 5)},
		{"put k " + strings.Repeat("0", 64<<10-8) + "1 5", bad},
	} {
		var want []string
		if tt.want != blank {
			want = []string{tt.want}
		}
		p := new(Parser)
		for pass := range 2 { // the second with what the parser remembers
			got, err := readRequests(p, []byte(tt.line+"\n"), nil)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("pass %d: %.60q is %q, %v, want %q", pass, tt.line, got, err, want)
			}
		}
		if got := refLine(tt.line, DefaultMaxLine, DefaultMaxKey); got != tt.want {
			t.Errorf("reference: %.60q is %q, want %q", tt.line, got, tt.want)
		}
	}
}

// TestLimits holds both limits to the byte, on the plain path and beside it.
func TestLimits(t *testing.T) {
	p := &Parser{MaxLine: 20, MaxKey: 8}
	for _, tt := range []struct{ input, want string }{
		{"put kkkkkkkk 1.5 12\n", event(Put, "kkkkkkkk", 1.5, 12)},
		{"put kkkkkkkk 1.5 123\n", event(Put, "kkkkkkkk", 1.5, 123)},
		{"put kkkkkkkk 1.5 12\r\n", event(Put, "kkkkkkkk", 1.5, 12)},
		{"put kkkkkkkk 1.5 123\r\n", "malformed"}, // the \r counts
		{"put kkkkkkkk 1.5 1234\n", "malformed"},
		{"put kkkkkkkkk 1.5 1\n", "malformed"},
		{"put  kkkkkkkk 1.5 1\n", event(Put, "kkkkkkkk", 1.5, 1)},
		{"put  kkkkkkkkk 1.5 1\n", "malformed"},
		{"get kkkkkkkk\n", event(Get, "kkkkkkkk", 0, 0)},
		{"get kkkkkkkkk\n", "malformed"},
		{"get k               \n", event(Get, "k", 0, 0)},
		{"get k                \n", "malformed"},
	} {
		for _, cuts := range [][]byte{nil, {0}, {19}, {20}} {
			got, err := readRequests(p, []byte(tt.input), cuts)
			if err != nil || !slices.Equal(got, []string{tt.want}) {
				t.Errorf("%q in reads of %v is %q, %v, want %q", tt.input, cuts, got, err, tt.want)
			}
		}
	}
}

// TestLongLine holds that a line beyond the limit is malformed once, as soon as that can be told, and that
// what follows its end is read again, wherever it is cut.
func TestLongLine(t *testing.T) {
	p := &Parser{MaxLine: 10}
	var req Request
	if n := p.Next([]byte("0123456789"), &req); n != 0 || req.Kind != Incomplete {
		t.Fatalf("a line that may yet end: kind %d, took %d", req.Kind, n)
	}
	if n := p.Next([]byte("0123456789a"), &req); n != 11 || req.Kind != Malformed {
		t.Fatalf("a line that is too long: kind %d, took %d", req.Kind, n)
	}
	if p.Unanswered(nil) || p.Unanswered([]byte("x")) {
		t.Error("the rest of a long line wants an answer of its own")
	}
	if n := p.Next([]byte("put k 1 2"), &req); n != 9 || req.Kind != Blank {
		t.Fatalf("within the long line: kind %d, took %d", req.Kind, n)
	}
	if n := p.Next([]byte("put k 1 2\nget *\n"), &req); n != 10 || req.Kind != Blank {
		t.Fatalf("the end of the long line: kind %d, took %d", req.Kind, n)
	}
	if n := p.Next([]byte("get *\n"), &req); n != 6 || req.Kind != GetAll {
		t.Fatalf("behind the long line: kind %d, took %d", req.Kind, n)
	}
	input := "get a\n" + strings.Repeat("put k 1 2 ", 5) + "\nget b\n" + strings.Repeat(" ", 11) + "\n\nget c\n" + strings.Repeat("x", 30)
	want := []string{`get "a"`, "malformed", `get "b"`, "malformed", `get "c"`, "malformed"}
	for cut := range byte(40) {
		got, err := readRequests(&Parser{MaxLine: 10}, []byte(input), []byte{cut})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("in reads of %d: %q, %v, want %q", cut+1, got, err, want)
		}
	}
}

func TestIncomplete(t *testing.T) {
	const text = "put some.key 12.25 1503319740\r\n"
	p := new(Parser)
	var req Request
	for pass := range 2 {
		for n := range len(text) {
			if took := p.Next([]byte(text[:n]), &req); took != 0 || req.Kind != Incomplete {
				t.Errorf("pass %d: the first %d bytes: kind %d, took %d", pass, n, req.Kind, took)
			}
		}
		if took := p.Next([]byte(text+"put"), &req); took != len(text) || req.Kind != Put || string(req.Key) != "some.key" || req.Value != 12.25 || req.Time != 1503319740 {
			t.Errorf("pass %d: took %d: %+v", pass, took, req)
		}
	}
}

// TestRememberedTime follows one timestamp with others that have it as a prefix, or are one of it.
func TestRememberedTime(t *testing.T) {
	var input strings.Builder
	var want []string
	for _, end := range []string{"1503319740\n", "15033197401\n", "1503319740\r\n", "1503319740\n", "150331974\n", "1503319740 \n", "1503319740\r\r\n", "-1503319740\n", "1503319740\n"} {
		input.WriteString("put k 1.5 " + end)
		want = append(want, refLine("put k 1.5 "+strings.TrimSuffix(end, "\n"), 100, 100))
	}
	got, err := readRequests(new(Parser), []byte(input.String()), nil)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// TestNothing holds that an empty buffer is incomplete in every state: a caller that goes on until
// a line is incomplete must come to an end.
func TestNothing(t *testing.T) {
	p := &Parser{MaxLine: 10}
	var req Request
	for _, text := range []string{"", "get k\n", strings.Repeat("x", 11), "x"} {
		p.Next([]byte(text), &req)
		if n := p.Next(nil, &req); n != 0 || req.Kind != Incomplete {
			t.Errorf("nothing behind %q: kind %d, took %d, want %d and 0", text, req.Kind, n, Incomplete)
		}
	}
}

func TestUnanswered(t *testing.T) {
	for rest, want := range map[string]bool{
		"": false, " ": false, "\t \r": false, "\r": false,
		"p": true, "put k 1 2": true, "get *\r": true, "  x": true, "\r\r": true,
	} {
		if got := new(Parser).Unanswered([]byte(rest)); got != want {
			t.Errorf("Unanswered(%q) = %v, want %v", rest, got, want)
		}
	}
}

func TestFromBrowser(t *testing.T) {
	for line, want := range map[string]bool{
		"GET / HTTP/1.1\r\n":                true,
		"GET / HTTP/1.1":                    true,
		"POST /x?y=z HTTP/1.0\r\n":          true,
		"OPTIONS * HTTP/1.1\r\n":            true,
		"CONNECT host:80 HTTP/1.1\r\n":      true,
		"PRI * HTTP/2.0\r\n":                true,
		"\x16\x03\x01\x02\x00":              true,
		"GET /" + strings.Repeat("a", 1000): true, // its end was too far away
		"get / HTTP/1.1":                    true,
		"get k":                             false,
		"get /a/path":                       false,
		"put /a/path 1 2":                   false,
		"put k 1 2":                         false,
		"":                                  false,
		"GET":                               false,
		"GET k":                             false,
		"/ /":                               false,
		"put HTTP/1.1 1 2":                  false,
		"got something that is not HTTP at all ..": false,
	} {
		if got := FromBrowser([]byte(line)); got != want {
			t.Errorf("FromBrowser(%.30q) = %v, want %v", line, got, want)
		}
	}
}

func TestNextAllocs(t *testing.T) {
	for name, text := range map[string]string{
		"plain":      "put host_0042.cpu.usage_user 51.84 1700000000\n",
		"17 digits":  "put host_0042.cpu.usage_user 51.846000000000004 1700000000\n",
		"exponent":   "put  k 1.7976931348623157e308 -5\n",
		"tie":        "put k 9007199254740993 1\n",
		"long value": "put k 0." + strings.Repeat("3", 900) + " 1\n",
		"huge":       "put k 1e400 1\n",
		"nan":        "put k nan 1\n",
		"utf8":       "put ключ;a=b 1 1\n",
		"get":        "get host_0042.cpu.usage_user\n",
		"get all":    "get *\n",
		"malformed":  "put k ten 1700000000 host=a\n",
		"blank":      "\r\n",
		"unfinished": "put k 1.5 17000",
	} {
		p, buf := new(Parser), []byte(text)
		var req Request
		if n := testing.AllocsPerRun(100, func() { p.Next(buf, &req) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	p := &Parser{MaxLine: 100}
	long := []byte(strings.Repeat("x", 200) + "\n")
	var req Request
	if n := testing.AllocsPerRun(100, func() { p.Next(long[:150], &req); p.Next(long, &req) }); n != 0 {
		t.Errorf("long line: %v allocations", n)
	}
}
