package tsdb

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"metricd/internal/storage"
)

// TestBrowse compares Children, Find and Newest with a plain scan of the series that Select gives, while series come and go.
func TestBrowse(t *testing.T) {
	for seed := range uint64(12) {
		o := Options{}
		if seed%2 == 1 {
			o.Dir = t.TempDir()
		}
		if seed%4 >= 2 {
			o.Retention, o.Now = time.Hour, func() time.Time { return time.UnixMilli(3_600_000 + 50) }
		}
		t.Run(fmt.Sprintf("%d disk=%v retention=%v", seed, o.Dir != "", o.Retention), func(t *testing.T) {
			browseRun(t, o, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

// randomKey returns a key of few parts, so that many have something in common.
func randomKey(r *rand.Rand) string {
	parts := []string{"a", "B", ".", ".", "-", "é", "+", "ab", "/"}
	var b strings.Builder
	for range 1 + r.IntN(5) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	switch r.IntN(4) {
	case 0:
		b.WriteString(";Host=" + parts[r.IntN(len(parts))])
	case 1:
		return fmt.Sprintf(";x=a=%d", r.IntN(3))
	}
	return b.String()
}

func browseRun(t *testing.T, o Options, r *rand.Rand) {
	db := mustOpen(t, o)
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	app := db.Appender()
	for round := range 12 {
		var b storage.Batch
		for range r.IntN(40) {
			b.Rows = append(b.Rows, storage.Row{Key: []byte(randomKey(r)), T: 51 + r.Int64N(50), V: 1})
		}
		if _, err := app.Append(&b); err != nil || len(b.Refused) > 0 {
			t.Fatal(err, b.Refused)
		}
		if round%3 == 2 {
			all := storage.Query{Key: randomKey(r), Mint: storage.MinTime, Maxt: storage.MaxTime}
			if err := db.Delete(t.Context(), all); err != nil {
				t.Fatal(err)
			}
		}
		model := scan(t, db)
		for range 4 {
			prefix := ""
			if len(model) > 0 && r.IntN(4) > 0 {
				name := model[r.IntN(len(model))].Name
				prefix = name[:r.IntN(len(name)+1)]
			}
			checkChildren(t, db, model, prefix, 1+r.IntN(4))
			words := [][]string{nil, {"A"}, {"É"}, {"host=A"}, {"st=b", "a"}, {"="}, {"x=a=1"}, {"b", "é"}, {"ost"}}[r.IntN(9)]
			checkFind(t, db, model, storage.FindQuery{Prefix: prefix, Exact: r.IntN(3) == 0, Words: words, Limit: 1 + r.IntN(5)})
		}
		for _, f := range model {
			checkNewest(t, db, f.Key)
		}
	}
}

// scan returns all series as Find orders them.
func scan(t *testing.T, db *DB) (all []storage.Found) {
	t.Helper()
	keys, err := keysOf(t.Context(), db, always())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		all = append(all, storage.Found{Position: storage.Position{Name: storage.ParseKey(key).Get(storage.MetricName)}, Key: key})
	}
	slices.SortStableFunc(all, func(a, b storage.Found) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// checkChildren reads a level in pages of limit.
func checkChildren(t *testing.T, db *DB, model []storage.Found, prefix string, limit int) {
	t.Helper()
	counts := make(map[string]storage.Child)
	for _, f := range model {
		rest, ok := strings.CutPrefix(f.Name, prefix)
		if !ok {
			continue
		}
		segment, _, below := strings.Cut(rest, ".")
		c := counts[segment]
		c.Segment = segment
		if below {
			c.Below++
		} else {
			c.Metric++
		}
		counts[segment] = c
	}
	var want, got []storage.Child
	for _, c := range counts {
		want = append(want, c)
	}
	slices.SortFunc(want, func(a, b storage.Child) int { return strings.Compare(a.Segment, b.Segment) })
	for q := (storage.ChildQuery{Prefix: prefix, Limit: limit}); ; {
		page, err := db.Children(t.Context(), q)
		if err != nil || len(page.List) > limit {
			t.Fatal(err, len(page.List))
		}
		if got = append(got, page.List...); !page.More {
			break
		}
		q.After = &got[len(got)-1].Segment
	}
	if !slices.Equal(got, want) {
		t.Fatalf("children of %q by %d:\n%+v, want\n%+v", prefix, limit, got, want)
	}
}

// checkFind reads series in pages of the limit of q.
func checkFind(t *testing.T, db *DB, model []storage.Found, q storage.FindQuery) {
	t.Helper()
	var want, got []string
	for _, f := range model {
		if strings.HasPrefix(f.Name, q.Prefix) && (!q.Exact || f.Name == q.Prefix) && hasWords(f, q.Words) {
			want = append(want, f.Key)
		}
	}
	for {
		page, err := db.Find(t.Context(), q)
		if err != nil || len(page.List) > q.Limit || page.Total != len(want) {
			t.Fatalf("%+v: %v, %d of %d, want of %d", q, err, len(page.List), page.Total, len(want))
		}
		for _, f := range page.List {
			got = append(got, f.Key)
			q.After = &f.Position
		}
		if !page.More {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%+v:\n%q, want\n%q", q, got, want)
	}
}

func hasWords(f storage.Found, words []string) bool {
	for _, w := range words {
		if !slices.ContainsFunc(storage.ParseKey(f.Key), func(l storage.Label) bool {
			text := l.Name + "=" + l.Value
			if l.Name == storage.MetricName {
				text = l.Value
			}
			return strings.Contains(strings.ToLower(text), strings.ToLower(w))
		}) {
			return false
		}
	}
	return true
}

func checkNewest(t *testing.T, db *DB, key string) {
	t.Helper()
	q := always()
	q.Key = key
	set := db.Select(t.Context(), q)
	defer set.Close()
	if !set.Next() {
		t.Fatalf("no %q: %v", key, set.Err())
	}
	it, last := set.At().Iterator(nil), int64(0)
	for it.Next() {
		last, _ = it.At()
	}
	ms, found, err := db.Newest(t.Context(), key)
	if err != nil || !found || ms < last {
		t.Fatalf("the newest of %q: %d, %v, %v; there is one at %d", key, ms, found, err, last)
	}
}
