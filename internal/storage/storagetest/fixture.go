package storagetest

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"metricd/internal/storage"
)

// patience is how long the suite waits for what must not block: far more than a loaded
// machine needs, as only a failure ever takes that long.
var patience = 20 * time.Second

// fixture is one store under test and what a check needs around it. Its methods are for
// the goroutine of the test.
//
// Rows and expectations are written as lines, `key time=value time=value …`.
type fixture struct {
	T
	engine Engine
	store  storage.Store
	app    storage.Appender
	in     sender
}

func newFixture(t T, e Engine) *fixture {
	f := &fixture{T: t, engine: e, store: e.Open(t)}
	f.app = f.store.Appender()
	t.Cleanup(func() {
		if err := f.store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return f
}

// step runs the engine's Step and says whether the store is another one now.
func (f *fixture) step() bool {
	if f.engine.Step == nil {
		return false
	}
	old := f.store
	f.store = f.engine.Step(f.T, old)
	if f.store == old {
		return false
	}
	f.app = f.store.Appender()
	f.in.refs = nil // they were the old store's
	return true
}

// row is a storage.Row with a key that can be kept.
type row struct {
	key string
	t   int64
	v   float64
}

// sender appends rows as a connection does: batch and keys live in memory that it uses
// again, and that holds rubbish between appends, so that a store that keeps any of it is
// found out. It uses every Ref that it was given, with any Appender of the store, also when the
// series has ended long ago.
type sender struct {
	batch storage.Batch
	keys  []byte
	refs  map[string]storage.Ref // by key
}

// send appends rows and returns the refusals, valid until the next send.
func (s *sender) send(app storage.Appender, rows ...row) (storage.Seq, []storage.Refusal, error) {
	s.keys, s.batch.Rows = s.keys[:0], s.batch.Rows[:0]
	for _, r := range rows {
		s.keys = append(s.keys, r.key...)
	}
	rest := s.keys
	for _, r := range rows {
		n := len(r.key)
		s.batch.Rows = append(s.batch.Rows, storage.Row{Key: rest[:n:n], T: r.t, V: r.v, Ref: s.refs[r.key]})
		rest = rest[n:]
	}
	seq, err := app.Append(&s.batch)
	s.learn(rows)
	for i := range s.keys {
		s.keys[i] = '#'
	}
	for i := range s.batch.Rows {
		s.batch.Rows[i] = storage.Row{T: 99, V: 99}
	}
	return seq, s.batch.Refused, err
}

// learn remembers the Refs of the rows that were just taken.
func (s *sender) learn(rows []row) {
	if s.refs == nil {
		s.refs = make(map[string]storage.Ref)
	}
	refused := s.batch.Refused
	for i, r := range rows {
		if len(refused) > 0 && refused[0].Row == i {
			refused = refused[1:]
		} else if ref := s.batch.Rows[i].Ref; ref != 0 {
			s.refs[r.key] = ref
		}
	}
}

// append appends rows, of which none may be refused.
func (f *fixture) append(rows ...row) storage.Seq {
	f.Helper()
	seq, refused, err := f.in.send(f.app, rows...)
	if err != nil || len(refused) > 0 {
		f.Fatalf("Append: %v, refused %v", err, refused)
	}
	return seq
}

// put appends the samples of lines in one batch, of which none may be refused.
func (f *fixture) put(lines ...string) storage.Seq {
	f.Helper()
	return f.append(f.parse(lines)...)
}

// parse reads lines.
func (f *fixture) parse(lines []string) []row {
	f.Helper()
	var rows []row
	for _, line := range lines {
		fields := strings.Split(line, " ") // keys may hold other white space
		for _, sample := range fields[1:] {
			left, right, _ := strings.Cut(sample, "=")
			t, err1 := strconv.ParseInt(left, 10, 64)
			v, err2 := strconv.ParseFloat(right, 64)
			if err1 != nil || err2 != nil {
				f.Fatalf("BUG: line %q of the check itself", line)
			}
			rows = append(rows, row{fields[0], t, v})
		}
	}
	return rows
}

func (f *fixture) delete(q storage.Query) {
	f.Helper()
	if err := f.store.Delete(context.Background(), q); err != nil {
		f.Fatalf("Delete(%v): %v", q, err)
	}
}

// wantCounts checks how many series and samples there are, the samples only if the engine knows.
func (f *fixture) wantCounts(series, samples int64) {
	f.Helper()
	st := f.stats()
	if f.engine.Without.ExactStats {
		st.Samples = samples
	}
	if st.Series != series || st.Samples != samples {
		f.Fatalf("%d series, %d samples, want %d and %d", st.Series, st.Samples, series, samples)
	}
}

// stats returns the figures that do not depend on the engine.
func (f *fixture) stats() storage.Stats {
	f.Helper()
	st, err := f.store.Stats()
	if err != nil {
		f.Fatalf("Stats: %v", err)
	}
	st.MemoryBytes, st.MemoryLimit, st.Files = 0, 0, storage.FileStats{}
	return st
}

// always is the range of all times.
func always() storage.Query { return between(math.MinInt64, math.MaxInt64) }

func between(mint, maxt int64) storage.Query { return storage.Query{Mint: mint, Maxt: maxt} }

// byKey is the series of key at all times.
func byKey(key string) storage.Query {
	q := always()
	q.Key = key
	return q
}

// where is the series that match at all times. A condition is written as PromQL has it,
// without quotes: `host=~a|b`.
func where(conditions ...string) storage.Query {
	q := always()
	for _, c := range conditions {
		q.Matchers = append(q.Matchers, matcher(c))
	}
	return q
}

func matcher(condition string) storage.Matcher {
	i := strings.IndexAny(condition, "=!")
	name, rest := condition[:i], condition[i:]
	for _, typ := range []storage.MatchType{storage.MatchRegexp, storage.MatchNotRegexp, storage.MatchNotEqual, storage.MatchEqual} {
		if value, ok := strings.CutPrefix(rest, typ.String()); ok {
			m, err := storage.NewMatcher(name, typ, value)
			if err != nil {
				panic("BUG: " + err.Error())
			}
			return m
		}
	}
	panic("BUG: condition " + condition)
}

// during is q within another range.
func during(q storage.Query, mint, maxt int64) storage.Query {
	q.Mint, q.Maxt = mint, maxt
	return q
}

// want expects that q selects these lines, in this order, before a Step and after it.
func (f *fixture) want(q storage.Query, lines ...string) {
	f.Helper()
	f.compare("", q, lines)
	if f.engine.Step != nil {
		f.step()
		f.compare(" after Step", q, lines)
	}
}

func (f *fixture) compare(when string, q storage.Query, lines []string) {
	f.Helper()
	got := text(f.read(q))
	want := slices.Clone(lines)
	if f.engine.Without.Order {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		f.Fatalf("select %s%s\n got:  %s\n want: %s", queryText(q), when, brief(got), brief(want))
	}
}

// brief joins lines, cut where they get too long to read.
func brief(lines []string) string {
	const most = 2000
	s := strings.Join(lines, " | ")
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

func queryText(q storage.Query) string {
	return "key=" + strconv.Quote(q.Key) + " " + matchersText(q.Matchers) + " [" +
		strconv.FormatInt(q.Mint, 10) + "," + strconv.FormatInt(q.Maxt, 10) + "]"
}

func matchersText(ms []storage.Matcher) string {
	texts := make([]string, len(ms))
	for i, m := range ms {
		texts[i] = m.String()
	}
	return "{" + strings.Join(texts, ",") + "}"
}

// read selects q to the end; an error fails the check.
func (f *fixture) read(q storage.Query) []series {
	f.Helper()
	all, err := read(context.Background(), f.store, q)
	if err == nil {
		err = wellFormed(all, q)
	}
	if err != nil {
		f.Fatalf("select %s: %v", queryText(q), err)
	}
	return all
}

// together runs fs at once, waits for all and fails the check with their errors, or after
// patience; then what they wait for is said to block.
func (f *fixture) together(what string, fs ...func() error) {
	f.Helper()
	done := make(chan error, len(fs))
	for _, fn := range fs {
		go func() { done <- fn() }()
	}
	late := time.After(patience)
	var errs []error
	for range fs {
		select {
		case err := <-done:
			errs = append(errs, err)
		case <-late:
			f.Fatalf("%s: blocked for %v", what, patience)
		}
	}
	if err := errors.Join(errs...); err != nil {
		f.Fatalf("%s: %v", what, err)
	}
}
