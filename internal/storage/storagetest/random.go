package storagetest

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"metricd/internal/storage"
)

// random compares the store with the model by random operations over few series and few
// times, so that they collide. A failure is shrunk to the shortest that still fails.
func random(t *testing.T, e Engine) {
	rapid.Check(t, func(t *rapid.T) {
		r := &randomised{fixture: newFixture(t, e)}
		r.reopened()
		t.Repeat(map[string]func(*rapid.T){
			"append": r.appendRows,
			"put":    r.appendRows, // twice, to be drawn more often
			"delete": r.deleteQuery,
			"select": r.selectQuery,
			"labels": r.askLabels,
			"skip":   r.skip,
			"step":   r.stepEngine,
			"":       r.compareAll,
		})
	})
}

// randomLabels compares Select with matchers, names and values with the model, over some hundred series that come and go.
func randomLabels(t *testing.T, e Engine) {
	rapid.Check(t, func(t *rapid.T) {
		r := &randomised{fixture: newFixture(t, e)}
		r.reopened()
		t.Repeat(map[string]func(*rapid.T){
			"come":   r.comeLabelled,
			"go":     r.goLabelled,
			"match":  r.matchLabelled,
			"names":  r.matchLabelled, // to be drawn more often
			"engine": r.stepEngine,
		})
	})
}

// randomised is a store and the model that it is compared with. Its methods but the last
// are the operations.
type randomised struct {
	*fixture
	model model
	apps  []storage.Appender
}

// randomKeys has several spellings of most series, and the invalid empty key.
var randomKeys = []string{
	"a", "a;", "b", "z%61;", "za",
	"c;x=1;y=2", "c;y=2;x=1", "c;y=%32;x=1",
	"c;x=2", "d;x=1", "d;x=12", ";x=1", "c;x", "",
}

// randomTimes cluster where windows, signs and the range end.
var randomTimes = []int64{
	-2, -1, 0, 1, 2, 3, 4, 5, 1000, 1001,
	2_592_000_000 - 1, 2_592_000_000, -2_592_000_000, 1_503_319_740_000,
	storage.MinTime, storage.MinTime + 1, storage.MaxTime, storage.MaxTime - 1,
}

var randomMatchers = []storage.Matcher{
	matcher("x=1"), matcher("x!=1"), matcher("x=~1.*"), matcher("x!~1|2"), matcher("x="), matcher("x!="),
	matcher("y=2"), matcher("y="), matcher("y!~.+"), matcher(storage.MetricName + "=c"), matcher(storage.MetricName + "=~a|d"),
	matcher(storage.MetricName + "="), matcher("none=~.*"), matcher("none!="),
}

var (
	genKey   = rapid.SampledFrom(randomKeys)
	genTime  = rapid.OneOf(rapid.Int64Range(-3, 12), rapid.SampledFrom(randomTimes))
	genBound = rapid.OneOf(genTime, rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, storage.MinTime - 1, storage.MaxTime + 1}))
	genValue = rapid.OneOf(
		rapid.Map(rapid.IntRange(-3, 9), func(i int) float64 { return float64(i) }),
		rapid.Map(rapid.SampledFrom(odd()), math.Float64frombits),
		rapid.Float64(),
	)
	genRow = rapid.Custom(func(t *rapid.T) row {
		r := row{genKey.Draw(t, "key"), genTime.Draw(t, "time"), genValue.Draw(t, "value")}
		if r.key != "" && rapid.IntRange(0, 19).Draw(t, "beyond") == 19 {
			r.t = rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, storage.MinTime - 1, storage.MaxTime + 1}).Draw(t, "time")
		}
		return r
	})
	genRows  = rapid.SliceOfN(genRow, 0, 12)
	genQuery = rapid.Custom(func(t *rapid.T) storage.Query {
		q := always()
		if rapid.Bool().Draw(t, "in range") {
			q.Mint, q.Maxt = genBound.Draw(t, "mint"), genBound.Draw(t, "maxt")
		}
		if rapid.Bool().Draw(t, "by key") {
			q.Key = genKey.Draw(t, "key")
		}
		q.Matchers = rapid.SliceOfN(rapid.SampledFrom(randomMatchers), 0, 2).Draw(t, "matchers")
		return q
	})
)

// Tags of labelled series, and expressions for them. Values share prefixes, and some are what expressions are made of.
var (
	genText = rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "ab", "aab", "h1", "h2", "h12", "x.y", "ü", "A"}), rapid.StringMatching(`[ab]{1,3}[0-2]?`))
	genExpr = rapid.OneOf(
		rapid.SampledFrom([]string{"", ".*", ".+", "a|b|ab", "h[12]", "h.*", "h.+", ".*b", ".*a.*", "a?", "(?i)a.*", "x.y", "a|", "(a|b)+", "h1.|a.*b", "[^a].*"}),
		rapid.StringMatching(`[ab]?(\.\*|\.\+|)[ab]{1,2}(\.\*|\.|)`),
	)
	genMatcher = rapid.Custom(func(t *rapid.T) storage.Matcher {
		typ := storage.MatchType(rapid.IntRange(0, 3).Draw(t, "type"))
		value := rapid.OneOf(genText, rapid.Just(""))
		if typ == storage.MatchRegexp || typ == storage.MatchNotRegexp {
			value = genExpr
		}
		return matcher(rapid.SampledFrom([]string{storage.MetricName, "p", "q", "none"}).Draw(t, "label") + typ.String() + value.Draw(t, "value"))
	})
	genLabelled = rapid.Custom(func(t *rapid.T) storage.Query {
		q := always()
		if rapid.IntRange(0, 2).Draw(t, "in range") == 0 {
			q.Mint, q.Maxt = rapid.Int64Range(0, 5).Draw(t, "mint"), rapid.Int64Range(0, 5).Draw(t, "maxt")
		}
		q.Matchers = rapid.SliceOfN(genMatcher, 0, 3).Draw(t, "matchers")
		q.Limit = rapid.IntRange(0, 4).Draw(t, "limit")
		return q
	})
)

func (r *randomised) comeLabelled(t *rapid.T) {
	var rows []row
	for range rapid.IntRange(1, 60).Draw(t, "series") {
		ls, _ := storage.NewLabels(
			storage.Label{Name: storage.MetricName, Value: rapid.OneOf(rapid.Just("m"), genText).Draw(t, "name")},
			storage.Label{Name: "p", Value: rapid.OneOf(rapid.Just(""), genText).Draw(t, "p")},
			storage.Label{Name: "q", Value: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "q")},
		)
		rows = append(rows, row{string(storage.AppendKey(nil, ls)), rapid.Int64Range(0, 5).Draw(t, "time"), 1})
	}
	r.append(rows...)
	for _, row := range rows {
		if err := r.model.append(row); err != nil {
			t.Fatalf("BUG: %v", err)
		}
	}
}

func (r *randomised) goLabelled(t *rapid.T) {
	q := genLabelled.Draw(t, "delete")
	r.delete(q)
	r.model.delete(q)
}

func (r *randomised) matchLabelled(t *rapid.T) {
	q := genLabelled.Draw(t, "query")
	r.compare("", q, text(r.model.read(q)))
	r.wantNames(q, r.model.labelNames(q)...)
	for _, name := range []string{storage.MetricName, "p"} {
		r.wantValues(name, q, r.model.labelValues(name, q)...)
	}
}

func (r *randomised) reopened() {
	r.apps = []storage.Appender{r.app, r.store.Appender(), r.store.Appender()}
}

func (r *randomised) appendRows(t *rapid.T) {
	app := rapid.SampledFrom(r.apps).Draw(t, "appender")
	rows := genRows.Draw(t, "rows")
	_, refused, err := r.in.send(app, rows...)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	want := make([]error, len(rows))
	for i, row := range rows {
		want[i] = r.model.append(row)
	}
	if err := diffRefused(refused, want); err != nil {
		t.Fatalf("%v", err)
	}
}

func (r *randomised) deleteQuery(t *rapid.T) {
	q := genQuery.Draw(t, "delete")
	r.delete(q)
	r.model.delete(q)
}

func (r *randomised) selectQuery(t *rapid.T) {
	q := genQuery.Draw(t, "select")
	r.compare("", q, text(r.model.read(q)))
}

func (r *randomised) askLabels(t *rapid.T) {
	q := genQuery.Draw(t, "labels of")
	r.wantNames(q, r.model.labelNames(q)...)
	name := rapid.SampledFrom([]string{"x", "y", storage.MetricName, "none"}).Draw(t, "name")
	r.wantValues(name, q, r.model.labelValues(name, q)...)
}

// skip moves an iterator by random Nexts and SkipTos.
func (r *randomised) skip(t *rapid.T) {
	all := r.model.read(always())
	if len(all) == 0 {
		return
	}
	left := rapid.SampledFrom(all).Draw(t, "series")
	set := r.store.Select(context.Background(), byKey(left.key))
	defer set.Close()
	if !set.Next() {
		t.Fatalf("no series %q: %v", left.key, set.Err())
	}
	it, samples, on := set.At().Iterator(nil), left.samples, false
	for range rapid.IntRange(1, 8).Draw(t, "moves") {
		var moved bool
		if rapid.Bool().Draw(t, "SkipTo") {
			to := genBound.Draw(t, "to")
			for len(samples) > 0 && samples[0].t < to {
				samples = samples[1:]
			}
			moved = it.SkipTo(to)
		} else {
			if on {
				samples = samples[min(1, len(samples)):]
			}
			moved = it.Next()
		}
		on = true
		if moved != (len(samples) > 0) || moved && at(it) != samples[0] {
			t.Fatalf("moved %v, %v, want %v", moved, it.Err(), samples)
		}
	}
}

func (r *randomised) stepEngine(*rapid.T) {
	if r.step() {
		r.model.counts = storage.Stats{}
		r.reopened()
	}
}

// compareAll compares all that is stored, after every operation.
func (r *randomised) compareAll(*rapid.T) {
	r.compare("", always(), text(r.model.read(always())))
	if !r.engine.Without.ExactStats {
		r.wantStats(r.model.stats())
	}
}
