package remotewrite

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"metricd/internal/storage"
)

// checker is a store that checks what it is given, and keeps it.
type checker struct {
	sink
	t    *testing.T
	rows []storage.Row
}

func (c *checker) Appender() storage.Appender { return checkerAppender{c: c} }

type checkerAppender struct {
	sinkAppender
	c *checker
}

func (a checkerAppender) Append(b *storage.Batch) (storage.Seq, error) {
	for i := range b.Rows {
		r := &b.Rows[i]
		if !storage.ValidKey(r.Key) || !bytes.Equal(storage.AppendCanonical(nil, r.Key), r.Key) || storage.ParseKey(string(r.Key)).Get(storage.MetricName) == "" {
			a.c.t.Errorf("key %q", r.Key)
		}
		r.Ref = 1
		a.c.rows = append(a.c.rows, storage.Row{Key: slices.Clone(r.Key), T: r.T, V: r.V})
	}
	b.Refused = b.Refused[:0]
	return 1, nil
}

// FuzzMessage: any bytes as a message of either version do no harm, give the same rows when all is known, and all rows are
// what a store takes.
func FuzzMessage(f *testing.F) {
	h := nativeSent{schema: customBounds, count: 6, sum: 1, spans: []span{{0, 2}}, deltas: []int64{2, 2}, bounds: []float64{1, 2}, t: 1}
	e := nativeSent{schema: 3, floats: true, count: 6, sum: 1, spans: []span{{0, 2}}, counts: []float64{2, 2}, negative: true, t: 1}
	for _, v := range []version{version1, version2} {
		f.Add(v == version1, encode(v, fleet(3)...))
		f.Add(v == version1, encode(v, sent{labels: latency, samples: []sampleAt{{1, 2}}, histograms: []nativeSent{h, e}, exemplars: 1, kind: 1, help: "help", unit: "s"}))
		f.Add(v == version1, encode(v, sent{labels: []string{"b", "", "__name__", "a;b", "a", "\xff"}, samples: []sampleAt{{-1, math.NaN()}}}))
	}
	f.Fuzz(func(t *testing.T, first bool, message []byte) {
		v := version2
		if first {
			v = version1
		}
		store := &checker{t: t}
		r := New(Options{Store: store, Cache: 1 << 20, Metadata: &metadataLog{}})
		w := r.newWork()
		var before []storage.Row
		var was result
		var wasErr error
		for round := range 2 {
			store.rows = nil
			w.body = append(w.body[:0], message...)
			err := w.take(v)
			if round == 0 {
				before, was, wasErr = store.rows, w.result, err
				continue
			}
			if was.refused != w.refused || was.samples != w.samples || was.histograms != w.histograms || was.exemplars != w.exemplars || err != wasErr {
				t.Errorf("%+v, %v, and once known %+v, %v", was, wasErr, w.result, err)
			}
			if !slices.EqualFunc(before, store.rows, func(a, b storage.Row) bool {
				return bytes.Equal(a.Key, b.Key) && a.T == b.T && math.Float64bits(a.V) == math.Float64bits(b.V)
			}) {
				t.Errorf("rows %v, and once known %v", before, store.rows)
			}
		}
	})
}

// FuzzBody: any bytes as a body get an answer, and take no more memory than they may.
func FuzzBody(f *testing.F) {
	f.Add(true, pack(encode1(fleet(3)...)))
	f.Add(false, pack(encode2(fleet(3)...)))
	f.Add(true, []byte{0x80, 0x80, 0x40, 0})
	f.Fuzz(func(t *testing.T, first bool, body []byte) {
		v := version2
		if first {
			v = version1
		}
		r := New(Options{Store: &checker{t: t}, MaxBody: 1 << 16})
		switch w := post(r, v, body); w.Code {
		case 204, 400, 413:
		default:
			t.Errorf("%d: %s", w.Code, w.Body)
		}
		w := <-r.works
		if w != nil && cap(w.body) > 22*len(body)+slack+64 {
			t.Errorf("%d bytes of memory for a body of %d", cap(w.body), len(body))
		}
	})
}

// FuzzLabels: whatever labels a sender has, of either version, the key spells them, or they are refused for a reason.
func FuzzLabels(f *testing.F) {
	f.Add("__name__", "up", "host", "a", "", "")
	f.Add("a", "b;c", "__name__", "a b", "a", "")
	f.Add("a", "\xff", "é=", "%20", "__name__", "*")
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g string) {
		labels := []string{a, b, c, d, e, g}
		var keys []string
		for _, v := range []version{version1, version2} {
			store := &checker{t: t}
			w := New(Options{Store: store}).newWork()
			w.body = append(make([]byte, 0, 1024), encode(v, sent{labels: labels, samples: []sampleAt{{1, 1}}})...)
			if err := w.take(v); err != nil {
				t.Fatal(err)
			}
			if len(store.rows) == 0 {
				keys = append(keys, "")
				continue
			}
			keys = append(keys, string(store.rows[0].Key))
		}
		if want := spellPlainly(labels); keys[0] != want || keys[1] != want {
			t.Errorf("%q: keys %q, want %q", labels, keys, want)
		}
	})
}

// spellPlainly is the obvious way to a key; empty if there is none.
func spellPlainly(labels []string) string {
	var all []storage.Label
	seen := map[string]bool{}
	size := 0
	for i := 0; i < len(labels); i += 2 {
		name, value := labels[i], labels[i+1]
		if seen[name] || name == "" || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return ""
		}
		seen[name] = true
		size += len(name) + len(value)
		all = append(all, storage.Label{Name: name, Value: value})
	}
	set, ok := storage.NewLabels(all...)
	if !ok || set.Get(storage.MetricName) == "" || size > 4096 {
		return ""
	}
	key := string(storage.AppendKey(nil, set))
	if len(key) > 4096 {
		return ""
	}
	return key
}
