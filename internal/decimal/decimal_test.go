package decimal

import (
	"bufio"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// checkParse compares Parse with what is wanted, and Scan with Parse.
func checkParse(t *testing.T, text string, want float64, wantOK bool) {
	t.Helper()
	v, ok := Parse([]byte(text))
	if ok != wantOK || !sameBits(v, want) {
		t.Errorf("Parse(%.60q) = %v %x, %v; want %v %x, %v", text, v, math.Float64bits(v), ok, want, math.Float64bits(want), wantOK)
	}
	checkScan(t, text, v, ok)
}

// checkScan compares Scan of text, where more follows and where nothing does, with v and
// ok, which are what Parse makes of it.
func checkScan(t *testing.T, text string, v float64, ok bool) {
	t.Helper()
	if strings.ContainsAny(text, " \t\r\n") {
		return // no token: Scan may take its beginning
	}
	for _, behind := range []string{" 1503319740\n", "\t1 2 3 4 5 6 7", "\n", "\r\n", " "} {
		got, n := Scan([]byte(text + behind))
		taken := n == len(text) && ok && sameBits(got, v)
		if !taken && (n != 0 || got != 0) {
			t.Errorf("Scan(%.60q) = %v, %d; Parse gives %v, %v", text+behind, got, n, v, ok)
		}
	}
	for _, behind := range []string{"", "x", "e1 123456789", "_0 123456789", "\x00 123456789", ".. 12345678", "\xa0 123456789"} {
		if got, n := Scan([]byte(text + behind)); n != 0 {
			t.Errorf("Scan(%.60q) = %v, %d, with nothing that ends it", text+behind, got, n)
		}
	}
}

func TestParse(t *testing.T) {
	inf, minusZero := math.Inf(1), math.Copysign(0, -1)
	for text, want := range map[string]float64{
		"10": 10, "-0.5": -0.5, ".5": 0.5, "5.": 5, "1e-3": 0.001, "+7": 7, "1E5": 1e5, "-.5e+1": -5, "0": 0, "-0": minusZero, "-0.0": minusZero,
		"inf": inf, "-Infinity": -inf, "+INF": inf, "1e400": inf, "-1e400": -inf, "1e-400": 0, "-1e-400": minusZero,
		"NaN": pythonNaN, "+nan": pythonNaN, "-nan": math.Copysign(pythonNaN, -1),
		"1e99999999999999999999": inf, "1e-99999999999999999999": 0, "0e99999999999999999999": 0,
		"99999999999999999999": 1e20, "12345678901234567890123": 1.2345678901234568e22,
	} {
		checkParse(t, text, want, true)
	}
	for _, text := range []string{
		"", "+", "-", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-", "1_0", "1_000.0", "0x10", "0x1p3", "0X1P3", "infin", "infinit", "nan1", "1.2.3", "..1",
		"--1", "+-1", "1-", " 1", "1 ", "1\t", "1\n", "1\x00", "\x001", "１", "٣", "1é", "1e5.0", "ınf", "\u212a", "i\xeef", "1,5", "/1", ":1", "1/", "1:",
	} {
		checkParse(t, text, 0, false)
	}
}

func TestScan(t *testing.T) {
	for text, want := range map[string]float64{
		"51.37": 51.37, "0.132": 0.132, "123456": 123456, "99.99": 99.99, "5.": 5, ".5": 0.5, "-0": math.Copysign(0, -1), "-.5": -0.5, "+7": 7,
		"1234567": 1234567, "12345678": 12345678, "123456.78": 123456.78, "-1234567": -1234567, "-12345.67": -12345.67, "9007199254740993": 9007199254740992,
		"51.846000000000004": 51.846000000000004, "0.000000000000000000000000001": 1e-27, "000000000000000000000000000001.50": 1.5,
	} {
		for _, end := range []string{" ", "\t", "\r", "\n"} {
			for _, behind := range []string{"", "1", "1503319740\n"} {
				if v, n := Scan([]byte(text + end + behind)); n != len(text) || !sameBits(v, want) {
					t.Errorf("Scan(%q) = %v, %d; want %v, %d", text+end+behind, v, n, want, len(text))
				}
			}
		}
	}
	for _, text := range []string{
		"", " ", " 1 ", "1", "1.5", "1503319740", ". 123456789", "- 123456789", "-. 12345678", "1..5 12345678", "1e5 12345678", "inf 12345678", "nan 12345678",
		"+-1 12345678", "1\v 12345678", "1\f 12345678", "1\x00 1234567", "1\x19 1234567", "1P 123456789", "1? 123456789", "\xb1 123456789",
		"123456789012345678901 ", "0.0000000000000000000000000001 ", "1_0 12345678", "1: 12345678", "1/ 12345678", "1.2p 12345678", "1.* 12345678",
	} {
		if v, n := Scan([]byte(text)); n != 0 || v != 0 {
			t.Errorf("Scan(%q) = %v, %d; want 0, 0", text, v, n)
		}
	}
}

// TestScanAllWords tries every byte at every place of the eight that Scan takes at once.
func TestScanAllWords(t *testing.T) {
	for _, text := range []string{"12345678 12345678\n", "51.37 1503319740\n", "-99.999 150331974\n", "1234567 15033197\n", ".1 2.3 4.5 6.7 8.9"} {
		for i := range 10 {
			for c := range 256 {
				line := []byte(text)
				line[i] = byte(c)
				token, _, _ := strings.Cut(strings.NewReplacer("\t", " ", "\n", " ", "\r", " ").Replace(string(line)), " ")
				want, ok := referenceParse(token)
				v, n := Scan(line)
				switch {
				case n == 0 && ok && pythonNumber.FindStringSubmatch(token)[3] == "" && token[len(token)-1] <= '9':
					t.Errorf("Scan(%q) takes nothing", line)
				case n > 0 && (!ok || n != len(token) || !sameBits(v, want)):
					t.Errorf("Scan(%q) = %v, %d; want %v", line, v, n, want)
				}
			}
		}
	}
}

func TestAppend(t *testing.T) {
	for want, v := range map[string]float64{
		"0.0": 0, "-0.0": math.Copysign(0, -1), "10.0": 10, "51.37": 51.37, "-0.5": -0.5, "0.1": 0.1, "0.30000000000000004": math.Nextafter(0.3, 1), "1e+16": 1e16,
		"1e-05": 1e-5, "0.0001": 1e-4, "1.5e-07": 1.5e-7, "9007199254740992.0": 1 << 53, "9999999999999998.0": 9999999999999998, "1e+100": 1e100,
		"5e-324": math.SmallestNonzeroFloat64, "-1.7976931348623157e+308": -math.MaxFloat64, "9999999.99999999": 9999999.99999999,
		"10000000.0": 1e7, "99999999999.9999": 99999999999.9999, "123456789012345.0": 123456789012345, "-123456789.25": -123456789.25,
		"inf": math.Inf(1), "-inf": math.Inf(-1), "nan": pythonNaN, "51.846000000000004": 51.846000000000004,
	} {
		if got := string(Append([]byte("x "), v)); got != "x "+want {
			t.Errorf("Append(%v) = %q, want %q", v, got, want)
		}
	}
	for _, payload := range []uint64{0x7FF0000000000001, 0xFFF8000000000000, math.MaxUint64} {
		if got := string(Append(nil, math.Float64frombits(payload))); got != "nan" {
			t.Errorf("Append(NaN %x) = %q", payload, got)
		}
	}
}

// TestAppendRoom appends to slices with every room left, and looks that nothing before or
// beyond the capacity changes.
func TestAppendRoom(t *testing.T) {
	for _, v := range []float64{0, -51.37, 9999999.99999999, -99999999999.9999, 1e300, 123456789012345} {
		for room := range 40 {
			array := []byte(strings.Repeat("#", 64))
			got := Append(array[:8:8+room], v)
			if want := "########" + referenceRepr(v); string(got) != want {
				t.Errorf("Append(%v) with room for %d = %q", v, room, got)
			}
			if strings.Trim(string(array[8+room:]), "#") != "" {
				t.Errorf("Append(%v) with room for %d wrote beyond: %q", v, room, array)
			}
		}
	}
}

// tableRows calls f with the two columns of each row of a table that CPython wrote.
func tableRows(t *testing.T, name string, f func(first, second string)) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows := 0
	lines := bufio.NewScanner(file)
	for ; lines.Scan(); rows++ {
		first, second, found := strings.Cut(lines.Text(), " ")
		if !found {
			t.Fatalf("%s: row %d: %q has one column", name, rows+1, lines.Text())
		}
		f(first, second)
	}
	if err := lines.Err(); err != nil || rows < 2000 {
		t.Fatalf("%s: %d rows, %v", name, rows, err)
	}
}

// fromHex returns the float64 with these bits.
func fromHex(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return math.Float64frombits(n)
}

func TestAppendAsPython(t *testing.T) {
	tableRows(t, "testdata/repr.txt", func(first, want string) {
		v := fromHex(t, first)
		if got := string(Append(nil, v)); got != want {
			t.Errorf("Append(%s) = %q, Python's repr is %q", first, got, want)
		}
		if v == v {
			checkParse(t, want, v, true)
		}
	})
}

func TestParseAsPython(t *testing.T) {
	tableRows(t, "testdata/float.txt", func(text, second string) {
		if second == "-" {
			checkParse(t, text, 0, false)
			return
		}
		checkParse(t, text, fromHex(t, second), true)
	})
}

func TestAppendRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var buf []byte
	for range 1_000_000 {
		v := randomValue(r)
		buf = Append(buf[:0], v)
		if want := referenceRepr(v); string(buf) != want {
			t.Fatalf("Append(%x) = %q, want %q", math.Float64bits(v), buf, want)
		}
		if back, ok := Parse(buf); !ok || v == v && !sameBits(back, v) {
			t.Fatalf("Parse(%q) = %v, %v; want %v", buf, back, ok, v)
		}
	}
}

func TestParseRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var line []byte
	for range 400_000 {
		text := appendRandomText(line[:0], r)
		line = append(text, " 1503319740\n"...)
		text = line[:len(text)]
		want, wantOK := referenceParse(string(text))
		v, ok := Parse(text)
		if ok != wantOK || !sameBits(v, want) {
			t.Fatalf("Parse(%q) = %v, %v; want %v, %v", text, v, ok, want, wantOK)
		}
		if v, n := Scan(line); n == len(text) && (!ok || !sameBits(v, want)) || n > len(text) {
			t.Fatalf("Scan(%q) = %v, %d; want %v, %v", line, v, n, want, wantOK)
		}
	}
}

// TestHalfway compares texts of 20 to 900 digits around the middle between two values
// with strconv.
func TestHalfway(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		// A value of 54 bits printed in full is between two of 53.
		e := r.IntN(1076) - 1074
		if e > 0 {
			e = -e
		}
		middle := exactText(r.Uint64()>>10|1<<53|1, e-1)
		for _, behind := range []string{"", "0", "1", "00000000000000000001", strings.Repeat("0", 900) + "1"} {
			text := middle + behind
			want, _ := strconv.ParseFloat(text, 64)
			checkParse(t, text, want, true)
			want, _ = strconv.ParseFloat(text+"e-17", 64)
			checkParse(t, text+"e-17", want, true)
		}
	}
}

// TestLong parses a line's worth of digits; quadratic time would show.
func TestLong(t *testing.T) {
	const n = 1 << 20
	zeros, threes := strings.Repeat("0", n), strings.Repeat("3", n)
	checkParse(t, zeros, 0, true)
	checkParse(t, zeros+"1.5", 1.5, true)
	checkParse(t, "0."+zeros+"1", 0, true)
	checkParse(t, "0."+zeros+"1e"+strconv.Itoa(n+1), 1, true)
	checkParse(t, "1"+zeros, math.Inf(1), true)
	checkParse(t, "-1"+zeros+"e-"+strconv.Itoa(n), -1, true)
	checkParse(t, "0."+threes, 1.0/3, true)
	checkParse(t, "1e"+zeros+"2", 100, true)
	checkParse(t, zeros+"x", 0, false)
}

func TestNoAllocations(t *testing.T) {
	buf := make([]byte, 0, 64)
	halfway := "9007199254740993" + "." + strings.Repeat("0", 1000) + "1"
	for _, text := range []string{
		"51.37", "51.846000000000004", "1e-300", "1.7976931348623159e308", "17976931348623158e292", "1e400", "1e-400", "4.9e-324", "-Infinity", "nan",
		"123456789012345678901234567890", halfway, "0x10", "1e", strings.Repeat("0", 65536), strings.Repeat("1", 1000) + "x", "infinitesimal and more than 32 bytes",
	} {
		token, line := []byte(text), []byte(text+" 1503319740\n")
		if n := testing.AllocsPerRun(100, func() { Parse(token) }); n != 0 {
			t.Errorf("Parse(%.40q) allocates %v times", text, n)
		}
		if n := testing.AllocsPerRun(100, func() { Scan(line) }); n != 0 {
			t.Errorf("Scan(%.40q) allocates %v times", text, n)
		}
	}
	for _, v := range []float64{51.37, 51.846000000000004, 1e-300, 1e300, 0, math.Inf(-1), pythonNaN, 123456789012345, 99999999999.9999} {
		if n := testing.AllocsPerRun(100, func() { buf = Append(buf[:0], v) }); n != 0 {
			t.Errorf("Append(%v) allocates %v times", v, n)
		}
	}
}

func TestAppendFixed(t *testing.T) {
	check := func(m int64, k uint) {
		t.Helper()
		v := float64(m) / pow10[k]
		got := string(AppendFixed([]byte("x"), m, k))
		if want := "x" + string(Append(nil, v)); got != want && (math.Abs(v) >= 1e-4 || m == 0) {
			t.Fatalf("AppendFixed(%d, %d) = %q, want %q", m, k, got, want)
		}
		if back, err := strconv.ParseFloat(got[1:], 64); err != nil || back != v {
			t.Fatalf("AppendFixed(%d, %d) = %q, which is %v, %v; want %v", m, k, got, back, err, v)
		}
	}
	r := rand.New(rand.NewPCG(21, 22))
	for k := range uint(MaxFixedExponent + 1) {
		for m := range int64(20_000) {
			check(m, k)
			check(-m, k)
			check(MaxFixed-1-m, k)
			check(r.Int64N(MaxFixed)>>r.IntN(27), k)
		}
		for m := int64(1); m < MaxFixed; m *= 10 {
			check(m, k)
			check(m-1, k)
			check(-9*m, k)
		}
	}
}

func TestAppendFixedRefuses(t *testing.T) {
	for _, test := range []struct {
		m int64
		k uint
	}{{MaxFixed, 0}, {-MaxFixed, 2}, {math.MinInt64, 0}, {1, MaxFixedExponent + 1}} {
		func() {
			defer func() {
				if text, _ := recover().(string); text == "" {
					t.Errorf("AppendFixed(%d, %d) did not panic", test.m, test.k)
				}
			}()
			AppendFixed(nil, test.m, test.k)
		}()
	}
}
