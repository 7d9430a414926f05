package influx

import (
	"bytes"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// pieces is a reader that gives a text in pieces of sizes 1 to 256.
type pieces struct {
	text, sizes []byte
}

func (r *pieces) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	n := len(r.text)
	if len(r.sizes) > 0 {
		n = min(n, int(r.sizes[0])+1)
		r.sizes = r.sizes[1:]
	}
	n = copy(p, r.text[:n])
	r.text = r.text[n:]
	return n, nil
}

// ours returns what we decode of a body, a line for each field, and how many entries were wrong.
func ours(body, sizes []byte) (fields []string, wrong int) {
	w := newWork(false)
	w.entries.r, w.entries.left = &pieces{body, sizes}, DefaultMaxBody
	p := &w.point
	for {
		entry, _, err := w.entries.next()
		if err == io.EOF {
			return fields, wrong
		}
		if err == nil {
			err = p.decode(entry, DefaultMaxKey)
		}
		if err == errNoLine {
			continue
		}
		if err != nil {
			wrong++
			if misread(entry, err) {
				w.entries.again(entry)
			}
			continue
		}
		_, labels := p.labels()
		for _, f := range p.fields {
			fields = append(fields, fmt.Sprintf("%q %q %q %v %v %v", p.head, labels, p.names[f.start:f.end], f.value, p.timed, p.time))
		}
	}
}

// theirs decodes a whole body with the decoder of InfluxData. ok is false if there is anything wrong in it.
func theirs(body []byte) (fields []string, ok bool) {
	dec := lineprotocol.NewDecoderWithBytes(body)
	for dec.Next() {
		name, err := dec.Measurement()
		if err != nil {
			return nil, false
		}
		head := append(slices.Clone(name), 0)
		labels := []storage.Label{{Name: storage.MetricName}}
		for {
			tag, value, err := dec.NextTag()
			if err != nil || string(tag) == storage.MetricName {
				return nil, false
			}
			if tag == nil {
				break
			}
			head = append(append(append(append(head, tag...), 0), value...), 0)
			labels = append(labels, storage.Label{Name: string(tag), Value: string(value)})
		}
		var names []string
		var values []float64
		for {
			field, v, err := dec.NextField()
			if err != nil {
				return nil, false
			}
			if field == nil {
				break
			}
			var f float64
			switch v.Kind() {
			case lineprotocol.Float:
				f = v.FloatV()
			case lineprotocol.Int:
				f = float64(v.IntV())
			case lineprotocol.Uint:
				f = float64(v.UintV())
			case lineprotocol.Bool:
				if v.BoolV() {
					f = 1
				}
			case lineprotocol.String:
				continue
			}
			names, values = append(names, string(field)), append(values, f)
		}
		stamp, err := dec.TimeBytes()
		if err != nil {
			return nil, false
		}
		var t int64
		if _, err := fmt.Sscan("0"+string(stamp), &t); stamp != nil && (err != nil || stamp[0] == '-') {
			return nil, false // we take negative ones; how they are read is in TestWrite
		}
		for i := range names {
			fields = append(fields, fmt.Sprintf("%q %q %q %v %v %v", head, labels, names[i], values[i], stamp != nil, t))
		}
	}
	return fields, true
}

var seeds = []string{
	"cpu,host=a usage_user=1.5,value=2i,ok=t,note=\"x\" 1556813561098123456\nm v=1\n",
	"m s=\"a\nb v=1\n\\\" c\\\\\",v=1 1\n# c \"\nm v=2 2\r\n",
	`we\,ir\ d\=,t\ a\,g\==v\,a\=l\ x fi\,e\=ld\ 1=1,a\="=2u` + "\n",
	"m s=\"a 1\nm v=1 1\nm s=\"b\",v=2 2\n",
	"  m  v=1  5  \n\n\r\n  # x\nm\",a=\"b c\"=1 1",
	"m \\=\"=1\nm v=\"\\\\\"\nm v=\"\\x\\\"\",w=2\n",
}

// FuzzEntries: what InfluxData's decoder takes whole, our cutting into entries takes, too, whatever pieces it comes in, with the same samples; and the pieces never matter.
func FuzzEntries(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), []byte{0, 1, 2, 30})
	}
	f.Fuzz(func(t *testing.T, body, sizes []byte) {
		if len(body) > 2000 {
			return
		}
		got, wrong := ours(body, nil)
		if cut, w := ours(body, sizes); w != wrong || !slices.Equal(cut, got) {
			t.Fatalf("%q in pieces of %v: %q and %d wrong, whole %q and %d", body, sizes, cut, w, got, wrong)
		}
		if bytes.ContainsAny(body, "#xXpP_") { // comments, which we take as they are; numbers in hexadecimal or with underscores, which we don't
			return
		}
		want, ok := theirs(body)
		if ok && (wrong > 0 || !slices.Equal(got, want)) {
			t.Fatalf("%q: got %q and %d wrong, want %q", body, got, wrong, want)
		}
	})
}

// FuzzWrite: whatever comes, the answer is one that a sender can do something with, what is counted adds up, and a right line behind all of it is
// stored, unless it is in a string.
func FuzzWrite(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 2000 {
			return
		}
		s := newServer(t, Config{Store: openStore(t, tsdb.Options{}), MaxKey: 100})
		body = append(body, "\nthe,last=one v=1 5000000\n"...)
		got := s.write("/write", string(body))
		if !strings.HasPrefix(got, "204") && !strings.HasPrefix(got, `400 {"error":"partial write: line `) {
			t.Fatalf("%q: answered %s", body, got)
		}
		st := s.h.Stats()
		if strings.HasPrefix(got, "204") != (st.Dropped == 0) || st.Dropped > st.Lines {
			t.Fatalf("%q: answered %s, stats %+v", body, got, st)
		}
		if !bytes.Contains(body, []byte(`"`)) && !strings.Contains(dump(t, s.store), "the_v;last=one 5 1.0\n") {
			t.Fatalf("%q: the last line is not stored", body)
		}
	})
}

// telegraf is a body as Telegraf sends it: n hosts, ten fields each.
func telegraf(n int, ms int64) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "cpu,cpu=cpu%d,datacenter=fra1,host=host-%04d", i%8, i)
		for j, f := range []string{"usage_guest", "usage_guest_nice", "usage_idle", "usage_iowait", "usage_irq", "usage_nice", "usage_softirq", "usage_steal", "usage_system", "usage_user"} {
			sep := byte(',')
			if j == 0 {
				sep = ' '
			}
			fmt.Fprintf(&b, "%c%s=%d.%04d", sep, f, i*7%100, (i*j*31)%10000)
		}
		fmt.Fprintf(&b, " %d000000\n", ms)
	}
	return b.Bytes()
}

// BenchmarkWrite writes bodies of 1,000 points of ten fields, as Telegraf sends them. Figures are a body of 10,000 samples.
func BenchmarkWrite(b *testing.B) {
	s := newServer(b, Config{})
	body := telegraf(1000, 1_700_000_000_000)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if w := s.ask("POST", "/api/v2/write", bytes.NewReader(body)); w.Code != 204 {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// TestAllocs: a sample of a series that is remembered allocates nothing, and a line only the decoder's buffer.
func TestAllocs(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	s := newServer(t, Config{})
	body := telegraf(100, 1_700_000_000_000)
	w := newWork(true)
	take := func() {
		w.entries.r, w.entries.left, w.entries.eof = bytes.NewReader(body), DefaultMaxBody, false
		req := request{h: s.h, w: w, unit: unit{1, 1_000_000}, app: s.store.Appender()}
		if err := req.run(); err != nil || req.samples != 1000 {
			t.Fatal(err, req.samples)
		}
	}
	take()
	if n := testing.AllocsPerRun(100, take); n > 100+3 { // the reader, the appender, the request
		t.Errorf("%v allocations for 100 lines of 10 samples", n)
	}
}
