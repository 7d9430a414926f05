package dump

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"metricd/internal/decimal"
	"metricd/internal/storage"
)

// sample is one sample of a test.
type sample struct {
	t int64
	v float64
}

// samples is a storage.Iterator over samples of a test.
type samples struct {
	storage.Iterator // SkipTo is not called
	left             []sample
	at               sample
}

func (s *samples) Next() bool {
	if len(s.left) == 0 {
		return false
	}
	s.at, s.left = s.left[0], s.left[1:]
	return true
}
func (s *samples) At() (int64, float64)          { return s.at.t, s.at.v }
func (s *samples) AppendValue(dst []byte) []byte { return decimal.Append(dst, s.at.v) }
func (s *samples) Err() error                    { return nil }

// write writes series, one of each key and its samples.
func write(t testing.TB, f Format, series ...any) (text string, lines int64, loss Loss) {
	t.Helper()
	var b strings.Builder
	w := NewWriter(&b, f)
	for i := 0; i < len(series); i += 2 {
		if err := w.Series(series[i].(string), &samples{left: series[i+1].([]sample)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	n, lines, loss := w.Counts()
	if n != int64(len(series)/2) {
		t.Fatalf("%d series counted, not %d", n, len(series)/2)
	}
	return b.String(), lines, loss
}

// read reads a dump to its end, and returns a text for each row and bad line.
func read(r io.Reader, f Format, limits Limits) (rows, bad []string, err error) {
	d := NewReader(r, f, limits)
	var b Batch
	for {
		if err := d.Next(&b); err != nil {
			return rows, bad, err
		}
		for i, row := range b.Rows {
			n, text := d.Excerpt(&b, i)
			rows = append(rows, fmt.Sprintf("%d %s %d %x %d %s", n, row.Key, row.T, math.Float64bits(row.V), row.Ref, text))
			b.Rows[i].Ref = storage.Ref(len(row.Key)) // as an Appender would
		}
		for _, l := range b.Bad {
			bad = append(bad, fmt.Sprintf("%d %s: %v", l.Number, l.Text, l.Err))
		}
	}
}

var odd = []sample{
	{-1500, math.Copysign(0, -1)},
	{-1000, math.Inf(1)},
	{0, math.Inf(-1)},
	{1, math.Float64frombits(plainBits)},
	{2, math.Float64frombits(storage.StaleNaN)},
	{3, math.Float64frombits(0x7ff8000000000001)},
	{4, math.Float64frombits(0xfff0000000000001)},
	{storage.MaxTime, 5e-324},
}

func TestCSV(t *testing.T) {
	text, n, loss := write(t, CSV, "a", odd, `b;path=x,"y"`, []sample{{storage.MinTime, 23.7}})
	const want = `key,milliseconds,value
a,-1500,-0.0
a,-1000,inf
a,0,-inf
a,1,nan
a,2,stale
a,3,nan:7ff8000000000001
a,4,nan:fff0000000000001
a,9000000000000000000,5e-324
"b;path=x,""y""",-9000000000000000000,23.7
`
	if text != want || n != 9 || loss != (Loss{}) {
		t.Errorf("got %d lines, lost %+v:\n%s", n, loss, text)
	}
	rows, bad, err := read(iotest.OneByteReader(strings.NewReader(text)), CSV, Limits{})
	if len(rows) != 9 || len(bad) > 0 || err != io.EOF {
		t.Fatalf("got %q %q %v", rows, bad, err)
	}
	for i, s := range append(odd[:len(odd):len(odd)], sample{storage.MinTime, 23.7}) {
		if want := fmt.Sprintf(" %d %x ", s.t, math.Float64bits(s.v)); !strings.Contains(rows[i], want) {
			t.Errorf("row %d: got %s, want %s", i, rows[i], want)
		}
	}
}

func TestPut(t *testing.T) {
	text, n, loss := write(t, Put, "a", []sample{
		{-1, 1},
		{0, 2},
		{1, 3},
		{999, 4}, // second -1 is cut, second 0 stands for two more
		{1001, 5},
		{1002, 6}, // the last, cut
		{2000, math.Float64frombits(storage.StaleNaN)},
		{2500, 7},
		{3000, math.NaN()},
		{4000, math.Float64frombits(plainBits)},
		{5001, math.NaN()},
		{5002, 8}, // what is left out has lost no NaN
	}, "b c", []sample{{5000, 1}})
	const want = `put a 1.0 -1
put a 2.0 0
put a 6.0 1
put a 7.0 2
put a nan 3
put a nan 4
put a 8.0 5
put b c 1.0 5
`
	if text != want || n != 8 || loss != (Loss{Cut: 4, Collapsed: 4, NaN: 1, Stale: 1}) {
		t.Errorf("got %d lines, lost %+v:\n%s", n, loss, text)
	}
}

func TestReader(t *testing.T) {
	long := strings.Repeat("x", 500)
	for _, tt := range []struct {
		name      string
		f         Format
		limits    Limits
		in        string
		rows, bad []string
		err       error
	}{
		{name: "empty CSV", f: CSV},
		{name: "nothing but a header", f: CSV, in: Header + "\r\n"},
		{name: "no header", f: CSV, in: "key,value,timestamp\na,1,2\n", err: ErrHeader},
		{name: "a blank line for a header", f: CSV, in: "\n" + Header + "\n", err: ErrHeader},
		{name: "half a header", f: CSV, in: "key,milli", bad: []string{"1 key,milli: it has no line end, so it may be cut short"}},
		{
			name: "quotes, line ends, headers again", f: CSV,
			in:   Header + "\n\"a\",\"1\",\"2\"\r\n\n\"a\",2,3\n" + Header + "\na,+3,nan\n\"a\"\"\"\"b,\",4,stale\n\"a\"\"\"\"b,\",5,1\n",
			rows: []string{`2 a 1 4000000000000000 0 "a","1","2"`, `4 a 2 4008000000000000 0 "a",2,3`, "6 a 3 7ff8000000000000 0 a,+3,nan", `7 a""b, 4 7ff0000000000002 0 "a""""b,",4,stale`, `8 a""b, 5 3ff0000000000000 0 "a""""b,",5,1`},
		},
		{
			name: "bad CSV", f: CSV, limits: Limits{MaxKey: 3},
			in:   Header + "\na,1\na\na,1,2,3\na,1.5,2\na,9000000000000000001,1\na,1_0,1\na,1,0x1\na,1,nan:7ff0000000000000\na,1,nan:7ff000000000000\na,1,\n,1,1\n*,1,1\na b,1,1\nabcd,1,1\n\xff,1,1\na\"b,1,1\n\"a\"b,1,1\n\"a,1,1\na,5,6\na,1 ,1\na,7,8",
			rows: []string{"20 a 5 4018000000000000 0 a,5,6"},
			bad: []string{
				"2 a,1: want three columns, key,milliseconds,value", "3 a: want three columns, key,milliseconds,value", "4 a,1,2,3: want three columns, key,milliseconds,value",
				`5 a,1.5,2: "1.5": want a whole number of milliseconds since 1970, at most 9000000000000000000`,
				`6 a,9000000000000000001,1: "9000000000000000001": want a whole number of milliseconds since 1970, at most 9000000000000000000`,
				`7 a,1_0,1: "1_0": want a whole number of milliseconds since 1970, at most 9000000000000000000`,
				`8 a,1,0x1: value "0x1": want a decimal number, inf, -inf, nan, stale, or nan: and the 16 hexadecimal digits of one`,
				`9 a,1,nan:7ff0000000000000: value "nan:7ff0000000000000": want a decimal number, inf, -inf, nan, stale, or nan: and the 16 hexadecimal digits of one`,
				`10 a,1,nan:7ff000000000000: value "nan:7ff000000000000": want a decimal number, inf, -inf, nan, stale, or nan: and the 16 hexadecimal digits of one`,
				`11 a,1,: value "": want a decimal number, inf, -inf, nan, stale, or nan: and the 16 hexadecimal digits of one`,
				"12 ,1,1: invalid key: want one word of UTF-8 without control characters, other than *", "13 *,1,1: invalid key: want one word of UTF-8 without control characters, other than *",
				"14 a b,1,1: invalid key: want one word of UTF-8 without control characters, other than *", "15 abcd,1,1: the key is longer than 3 bytes (--max-key)",
				"16 \xff,1,1: invalid key: want one word of UTF-8 without control characters, other than *", `17 a"b,1,1: a field with a " has to be quoted, the " doubled`,
				`18 "a"b,1,1: a quoted field is followed by neither a comma nor the end of the line`, `19 "a,1,1: a quoted field has no end`,
				`21 a,1 ,1: "1 ": want a whole number of milliseconds since 1970, at most 9000000000000000000`, "22 a,7,8: it has no line end, so it may be cut short",
			},
		},
		{
			name: "put", f: Put,
			in:   "put a 1 2\r\n\n put\ta 2  3 \nget a\nput a 1 2.5\nput b inf -1\nput b 1 ",
			rows: []string{"1 a 2000 3ff0000000000000 0 put a 1 2", "3 a 3000 4000000000000000 0  put\ta 2  3 ", "6 b -1000 7ff0000000000000 0 put b inf -1"},
			bad:  []string{"4 get a: want put KEY VALUE SECONDS", "5 put a 1 2.5: want put KEY VALUE SECONDS", "7 put b 1 : it has no line end, so it may be cut short"},
		},
		{
			name: "too long", f: Put, limits: Limits{MaxLine: 20},
			in:   "put a 1 2\nput a 1 3           \nput a 1 3            \nput " + long + " 1 2\nput b 1 2\n" + long,
			rows: []string{"1 a 2000 3ff0000000000000 0 put a 1 2", "2 a 3000 3ff0000000000000 0 put a 1 3           ", "5 b 2000 3ff0000000000000 0 put b 1 2"},
			bad: []string{
				"3 put a 1 3            : it is longer than 20 bytes (--max-line)",
				"4 put " + long[:196] + "…: it is longer than 20 bytes (--max-line)",
				"6 " + long[:200] + "…: it is longer than 20 bytes (--max-line)",
			},
		},
		{name: "too long, CSV", f: CSV, limits: Limits{MaxLine: 23}, in: Header + "\na,1,000000000000000000001\n", bad: []string{"2 a,1,000000000000000000001: it is longer than 23 bytes (--max-line)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil {
				tt.err = io.EOF
			}
			rows, bad, err := read(strings.NewReader(tt.in), tt.f, tt.limits)
			if !reflect.DeepEqual(rows, tt.rows) || !reflect.DeepEqual(bad, tt.bad) || !errors.Is(err, tt.err) {
				t.Errorf("got rows %q\nwant     %q\nbad      %q\nwant     %q\n%v", rows, tt.rows, bad, tt.bad, err)
			}
		})
	}
}

// TestReaderError: what came before an error of the input is returned before it.
func TestReaderError(t *testing.T) {
	broken := errors.New("broken")
	rows, bad, err := read(io.MultiReader(strings.NewReader("put a 1 1\nput a 2"), iotest.ErrReader(broken)), Put, Limits{})
	if len(rows) != 1 || len(bad) != 0 || err != broken {
		t.Errorf("got %q %q %v", rows, bad, err)
	}
	if _, _, err = read(zeroReader{}, Put, Limits{}); err != io.ErrNoProgress {
		t.Errorf("a reader that reads nothing: %v", err)
	}
}

type zeroReader struct{}

func (zeroReader) Read([]byte) (int, error) { return 0, nil }

// TestRefs: a row has the Ref of the row before it exactly if that has the same key, over batches, too.
func TestRefs(t *testing.T) {
	var in strings.Builder
	in.WriteString(Header + "\n")
	for i := range 5 * batchRows {
		key := "long"
		if i/(batchRows+7)%2 == 1 {
			key = `"b,"`
		}
		fmt.Fprintf(&in, "%s,%d,1\n", key, i)
		if i%100 == 0 {
			in.WriteString("bad\n")
		}
	}
	d := NewReader(strings.NewReader(in.String()), CSV, Limits{})
	var b Batch
	var before string
	known := map[string]storage.Ref{"long": 1, "b,": 2}
	rows := 0
	for first := true; ; first = false {
		if err := d.Next(&b); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		same := !first
		for i, row := range b.Rows {
			key := string(row.Key)
			same = same && key == before
			if want := known[key]; same && row.Ref != want || !same && row.Ref != 0 {
				t.Fatalf("row %d: %s has %d", rows, key, row.Ref)
			}
			before = key
			rows++
			_ = i
		}
		for i := range b.Rows {
			b.Rows[i].Ref = known[string(b.Rows[i].Key)]
		}
	}
	if rows != 5*batchRows {
		t.Errorf("%d rows", rows)
	}
}

// FuzzCSV: what is read as a sample is one to encoding/csv as well, and is written and read back by its bits.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,1,2\n"), 7)
	f.Add([]byte("\"a,\"\"b\",-1,nan:7ff0000000000001\r\na,1,stale\n\na,2,3\n"), 1)
	f.Add([]byte(Header+"\na,1,1e5\na,2,\"-0\"\n\"a\",3,4"), 3)
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		in := append([]byte(Header+"\n"), text...)
		var r io.Reader = bytes.NewReader(in)
		if cut > 0 {
			r = io.MultiReader(bytes.NewReader(in[:cut%len(in)]), bytes.NewReader(in[cut%len(in):]))
		}
		d := NewReader(r, CSV, Limits{MaxLine: 300, MaxKey: 100})
		var b Batch
		for {
			if err := d.Next(&b); err == io.EOF {
				return
			} else if err != nil {
				t.Fatal(err)
			}
			for i, row := range b.Rows {
				p := b.lines[i]
				line := d.buf[p.start:p.end]
				if !storage.ValidKey(row.Key) || len(row.Key) > 100 || row.T < storage.MinTime || row.T > storage.MaxTime {
					t.Fatalf("%q gave %q at %d", line, row.Key, row.T)
				}
				std, err := csv.NewReader(bytes.NewReader(line)).Read()
				if err != nil || len(std) != 3 || std[0] != string(row.Key) {
					t.Fatalf("%q gave %q, encoding/csv %q, %v", line, row.Key, std, err)
				}
				out, _, _ := write(t, CSV, string(row.Key), []sample{{row.T, row.V}})
				back, _, err := read(strings.NewReader(out), CSV, Limits{})
				want := fmt.Sprintf("2 %s %d %x 0 ", row.Key, row.T, math.Float64bits(row.V))
				if err != io.EOF || len(back) != 1 || !strings.HasPrefix(back[0], want) {
					t.Fatalf("%q was written as %q, which reads as %q, want %q", line, out, back, want)
				}
			}
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	var left []sample
	for i := range 1 << 16 {
		left = append(left, sample{1150864247000 + int64(i)*10_000, float64(i*7919%10_000) / 100})
	}
	text, _, _ := write(b, CSV, "host0001.cpu.user", left)
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			if err := NewWriter(io.Discard, CSV).Series("host0001.cpu.user", &samples{left: left}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(left)), "ns/sample")
	})
	b.Run("read", func(b *testing.B) {
		var batch Batch
		for b.Loop() {
			d := NewReader(strings.NewReader(text), CSV, Limits{})
			for d.Next(&batch) == nil {
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(left)), "ns/sample")
	})
}

func TestFormatOf(t *testing.T) {
	for start, want := range map[string]Format{
		"": Put, "\n": Put, "put a 1 1\n": Put, "put a,b 1 1\n": Put, " put\ta,b 1 1\n": Put, "nonsense\n": Put, "get a\nput a,b 1": Put,
		Header: CSV, Header + "\r\na,1,1\n": CSV, "key,value,timestamp\n": CSV, "a,1,1\n": CSV, "\"a b\",1,1\n": CSV, "put,1,1\n": CSV, "putter,1 ,1": CSV,
	} {
		if got := FormatOf([]byte(start)); got != want {
			t.Errorf("%q: got %s, want %s", start, got, want)
		}
	}
}
