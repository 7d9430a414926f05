package lineproto

import (
	"math"
	"slices"
	"strconv"
	"testing"
)

// FuzzRequests: any bytes, cut into reads at any places, are the requests that the naive
// reading finds in the whole, with small limits and with the default ones.
func FuzzRequests(f *testing.F) {
	for _, input := range []string{
		"put test_key 12.0 1503319740\nput test_key 13.0 1503319740\r\nget test_key \nget *\n",
		"put k 1.5 5\nput k 1.5 5\nput k 1.5 55\nput k -.5e-3 -5\n",
		"put kkkkkkkkkkkkkkkk 1 1\nput kkkkkkkkkkkkkkkkk 1 1\n",
		"\n \r\n\t\nput  k\t1 2 \n",
		"put * 1 2\nget\nput\ngot k\nput k 0x1 2\nput k 1_0 2\nput k 1 5.0\n",
		"put ключ inf 1\nput \xff nan 1\nput a\x00 1 1\nput k NaN 9000000000000001\n",
		"put kkkkkkkk 51.846000000000004 1700000000                              \nget kkkkk\nput k 1 2",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"put k 9007199254740993.0000001 +12\nput k 123456789.12345678 0001503319740\n",
	} {
		f.Add([]byte(input), []byte{})
		f.Add([]byte(input), []byte{0})
		f.Add([]byte(input), []byte{3, 0, 17, 80})
	}
	f.Fuzz(func(t *testing.T, input, cuts []byte) {
		for _, p := range []*Parser{{MaxLine: 40, MaxKey: 16}, {}} {
			want := refRequests(input, p.maxLine(), p.maxKey())
			for _, cuts := range [][]byte{nil, cuts, {0}} {
				fresh := &Parser{MaxLine: p.MaxLine, MaxKey: p.MaxKey}
				got, err := readRequests(fresh, input, cuts)
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%q with line limit %d in reads of %v:\n got %q, %v\nwant %q", input, p.maxLine(), cuts, got, err, want)
				}
			}
		}
	})
}

// FuzzReplies: any bytes, cut into reads at any places, have the parts of the whole.
func FuzzReplies(f *testing.F) {
	for _, input := range []string{
		OK + OK + WrongCommand + OK,
		"ok\ntest_key 13.0 1503319739\ntest_key 12.0 1503319740\nanother_key 10.0 1503319739\n\n",
		"ok\nk nan -1\nk -inf 1\nk 1e+16 0\n\nerror\ndisk full\n\n",
		"error\none\ntwo\n\n", "error\n\n\n", "\n\n", "ok\nk 1\n\n", "ok\nk  1\n", "ok\n", "ok",
	} {
		f.Add([]byte(input), []byte{})
		f.Add([]byte(input), []byte{2, 0, 9})
	}
	f.Fuzz(func(t *testing.T, input, cuts []byte) {
		want := readReplies(new(ReplyParser), input, nil)
		for _, cuts := range [][]byte{cuts, {0}} {
			if got := readReplies(new(ReplyParser), input, cuts); !slices.Equal(got, want) {
				t.Fatalf("%q in reads of %v:\n got %q\nwant %q", input, cuts, got, want)
			}
		}
		for _, part := range want {
			if len(part) > 3 && part[:3] == "BUG" {
				t.Fatalf("%q: %s", input, part)
			}
		}
	})
}

// FuzzRoundTrip: what is printed reads back, with the bits of the value (any NaN as one).
func FuzzRoundTrip(f *testing.F) {
	for i, v := range []float64{0, math.Copysign(0, -1), 1, -0.5, 51.84, 51.846000000000004, 1e16, 1e15, 1e-5, 1e-4, 5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()} {
		f.Add("test_key", math.Float64bits(v), int64(1503319740+i))
		f.Add("ключ;a=b", math.Float64bits(-v), int64(-i))
	}
	f.Add("*", uint64(1), int64(MaxTimestamp))
	f.Add("a b", uint64(0x7ff0000000000001), int64(-MaxTimestamp))
	f.Add("\xff", uint64(0xfff8000000000000), int64(math.MinInt64))
	f.Add("k", uint64(0x4340000000000001), int64(math.MaxInt64))
	var times TimePrinter
	f.Fuzz(func(t *testing.T, key string, bits uint64, sec int64) {
		for _, sec := range []int64{sec, sec / 10_000 * 10_000, sec} {
			if got, want := string(times.Append(nil, sec)), strconv.FormatInt(sec, 10); got != want {
				t.Fatalf("TimePrinter: got %s, want %s", got, want)
			}
		}
		v := math.Float64frombits(bits)
		sec = max(-MaxTimestamp, min(sec, MaxTimestamp))
		line := string(AppendPut(nil, key, v, sec))
		want := event(Put, key, v, sec)
		if refLine(line[:len(line)-1], DefaultMaxLine, DefaultMaxKey) != want {
			return // no such key can be put: FuzzRequests has it
		}
		if got, err := readRequests(new(Parser), []byte(line+line), nil); err != nil || !slices.Equal(got, []string{want, want}) {
			t.Fatalf("%q: got %q, %v, want %q twice", line, got, err, want)
		}
		reply := AppendRow([]byte(GetHead), key, v, sec)
		reply = append(reply, GetTail...)
		if got := readReplies(new(ReplyParser), reply, nil); !slices.Equal(got, []string{"ok", want, "end"}) {
			t.Fatalf("%q: got %q, want %q", reply, got, want)
		}
		get := event(Get, key, 0, 0)
		if got, err := readRequests(new(Parser), AppendGet(nil, key), nil); err != nil || !slices.Equal(got, []string{get}) {
			t.Fatalf("get: got %q, %v, want %q", got, err, get)
		}
	})
}
