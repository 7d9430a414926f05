package remotewrite

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// raw makes a message of fields: those of type 2 of texts, the others of numbers.
func raw(fields ...any) (b []byte) {
	for i := 0; i < len(fields); i += 2 {
		n := protowire.Number(fields[i].(int))
		switch v := fields[i+1].(type) {
		case string:
			b = bytesField(b, n, []byte(v))
		case []byte:
			b = bytesField(b, n, v)
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
		case float64:
			b = doubleField(b, n, v)
		case float32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, n, protowire.Fixed32Type), 7)
		}
	}
	return b
}

// TestAnyOrder: what is good protobuf is read as such, also as no sender writes it.
func TestAnyOrder(t *testing.T) {
	name, host := raw(1, "__name__", 2, "up"), raw(2, "a", 1, "host")
	sample := raw(1, 1.5, 2, 1000)
	group := append(protowire.AppendTag(raw(9, "new"), 99, protowire.StartGroupType), protowire.AppendTag(nil, 99, protowire.EndGroupType)...)
	packed := []byte{1, 2, 3, 4}
	symbols := []any{4, "", 4, "__name__", 4, "up", 4, "host", 4, "a"}
	cases := map[string]struct {
		v    version
		b    []byte
		want string
	}{
		"labels behind samples":      {version1, raw(1, raw(2, sample, 1, host, 1, name)), "up;host=a 1000 1.5"},
		"labels apart":               {version1, raw(1, raw(1, name, 2, sample, 1, host)), "up;host=a 1000 1.5"},
		"time before value":          {version1, raw(1, raw(1, name, 2, raw(2, 1000, 1, 1.5))), "up 1000 1.5"},
		"value twice":                {version1, raw(1, raw(1, name, 2, raw(1, 9.0, 2, 1000, 1, 1.5))), "up 1000 1.5"},
		"no value":                   {version1, raw(1, raw(1, name, 2, raw(2, 1000))), "up 1000 0"},
		"new fields":                 {version1, slices.Concat(raw(7, 1, 9, float32(1), 2, 3), group, raw(1, slices.Concat(raw(9, "x", 1, name, 2, append(sample, group...)), group))), "up 1000 1.5"},
		"a new field in a label":     {version1, raw(1, raw(1, append(name, raw(3, "x")...), 2, sample)), "up 1000 1.5"},
		"name twice in a label":      {version1, raw(1, raw(1, raw(1, "x", 1, "__name__", 2, "up"), 2, sample)), "up 1000 1.5"},
		"long varints":               {version1, raw(1, raw(1, name, 2, append(raw(1, 1.5), 0x10, 0xe8, 0x87, 0x80, 0))), "up 1000 1.5"},
		"a start time":               {version2, raw(append(symbols, 5, raw(1, packed, 2, raw(1, 1.5, 2, 1000, 3, 500)))...), "up;host=a 1000 1.5"},
		"symbols last":               {version2, raw(append([]any{5, raw(1, packed, 2, sample)}, symbols...)...), "up;host=a 1000 1.5"},
		"numbers one by one":         {version2, raw(append(symbols, 5, raw(1, 1, 1, 2, 2, sample, 1, []byte{3}, 1, 4))...), "up;host=a 1000 1.5"},
		"numbers behind samples":     {version2, raw(append(symbols, 5, raw(2, sample, 1, packed))...), "up;host=a 1000 1.5"},
		"long numbers":               {version2, raw(append(symbols, 5, raw(2, sample, 1, []byte{0x81, 0, 0x82, 0x80, 0, 3, 4}))...), "up;host=a 1000 1.5"},
		"an unpacked bucket":         {version2, raw(append(symbols, 5, raw(1, packed, 3, raw(1, 3, 4, 105, 11, raw(2, 1), 12, 6)))...), "up_bucket;host=a;le=+Inf 0 3|up_count;host=a 0 3|up_sum;host=a 0 0"},
		"an unpacked count, a bound": {version2, raw(append(symbols, 5, raw(1, packed, 3, raw(2, 3.0, 4, 105, 11, raw(1, 2, 2, 1), 13, 3.0, 16, 7.0)))...), "up_bucket;host=a;le=7.0 0 0|up_bucket;host=a;le=+Inf 0 3|up_count;host=a 0 3|up_sum;host=a 0 0"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store := open(t, tsdb.Options{})
			w := post(New(Options{Store: store}), c.v, pack(c.b))
			if w.Code != http.StatusNoContent {
				t.Error(w.Code, w.Body)
			}
			wantDump(t, store, strings.Split(c.want, "|")...)
		})
	}
}

// TestBroken: a message that is none is answered with 400, and nothing of it is stored.
func TestBroken(t *testing.T) {
	name := raw(1, "__name__", 2, "up")
	sample := raw(1, 1.5, 2, 1000)
	good := raw(1, raw(1, name, 2, sample))
	symbols := []any{4, "", 4, "__name__", 4, "up"}
	cases := map[string]struct {
		v version
		b []byte
	}{
		"field 0":                    {version1, append(good, 0x02, 0)},
		"a field without an end":     {version1, append(good, 0x0a)},
		"a length of 11 bytes":       {version1, append(good, 0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0)},
		"longer than the message":    {version1, append(good, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)},
		"the end of no group":        {version1, append(good, 0x0c)},
		"wire type 7":                {version1, append(good, 0x0f)},
		"series of type varint":      {version1, append(good, raw(1, 1)...)},
		"sample of type varint":      {version1, append(good, raw(1, raw(1, name, 2, 5))...)},
		"value of type varint":       {version1, append(good, raw(1, raw(1, name, 2, raw(1, 5, 2, 1000)))...)},
		"time of type double":        {version1, append(good, raw(1, raw(1, name, 2, raw(1, 5.0, 2, 5.0)))...)},
		"value of 4 bytes":           {version1, append(good, raw(1, raw(1, name, 2, raw(1, float32(1))))...)},
		"label cut":                  {version1, append(good, raw(1, raw(1, name[:5], 2, sample))...)},
		"name of a label a number":   {version1, append(good, raw(1, raw(1, raw(1, 5), 2, sample))...)},
		"label of type varint":       {version1, append(good, raw(1, raw(1, 5, 2, sample))...)},
		"histogram cut":              {version1, append(good, raw(1, raw(1, name, 4, "\x09"))...)},
		"packed doubles of 7 bytes":  {version1, append(good, raw(1, raw(1, name, 4, raw(13, "1234567")))...)},
		"a delta cut":                {version1, append(good, raw(1, raw(1, name, 4, raw(12, "\x80")))...)},
		"span cut":                   {version1, append(good, raw(1, raw(1, name, 4, raw(11, "\x08")))...)},
		"schema a text":              {version1, append(good, raw(1, raw(1, name, 4, raw(4, "x")))...)},
		"metadata cut":               {version1, append(good, raw(3, "\x08")...)},
		"metadata a number":          {version1, append(good, raw(3, raw(2, 5))...)},
		"symbol a number":            {version2, raw(append(symbols, 4, 5)...)},
		"numbers cut":                {version2, raw(append(symbols, 5, raw(2, sample, 1, []byte{1, 0x80}))...)},
		"numbers a double":           {version2, raw(append(symbols, 5, raw(2, sample, 1, 5.0))...)},
		"metadata of version 2 cut":  {version2, raw(append(symbols, 5, raw(1, []byte{1, 2}, 2, sample, 5, "\x08"))...)},
		"metadata of version 2 text": {version2, raw(append(symbols, 5, raw(1, []byte{1, 2}, 2, sample, 5, raw(1, "x")))...)},
		"version 1 in it":            {version2, raw(append(symbols, 5, raw(1, []byte{1, 2}, 2, sample), 1, "x")...)},
		"version 2 in it":            {version1, append(good, raw(4, "x")...)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store := open(t, tsdb.Options{})
			r := New(Options{Store: store})
			wantAnswer(t, post(r, c.v, pack(c.b)), http.StatusBadRequest, "0 0 0", "message is")
			wantDump(t, store)
			wantAnswer(t, post(r, version1, pack(good)), http.StatusNoContent, "1 0 0")
			wantDump(t, store, "up 1000 1.5")
		})
	}
}

// TestNoSymbol: a series with a number that is none of a symbol is refused, the others are stored.
func TestNoSymbol(t *testing.T) {
	symbols := []any{4, "", 4, "__name__", 4, "up"}
	sample := raw(1, 1.5, 2, 1000)
	for _, refs := range []string{"\x01\x03", "\x03\x01", "\x01", "\x01\x02\x01", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		store := open(t, tsdb.Options{})
		r := New(Options{Store: store})
		w := post(r, version2, pack(raw(append(symbols, 5, raw(1, refs, 2, sample, 3, ""), 5, raw(1, "\x01\x02", 2, sample))...)))
		wantAnswer(t, w, http.StatusBadRequest, "1 0 0", "1 samples, 1 histograms", "2: labels_refs that name no symbol")
		wantDump(t, store, "up 1000 1.5")
	}
	r := New(Options{Store: open(t, tsdb.Options{})})
	wantAnswer(t, post(r, version2, pack(make([]byte, 0))), http.StatusNoContent, "0 0 0")
	many := make([]byte, 0, 2*maxSymbols+2)
	for range maxSymbols + 1 {
		many = append(many, 0x22, 0)
	}
	wantAnswer(t, post(r, version2, pack(many)), http.StatusRequestEntityTooLarge, "0 0 0", "more than 1,048,576 symbols")
}

type metadataLog struct {
	mu   sync.Mutex
	told []string
}

func (l *metadataLog) Tell(metric []byte, kind string, help, unit []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, fmt.Sprintf("%s|%s|%s|%s", metric, kind, help, unit))
}

func TestMetadata(t *testing.T) {
	all := []sent{up(1, 1), up(2, 1), up(3, 1)}
	for i := range all {
		all[i].kind, all[i].help, all[i].unit = 2, "Whether it is up.", "bool"
	}
	add := func(name string, kind uint64) {
		all = append(all, sent{labels: []string{"__name__", name}, samples: []sampleAt{{1, 1}}, kind: kind, help: "Help."})
	}
	add("requests_total", 1)
	add("latency_bucket", 3)
	add("latency_bucket", 3)
	add("latency_count", 3)
	add("latency_sum", 3)
	add("native", 3)
	add("pause_sum", 5)
	add("_sum", 5)
	add("size_gcount", 4)
	add("a_sum", 2)
	add("new", 77)
	all = append(all, sent{labels: []string{"a", "b"}, samples: []sampleAt{{1, 1}}, kind: 1}, up(4, 1))
	log := &metadataLog{}
	r := New(Options{Store: open(t, tsdb.Options{}), Metadata: log})
	post(r, version2, pack(encode2(all...)))
	want := []string{
		"up|gauge|Whether it is up.|bool", "requests_total|counter|Help.|", "latency|histogram|Help.|", "latency|histogram|Help.|", "latency|histogram|Help.|",
		"native|histogram|Help.|", "pause|summary|Help.|", "_sum|summary|Help.|", "size|gaugehistogram|Help.|", "a_sum|gauge|Help.|", "new|unknown|Help.|",
	}
	if !slices.Equal(log.told, want) {
		t.Errorf("version 2 told\n%q, want\n%q", log.told, want)
	}
	log.told = nil
	post(r, version1, pack(raw(3, raw(1, 1, 2, "requests", 4, "Help.", 5, "s"), 3, raw(2, "x"), 3, raw(1, 3))))
	if want := []string{"requests|counter|Help.|s", "x|unknown||"}; !slices.Equal(log.told, want) {
		t.Errorf("version 1 told %q, want %q", log.told, want)
	}
	post(New(Options{Store: open(t, tsdb.Options{})}), version2, pack(encode2(all...)))
}

// TestKnown: what the cache says stays right when series end and come again, and when it forgets.
func TestKnown(t *testing.T) {
	versions(t, func(t *testing.T, v version) {
		store := open(t, tsdb.Options{})
		r := New(Options{Store: store, Cache: 1})
		all := fleet(3000)
		for i := range all {
			all[i].samples[0] = sampleAt{1, 1}
		}
		everything := storage.Query{Mint: storage.MinTime, Maxt: storage.MaxTime}
		var first []string
		for round := range 4 {
			wantAnswer(t, post(r, v, pack(encode(v, all...))), http.StatusNoContent, "3000 0 0")
			got := dump(t, store)
			if round == 0 {
				first = got
			} else if !slices.Equal(got, first) {
				t.Fatalf("round %d: other series", round)
			}
			if round%2 == 1 {
				if err := store.Delete(t.Context(), everything); err != nil {
					t.Fatal(err)
				}
			}
			slices.Reverse(all)
		}
		if n := r.cache.Len(); n == 0 || n >= 3000 {
			t.Errorf("the cache of one byte has %d entries", n)
		}
	})
}

// TestRefs: the second time the store is told what it calls a series.
func TestRefs(t *testing.T) {
	versions(t, func(t *testing.T, v version) {
		var refs []storage.Ref
		r := New(Options{Store: &recorder{refs: &refs}})
		all := pack(encode(v, fleet(5)...))
		post(r, v, all)
		post(r, v, all)
		if want := []storage.Ref{0, 0, 0, 0, 0, 1, 2, 3, 4, 5}; !slices.Equal(refs, want) {
			t.Errorf("refs %d, want %d", refs, want)
		}
		post(r, v, all) // recorder has given new ones
		if want := []storage.Ref{6, 7, 8, 9, 10}; !slices.Equal(refs[10:], want) {
			t.Errorf("refs %d, want %d", refs[10:], want)
		}
	})
}

// recorder is a store that writes down the refs of rows, and gives each row a new one.
type recorder struct {
	sink
	refs *[]storage.Ref
}

func (r *recorder) Appender() storage.Appender { return r }

func (r *recorder) Wait(context.Context, storage.Seq) error { return nil }

func (r *recorder) Append(b *storage.Batch) (storage.Seq, error) {
	for i := range b.Rows {
		*r.refs = append(*r.refs, b.Rows[i].Ref)
		b.Rows[i].Ref = storage.Ref(len(*r.refs))
	}
	return 1, nil
}

// TestAllocations: known series cost no allocation a sample.
func TestAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	versions(t, func(t *testing.T, v version) {
		const n = 2000
		p := newReplay(sink{}, v)
		body := rounds(v, fleet(n), n, 1)[0]
		p.send(body)
		if got := testing.AllocsPerRun(20, func() { p.send(body) }); got > n/100 {
			t.Errorf("%v allocations for %d samples", got, n)
		}
	})
}
