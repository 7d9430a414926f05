package graphite

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
)

// noon is what the clock of the tests says.
var noon = time.UnixMilli(1_700_000_000_987)

func clock() time.Time { return noon }

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		line string
		want string // key, milliseconds, value; blank, skipped, or wrong: why
	}{
		{"a.b 1 1503319740", "a.b 1503319740000 1"},
		{"a.b 1 1503319740\r", "a.b 1503319740000 1"},
		{" \ta.b  -1.5e3\t1503319740 ", "a.b 1503319740000 -1500"},
		{"cpu;host=x;core=1 1 1", "cpu;host=x;core=1 1000 1"},
		{"größe;maß=é 1 1", "größe;maß=é 1000 1"},
		{"odd;tag 1 1", "odd;tag 1000 1"}, // opaque, as for put
		{"a inf 1", "a 1000 +Inf"},
		{"a -Infinity 1", "a 1000 -Inf"},
		{"a 1e400 1", "a 1000 +Inf"},
		{"a 1 -1", "a 1700000000987 1"},
		{"a 1 -1.0", "a 1700000000987 1"},
		{"a 1 -1.999999999999", "a 1700000000987 1"},
		{"a 1 -2", "a -2000 1"},
		{"a 1 -0.5", "a -500 1"},
		{"a 1 0", "a 0 1"},
		{"a 1 1503319740.123", "a 1503319740123 1"},
		{"a 1 1503319740.1239999", "a 1503319740123 1"},
		{"a 1 1.503319740123e9", "a 1503319740123 1"},
		{"a nan 1", "skipped"},
		{"a -NaN 1", "skipped"},
		{"", "blank"},
		{" \t\r", "blank"},
		{"a 1", "wrong: want: path value timestamp"},
		{"a", "wrong: want: path value timestamp"},
		{"a 1 1 1", "wrong: want: path value timestamp"},
		{"put a 1 1", "wrong: want: path value timestamp"},
		{"a x 1", "wrong: the value is no number"},
		{"a 0x10 1", "wrong: the value is no number"},
		{"a 1_0 1", "wrong: the value is no number"},
		{"a 1 N", "wrong: the timestamp is no number of seconds, or out of range"},
		{"a 1 nan", "wrong: the timestamp is no number of seconds, or out of range"},
		{"a nan N", "wrong: the timestamp is no number of seconds, or out of range"},
		{"a 1 1e30", "wrong: the timestamp is no number of seconds, or out of range"},
		{"* 1 1", "wrong: the path is not UTF-8, or has control characters, or is *"},
		{"a\x00 1 1", "wrong: the path is not UTF-8, or has control characters, or is *"},
		{"a\xff 1 1", "wrong: the path is not UTF-8, or has control characters, or is *"},
		{"a\r 1 1", "wrong: the path is not UTF-8, or has control characters, or is *"},
		{strings.Repeat("a", 31) + " 1 1", "wrong: the path is too long"},
	} {
		row, is, why := parse([]byte(tt.line), 30, clock)
		got := ""
		switch is {
		case blank:
			got = "blank"
		case skipped:
			got = "skipped"
		case wrong:
			got = "wrong: " + why
		case sample:
			got = fmt.Sprintf("%s %d %v", row.Key, row.T, row.V)
		}
		if got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.line, got, tt.want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"9000000000000000", 9_000_000_000_000_000_000, true},
		{"-9000000000000000", -9_000_000_000_000_000_000, true},
		{"9000000000000000.0009", 9_000_000_000_000_000_000, true},
		{"9000000000000000.001", 0, false},
		{"9000000000000001", 0, false},
		{"9223372036854775807", 0, false},
		{"99999999999999999999999999", 0, false},
		{"000000000000000000000000000000001.5", 1500, true},
		{"0.00000000000000000000000000000000001", 0, true},
		{"-0.00000000000000000000000000000000001", -1, true},
		{"1.0000000000000000000000000000000001", 1000, true},
		{"-2.0000000000000000000000000000000001", -2001, true},
		{"1e15", 1_000_000_000_000_000_000, true},
		{"90000000000000000000000e-7", 9_000_000_000_000_000_000, true},
		{"1e-999999999999999999999", 0, true},
		{"0e999999999999999999999", 0, true},
		{"1e999999999999999999999", 0, false},
		{"5.", 5000, true},
		{".5", 500, true},
		{"+7", 7000, true},
		{"", 0, false},
		{".", 0, false},
		{"-", 0, false},
		{"1e", 0, false},
		{"1e+", 0, false},
		{"e5", 0, false},
		{"1.2.3", 0, false},
		{"1x", 0, false},
		{"--1", 0, false},
		{"inf", 0, false},
	} {
		ms, _, ok := parseTime([]byte(tt.text))
		if ok != tt.ok || ok && ms != tt.want {
			t.Errorf("%s: got %d, %v, want %d, %v", tt.text, ms, ok, tt.want, tt.ok)
		}
	}
}

// FuzzParseTime compares with exact arithmetic: the greatest millisecond that is not later.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"1503319740.123", "-1", "-1.5e-3", "9000000000000000", "1e15", "123456789012345678901e-5", "+.5", "00.000"} {
		f.Add(s)
	}
	limit := new(big.Rat).SetInt64(9_000_000_000_000_000_000)
	f.Fuzz(func(t *testing.T, text string) {
		ms, _, ok := parseTime([]byte(text))
		if _, exp, found := strings.Cut(strings.ToLower(text), "e"); found && len(exp) > 3 || strings.ContainsAny(text, "_/xXbBoOpPiI") || len(text) > 100 {
			return // not decimal numbers, or more than big.Rat is to work on
		}
		exact, valid := new(big.Rat).SetString(text)
		if !valid {
			if ok {
				t.Fatalf("%q is taken as %d", text, ms)
			}
			return
		}
		exact.Mul(exact, big.NewRat(1000, 1))
		floor := new(big.Int).Div(exact.Num(), exact.Denom()) // Euclidean: down, since the denominator is positive
		whole := new(big.Rat).SetInt(new(big.Int).Quo(exact.Num(), exact.Denom()))
		if whole.Abs(whole).Cmp(limit) > 0 {
			if ok {
				t.Fatalf("%q is taken as %d, and is out of range", text, ms)
			}
			return
		}
		if want := max(floor.Int64(), -9_000_000_000_000_000_000); !ok || ms != want {
			t.Fatalf("%q: got %d, %v, want %d", text, ms, ok, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a 1 1", "a;b=c 1.5 -1", "a nan 5.5\r", "x  y", "\x00 1 1", "é 1 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\n") {
			return
		}
		row, is, why := parse([]byte(line), 100, clock)
		if (is == wrong) != (why != "") {
			t.Fatalf("%q: kind %d, why %q", line, is, why)
		}
		if is != sample {
			return
		}
		if math.IsNaN(row.V) || len(row.Key) > 100 || row.T < -9_000_000_000_000_000_000 || row.T > 9_000_000_000_000_000_000 {
			t.Fatalf("%q: %+v", line, row)
		}
		// Printed plainly it reads the same.
		if row.T < 0 {
			return // may be now, and is rounded again
		}
		again := fmt.Sprintf("%s %v %d.%03d", row.Key, row.V, row.T/1000, row.T%1000)
		second, is, why := parse([]byte(again), 100, clock)
		if is != sample || string(second.Key) != string(row.Key) || second.T != row.T || second.V != row.V {
			t.Fatalf("%q, printed as %q, reads as %+v (%s), want %+v", line, again, second, why, row)
		}
	})
}
