package graphite

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// recorder is a store that takes everything and remembers it as text. It gives out a Ref for each key, and knows when one is
// used for another. Only Appender works.
type recorder struct {
	storage.Store
	t    testing.TB
	refs map[string]storage.Ref
	rows []string
}

func (s *recorder) Appender() storage.Appender { return recordingAppender{s: s} }

type recordingAppender struct {
	storage.Appender
	s *recorder
}

func (a recordingAppender) Append(b *storage.Batch) (storage.Seq, error) {
	for i := range b.Rows {
		row := &b.Rows[i]
		key := string(row.Key)
		ref, known := a.s.refs[key]
		if !known {
			ref = storage.Ref(len(a.s.refs) + 1)
			a.s.refs[key] = ref
		}
		if row.Ref != 0 && row.Ref != ref {
			a.s.t.Fatalf("%q comes with ref %d, which is not its %d", key, row.Ref, ref)
		}
		row.Ref = ref
		a.s.rows = append(a.s.rows, fmt.Sprintf("%s %v %d", key, row.V, row.T))
	}
	b.Refused = b.Refused[:0]
	return 1, nil
}

// feed gives an intake the pieces, as they might come from a socket, and returns the rows and the counters.
func feed(t testing.TB, pieces ...[]byte) ([]string, Stats) {
	store := &recorder{t: t, refs: map[string]storage.Ref{}}
	srv := New(Config{Store: store, MaxLine: 100, MaxKey: 20, Now: clock})
	in := newIntake(t.Context(), srv, "test")
	w := newWork(srv.cfg.MaxLine)
	n := 0
	for _, p := range pieces {
		if in.end != nil {
			break
		}
		n += copy(w.in[n:], p)
		used := in.lines(w, w.in[:n])
		n = copy(w.in, w.in[used:n])
	}
	if in.end == nil {
		in.cut(w.in[:n])
	}
	return store.rows, srv.Stats()
}

// reference is what feed should return where no browser speaks: every line is parsed by itself.
func reference(input []byte) (rows []string, st Stats) {
	lines := strings.Split(string(input), "\n")
	for i, line := range lines {
		row, is, _ := parse([]byte(line), 20, clock)
		switch {
		case len(line) > 100, i == len(lines)-1 && strings.TrimSpace(line) != "", i < len(lines)-1 && is == wrong:
			st.Wrong++
		case i == len(lines)-1:
		case is == skipped:
			st.NaN++
		case is == sample:
			st.Samples++
			rows = append(rows, fmt.Sprintf("%s %v %d", row.Key, row.V, row.T))
		}
	}
	return rows, st
}

// FuzzCuts: any bytes, cut into reads at any places, give what their lines give one by one.
func FuzzCuts(f *testing.F) {
	f.Add([]byte(strings.Repeat("a 1 1\nb 2 1\nc;x=1;y=2 3 1\n", 5)+"c;y=2;x=1 4 5.5\nb nan 1\n"), []byte{5, 5, 5, 40})
	f.Add([]byte("e 1 1\na 1 1\nb 1 1\nc 1 1\nd 1 1\n"+strings.Repeat("x", 150)+"\na 1 -1"), []byte{100})
	f.Add([]byte("a 1 1\nGET / HTTP/1.1\r\n\r\na 1 1\n"), []byte{3})
	f.Add([]byte(strings.Repeat("a 1 1700000000\r\n", 12)+"a 2 1700000000\na 1 170000\na 1 17000000000000000\n"), []byte{7, 7, 7})
	f.Add([]byte(strings.Repeat("a 1 1700000000\n", 12)+strings.Repeat("x", 150)+"a 2 1700000000\na 1 1\n"), []byte{177, 149})
	f.Fuzz(func(t *testing.T, input, cuts []byte) {
		if len(input) > 2000 || len(cuts) > 20 {
			return
		}
		// A sample first, so that no line can be taken for the first of a browser; TestHTTPIsRefused has those.
		input = append([]byte("first 1 1\n"), input...)
		rows, want := reference(input)
		var pieces [][]byte
		rest := input
		for _, c := range cuts {
			n := min(int(c)+1, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		got, st := feed(t, append(pieces, rest)...)
		if strings.Join(got, "\n") != strings.Join(rows, "\n") || st.Wrong != want.Wrong || st.NaN != want.NaN || st.Samples != want.Samples {
			t.Errorf("%q cut at %v: got %q, %+v, want %q, %+v", input, cuts, got, st, rows, want)
		}
	})
}

// agent writes the lines of n series at one time as agents send them.
func agent(dst []byte, n int, seconds int64) []byte {
	for i := range n {
		dst = append(dst, "host_"...)
		dst = strconv.AppendInt(dst, int64(10_000+i), 10)
		dst = append(dst, ".cpu.usage_user "...)
		dst = strconv.AppendInt(dst, int64(i*31%100), 10)
		dst = append(dst, '.', byte('0'+i%10), byte('0'+i*7%10), ' ')
		dst = strconv.AppendInt(dst, seconds, 10)
		dst = append(dst, '\n')
	}
	return dst
}

// TestAllocs: a sample allocates nothing between the buffer and the store, known or not.
func TestAllocs(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	for _, lines := range []string{
		string(agent(nil, 200, 1_700_000_000)),
		strings.Repeat("a;b=c 1.5 -1\nx nan 5\nb 1e5 1700000000.123\n", 50),
	} {
		srv := New(Config{Store: openStore(t, tsdb.Options{})})
		in := newIntake(t.Context(), srv, "test")
		w := newWork(srv.cfg.MaxLine)
		n := copy(w.in, lines)
		take := func() {
			if used := in.lines(w, w.in[:n]); used != n {
				t.Fatalf("%d bytes of %d were taken", used, n)
			}
		}
		for range 20 {
			take()
		}
		if n := testing.AllocsPerRun(200, take); n > 0 {
			t.Errorf("%v allocations for %.20q", n, lines)
		}
	}
}

// BenchmarkLines takes the lines of agents from memory into a store: 10,000 series, all at one time, then all at the next.
func BenchmarkLines(b *testing.B) {
	srv := New(Config{Store: openStore(b, tsdb.Options{})})
	in := newIntake(b.Context(), srv, "test")
	w := newWork(srv.cfg.MaxLine)
	round := agent(nil, 10_000, 1_700_000_000)
	stamp, next := []byte(" 1700000000\n"), int64(1_700_000_000)
	b.ReportAllocs()
	for done := 0; done < b.N; done += 10_000 {
		for rest := round; len(rest) > 0; {
			n := copy(w.in, rest)
			n = bytes.LastIndexByte(w.in[:n], '\n') + 1
			in.lines(w, w.in[:n])
			rest = rest[n:]
		}
		b.StopTimer()
		next += 10
		later := strconv.AppendInt([]byte(" "), next, 10)
		later = append(later, '\n')
		round = bytes.ReplaceAll(round, stamp, later)
		stamp = later
		b.StartTimer()
	}
}

// BenchmarkConnection sends the same over loopback. The time is that of the slower of client and server.
func BenchmarkConnection(b *testing.B) {
	r := start(b, Config{})
	c := r.dial()
	var buf []byte
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += 10_000 {
		buf = agent(buf[:0], 10_000, int64(1_700_000_000+done/1000))
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	c.CloseWrite()
	c.Read(make([]byte, 1))
}
